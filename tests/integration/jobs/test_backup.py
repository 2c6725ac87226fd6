"""A backup is one moment of the database, proven, and an empty database serves the api from it."""

import os
import random
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from nightdesk.errors import ConfigurationError, UnavailableError
from nightdesk.store import migrate, shelf
from nightdesk.store.migrate import BACKUP, OWNER, READER, WRITER
from nightdesk.store.restore import RestoreSettings, restore
from services.api.app import compose
from services.jobs import archive_ticks, backup, restore_day
from services.jobs.runner.job import Desk, FindingError
from tests.conftest import PASSWORDS, Database
from tests.integration.api.conftest import SEED, settings
from tests.integration.jobs.conftest import Told
from tests.integration.jobs.ticks import OLD, TODAY, everything, fill

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(400)]

Desks = Callable[..., Desk]
ROOT = Path(__file__).resolve().parents[3]
NOW = datetime.now(UTC)
RECENT = TODAY - timedelta(days=2)


@pytest.fixture
def shelves(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def empty(database: Database) -> Iterator[Database]:
    """A database that is named but does not exist yet."""
    one = Database(server=database.server, name=f"test_{secrets.token_hex(6)}")
    yield one
    with connected(one) as connection:
        for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", (f"{one.name}%",)):
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def connected(database: Database) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(database.server.url(), password=database.server.password, autocommit=True)


def back_up(desk: Desk, **arguments: Any) -> Any:
    return backup.run(desk, backup.Arguments(**arguments))


def restoring(database: Database, shelves: Path, **changes: Any) -> RestoreSettings:
    values = {
        "database_url": database.url(), "database_password": database.password(), "backup_dir": shelves,
        "owner_password": PASSWORDS[OWNER], "writer_password": PASSWORDS[WRITER],
        "reader_password": PASSWORDS[READER], "backup_password": PASSWORDS[BACKUP], **changes,
    }  # fmt: skip
    return RestoreSettings.model_validate(values)


def databases(database: Database, like: str) -> list[object]:
    with connected(database) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", (like,))
        return [name for (name,) in found.fetchall()]


def answers(database: Database) -> list[Any]:
    """What the api says about bars, ticks and gaps."""
    with TestClient(compose(settings(database), CollectorRegistry())) as client:
        of_btc = "symbol=BTCUSDT&feed=simulator"
        questions = (
            f"/bars?{of_btc}&interval=1h&limit=100",
            f"/ticks/latest?{of_btc}",
            "/gaps?limit=100",
            "/symbols",
        )
        found = [client.get(question) for question in questions]
    assert [one.status_code for one in found] == [200] * len(found)
    return [one.json() for one in found]


def test_a_backup_restored_into_an_empty_database_serves_the_api(
    database: Database, desk: Desks, shelves: Path, empty: Database
) -> None:
    with database.connect() as connection:
        connection.execute(SEED)
    fill(database, RECENT, rows=500)
    before, told = everything(database, RECENT), answers(database)

    made = back_up(desk(backup_password=PASSWORDS[BACKUP]))
    restore(restoring(empty, shelves), now=NOW)

    assert made["rows"]["bars"] == 3000
    assert made["rows"]["trades"] == 500
    assert made["bytes"] == Path(made["file"]).stat().st_size
    assert everything(empty, RECENT) == before
    assert answers(empty) == told
    with empty.connect(WRITER) as connection:
        connection.execute("SELECT ensure_day('trades', current_date)")
        connection.execute("INSERT INTO trades VALUES (1, 1, now(), 1, 1, 1, NULL, now())")
    assert migrate.apply_migrations(empty.url(), PASSWORDS[OWNER]) == []
    assert databases(database, "nightdesk_scratch_%") == []


def test_a_restored_day_and_what_arrived_for_it_are_in_the_backup(
    database: Database, desk: Desks, shelves: Path, empty: Database, tmp_path: Path
) -> None:
    fill(database, rows=500, tables=("trades",))
    before = everything(database)
    archive_ticks.run(desk(), archive_ticks.Arguments())
    restore_day.run(desk(), restore_day.Arguments(day=OLD))

    back_up(desk(backup_password=PASSWORDS[BACKUP]))
    restore(restoring(empty, shelves), now=NOW)
    assert everything(empty) == before
    there = desk(database_url=empty.url(WRITER))
    object.__setattr__(
        there, "connect", lambda name: psycopg.connect(empty.url(WRITER), password=PASSWORDS[WRITER], autocommit=True)
    )
    restore_day.run(there, restore_day.Arguments(day=OLD))

    assert everything(empty) == before


def test_a_database_that_holds_something_is_not_replaced(
    database: Database, desk: Desks, shelves: Path, empty: Database
) -> None:
    fill(database, RECENT, rows=10)
    back_up(desk(backup_password=PASSWORDS[BACKUP]))
    restore(restoring(empty, shelves), now=NOW)
    with empty.connect() as connection:
        connection.execute("DELETE FROM quotes")

    with pytest.raises(ConfigurationError, match="not empty: it has trades"):
        restore(restoring(empty, shelves), now=NOW)
    assert everything(empty, RECENT)["quotes"] == []
    restore(restoring(empty, shelves, force=True), now=NOW)

    assert len(everything(empty, RECENT)["quotes"]) == 10
    assert len(databases(empty, f"{empty.name}_before_%")) == 1


def test_only_the_newest_are_kept(desk: Desks, shelves: Path) -> None:
    for hours in range(4):
        moment = datetime(2026, 3, 1, hours, tzinfo=UTC)
        made = back_up(desk(backup_password=PASSWORDS[BACKUP], scheduled_for=moment), keep=2, verify=hours > 2)

    assert [path.name for path in sorted(shelves.iterdir())] == [
        f"nightdesk-20260301T0{hour}0000Z.{ending}" for hour in (2, 3) for ending in ("dump", "json")
    ]
    assert made["removed"] == ["nightdesk-20260301T010000Z.dump"]


def test_a_backup_that_does_not_hold_everything_is_none(
    database: Database, desk: Desks, shelves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database, RECENT, rows=10)
    back_up(desk(backup_password=PASSWORDS[BACKUP]), keep=1)
    before = shelf.backups(shelves)
    whole = backup.command
    monkeypatch.setattr(
        backup, "command",
        lambda *arguments: [*whole(*arguments), f"--exclude-table-data=public.trades_{RECENT:%Y%m%d}"],
    )  # fmt: skip

    with pytest.raises(FindingError, match="0 of 10 rows"):
        back_up(desk(backup_password=PASSWORDS[BACKUP], scheduled_for=NOW + timedelta(hours=1)), keep=1)

    assert shelf.backups(shelves) == before
    assert databases(database, "nightdesk_scratch_%") == []


def test_a_damaged_backup_is_not_restored(desk: Desks, shelves: Path, empty: Database) -> None:
    made = back_up(desk(backup_password=PASSWORDS[BACKUP]))
    content = bytearray(Path(made["file"]).read_bytes())
    content[len(content) // 2] ^= 1
    Path(made["file"]).write_bytes(content)

    with pytest.raises(ConfigurationError, match="damaged"):
        restore(restoring(empty, shelves), now=NOW)


def test_a_backup_is_named_or_the_newest_or_nothing(desk: Desks, shelves: Path, empty: Database) -> None:
    with pytest.raises(ConfigurationError, match="holds no backup"):
        restore(restoring(empty, shelves), now=NOW)
    back_up(desk(backup_password=PASSWORDS[BACKUP]))

    with pytest.raises(ConfigurationError, match="there is no backup other"):
        restore(restoring(empty, shelves, backup_file="other"), now=NOW)


def test_no_room_is_found_before_anything_is_written(
    desk: Desks, shelves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "DUMP_SHARE", 1e12)

    with pytest.raises(FindingError, match="GB free"):
        back_up(desk(backup_password=PASSWORDS[BACKUP]))
    assert list(shelves.iterdir()) == []


def test_without_its_password_there_is_no_backup(desk: Desks) -> None:
    with pytest.raises(ConfigurationError, match="BACKUP_PASSWORD"):
        back_up(desk())


def test_only_one_is_made_at_a_time(database: Database, desk: Desks) -> None:
    with database.connect() as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext('nightdesk.backup'))")
        with pytest.raises(UnavailableError, match="another backup"):
            back_up(desk(backup_password=PASSWORDS[BACKUP]))


def test_the_role_for_backups_changes_nothing(database: Database) -> None:
    with database.connect(BACKUP) as connection:
        for statement in ("DELETE FROM gaps", "SELECT drop_day('trades', '2026-01-01')", "CREATE TABLE mine (a int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_it_says_how_far_it_is(database: Database, desk: Desks, told: Told) -> None:
    fill(database, RECENT, rows=5000)
    back_up(desk(backup_password=PASSWORDS[BACKUP]))

    assert {what for *_, what in told.progress} == {"bytes dumped", "bytes restored to be verified"}
    assert all(done <= total for done, total, _ in told.progress)


def test_killed_at_any_moment_it_leaves_nothing_that_looks_like_a_backup(
    database: Database, desk: Desks, shelves: Path
) -> None:
    fill(database, RECENT, rows=3000)
    chance = random.Random(6)
    environ = {**os.environ, "BACKUP_PASSWORD": PASSWORDS[BACKUP]}
    command = [sys.executable, "-m", "tests.integration.jobs.backup_child", str(shelves), database.url(WRITER)]
    began = time.monotonic()
    first = back_up(desk(backup_password=PASSWORDS[BACKUP]))
    took_s = time.monotonic() - began

    for _ in range(6):
        with subprocess.Popen(
            command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            assert process.stdout.readline() == "ready\n"
            process.stdin.write("go\n")
            process.stdin.flush()
            time.sleep(chance.uniform(0.1, 1.0) * took_s)
            process.kill()
        for path in shelf.backups(shelves):
            assert shelf.check(path) is not None

    last = back_up(desk(backup_password=PASSWORDS[BACKUP], scheduled_for=NOW + timedelta(hours=1)))
    assert databases(database, "nightdesk_scratch_%") == []
    assert not list(shelves.glob("*.partial"))
    assert {Path(one["file"]) for one in (first, last)} <= set(shelf.backups(shelves))
