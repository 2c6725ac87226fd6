"""Migrations: what they lead to, and that nothing on the way can get stuck."""

import re
import secrets
import subprocess
from collections.abc import Iterator
from importlib.resources import files

import psycopg
import pytest

from deploy import databases
from nightdesk.store import migrate
from nightdesk.store.database import RefusedError
from tests.conftest import PASSWORDS, Database

pytestmark = pytest.mark.integration

READ = {"orders": "SELECT count(*) FROM orders", "trades": "SELECT count(*) FROM trades"}


@pytest.fixture
def empty(postgres_server: databases.RunningPostgres) -> Iterator[Database]:
    """A database that is named but does not exist yet."""
    one = Database(server=postgres_server, name=f"test_{secrets.token_hex(6)}")
    yield one
    with psycopg.connect(postgres_server.url(), password=postgres_server.password, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {one.name} WITH (FORCE)")


def dump(database: Database) -> list[str]:
    """The schema as pg_dump writes it, without what yoyo keeps for itself and what differs by run."""
    command = [
        str(databases.find_postgres("pg_dump")), "--schema-only", "--exclude-table", "*yoyo*", database.url(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PGPASSWORD": database.password()})
    return [line for line in done.stdout.splitlines() if line and not re.match(r"--|\\(un)?restrict", line)]


def test_replaying_the_migrations_gives_the_schema(empty: Database, database: Database) -> None:
    migrate.make_roles(empty.url(), empty.password(), PASSWORDS)
    with empty.connect(migrate.OWNER) as connection:
        connection.execute(files("nightdesk.store").joinpath("schema.sql").read_bytes())

    assert dump(empty) == dump(database)


def test_migrating_makes_the_database_the_roles_and_the_schema(empty: Database) -> None:
    migrate.migrate(empty.url(), empty.password(), PASSWORDS)

    for role in PASSWORDS:
        table = "orders" if role == migrate.CLERK else "trades"
        with empty.connect(role) as connection:
            assert connection.execute(READ[table]).fetchone() == (0,)


def test_migrating_twice_changes_nothing(database: Database) -> None:
    before = dump(database)

    migrate.migrate(database.url(), database.password(), PASSWORDS)

    assert dump(database) == before
    assert migrate.apply_migrations(database.url(), PASSWORDS[migrate.OWNER]) == []


def test_a_lock_left_by_a_killed_migration_holds_up_nobody(database: Database) -> None:
    with database.connect(migrate.OWNER) as connection:
        connection.execute("INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), 1)")

    assert migrate.apply_migrations(database.url(), PASSWORDS[migrate.OWNER]) == []


def test_a_migration_that_fails_leaves_nothing_behind(empty: Database) -> None:
    migrate.make_roles(empty.url(), empty.password(), PASSWORDS)
    with empty.connect(migrate.OWNER) as connection:
        connection.execute("CREATE TABLE gaps (in_the_way int)")

    with pytest.raises(RefusedError):
        migrate.apply_migrations(empty.url(), PASSWORDS[migrate.OWNER])

    with empty.connect(migrate.OWNER) as connection:
        assert connection.execute("SELECT to_regclass('trades')").fetchone() == (None,)
        connection.execute("DROP TABLE gaps")
    assert migrate.apply_migrations(empty.url(), PASSWORDS[migrate.OWNER]) == sorted(
        file.name.removesuffix(".sql") for file in files("nightdesk.store").joinpath("migrations").iterdir()
    )


def test_a_changed_password_takes_effect(empty: Database) -> None:
    migrate.make_roles(empty.url(), empty.password(), PASSWORDS)

    migrate.make_roles(empty.url(), empty.password(), {**PASSWORDS, migrate.READER: "another"})
    with psycopg.connect(empty.url(migrate.READER), password="another") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    migrate.make_roles(empty.url(), empty.password(), PASSWORDS)


class TestLeastPrivilege:
    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO symbols (feed, symbol, shard) VALUES ('f', 's', 0)",
            "DELETE FROM gaps",
            "SELECT ensure_day('trades', current_date)",
            "CREATE TABLE mine (a int)",
            "CREATE TEMP TABLE mine (a int)",
        ],
    )
    def test_the_reader_changes_nothing(self, database: Database, statement: str) -> None:
        with database.connect(migrate.READER) as connection:
            connection.execute("SET default_transaction_read_only = off")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TABLE mine (a int)",
            "DROP TABLE trades",
            "TRUNCATE trades",
            "DELETE FROM trades",
            "UPDATE trades SET price = 0",
            "DELETE FROM gaps",
            "ALTER TABLE trades ADD COLUMN a int",
        ],
    )
    def test_the_writer_has_no_ddl_and_cannot_alter_what_is_stored(self, database: Database, statement: str) -> None:
        with database.connect(migrate.WRITER) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)

    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT FROM trades",
            "SELECT FROM runs",
            "SELECT FROM daily_summary",
            "DELETE FROM orders",
            "TRUNCATE traders",
            "CREATE TABLE mine (a int)",
            "SELECT ensure_day('trades', current_date)",
        ],
    )
    def test_the_clerk_records_orders_and_does_nothing_else(self, database: Database, statement: str) -> None:
        with database.connect(migrate.CLERK) as connection:
            connection.execute("INSERT INTO instruments (symbol) VALUES ('AAPL')")
            connection.execute("UPDATE instruments SET sector = 'Technology'")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "0", "-1"])
    def test_an_order_has_a_quantity_and_a_price_that_are_numbers(self, database: Database, number: str) -> None:
        with database.connect(migrate.CLERK) as connection:
            connection.execute("INSERT INTO instruments (symbol) VALUES ('AAPL')")
            connection.execute("INSERT INTO traders (name) VALUES ('momentum')")
            for quantity, price in ((number, "1"), ("1", number)):
                with pytest.raises(psycopg.errors.CheckViolation):
                    connection.execute(
                        "INSERT INTO orders (reference, instrument_id, trader_id, side, quantity, price, status,"
                        " ordered_at) VALUES ('r', 1, 1, 'buy', %s, %s, 'executed', now())",
                        [quantity, price],
                    )

    def test_the_writer_makes_days_through_the_owners_function(self, database: Database) -> None:
        with database.connect(migrate.WRITER) as connection:
            assert connection.execute("SELECT ensure_day('trades', '2026-03-01')").fetchone() == (True,)
            assert connection.execute("SELECT ensure_day('trades', '2026-03-01')").fetchone() == (False,)
            assert connection.execute("SELECT drop_day('trades', '2026-03-01')").fetchone() == (True,)
            with pytest.raises(psycopg.errors.InvalidParameterValue):
                connection.execute("SELECT ensure_day('gaps', '2026-03-01')")
            with pytest.raises(psycopg.errors.InvalidParameterValue):
                connection.execute("SELECT drop_day('trades', current_date)")

    def test_a_day_with_more_rows_than_are_expected_stays(self, database: Database) -> None:
        with database.connect(migrate.WRITER) as connection:
            connection.execute("SELECT ensure_day('trades', '2026-03-01')")
            connection.execute("INSERT INTO trades VALUES (1, 1, '2026-03-01', 1, 1, 1, NULL, now())")
            assert connection.execute("SELECT drop_day('trades', '2026-03-01', 0)").fetchone() == (False,)
            assert connection.execute("SELECT count(*) FROM trades").fetchone() == (1,)
            assert connection.execute("SELECT drop_day('trades', '2026-03-01', 1)").fetchone() == (True,)

    def test_the_reader_reads_and_is_cut_off_when_it_takes_too_long(self, database: Database) -> None:
        with database.connect(migrate.READER) as connection:
            assert connection.execute("SHOW statement_timeout").fetchone() == ("15s",)
            assert connection.execute("SELECT count(*) FROM quotes").fetchone() == (0,)


def test_a_new_day_does_not_wait_for_a_running_copy(database: Database) -> None:
    with database.connect(migrate.WRITER) as writing, database.connect(migrate.WRITER) as other:
        writing.execute("SELECT ensure_day('trades', '2026-03-01')")
        with writing.transaction(), writing.cursor() as cursor, cursor.copy("COPY trades FROM STDIN") as copy:
            copy.write("1\t1\t2026-03-01 00:00:00+00\t1\t1\t1\t\\N\t2026-03-01 00:00:00+00\n")
            other.execute("SET statement_timeout = '5s'")
            assert other.execute("SELECT ensure_day('trades', '2026-03-02')").fetchone() == (True,)
            other.execute("INSERT INTO trades VALUES (1, 1, '2026-03-02', 1, 1, 1, NULL, now())")
