"""Batches on a real database, as the clerk."""

import threading
from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest

from nightdesk.orders.batches import from_csv, from_json
from nightdesk.orders.faults import BatchError
from nightdesk.orders.kinds import INSTRUMENTS, ORDERS, TRADERS, Kind
from nightdesk.orders.loading import load
from nightdesk.orders.models import Counts
from nightdesk.store.database import Connection
from nightdesk.store.migrate import CLERK, WRITER
from tests.conftest import Database

pytestmark = [pytest.mark.integration, pytest.mark.slow]

HEAD = "reference,symbol,trader,side,quantity,price,status,ordered_at\n"


@pytest.fixture
def clerk(database: Database) -> Iterator[Connection]:
    with database.connect(CLERK) as connection:
        yield connection


def imported(connection: Connection, kind: Kind, text: str, *, create: bool = False) -> Counts:
    return load(connection, kind, from_csv(kind, text.splitlines(keepends=True)), create=create)


def order(reference: str, status: str = "executed", *, symbol: str = "AAPL", trader: str = "momentum") -> str:
    return f"{reference},{symbol},{trader},buy,10,187.25,{status},2026-11-02T14:30:00Z\n"


def counts(received: int, added: int, changed: int, unchanged: int) -> Counts:
    return Counts(received=received, added=added, changed=changed, unchanged=unchanged)


def recorded(connection: Connection) -> int:
    (row,) = connection.execute("SELECT count(*) FROM orders").fetchall()
    return int(row[0])


def named(connection: Connection) -> None:
    imported(connection, INSTRUMENTS, "symbol,sector\nAAPL,Technology\n")
    imported(connection, TRADERS, "name,kind\nmomentum,strategy\n")


def test_a_file_again_changes_nothing_and_what_differs_is_changed(clerk: Connection) -> None:
    named(clerk)
    first = HEAD + order("a", "pending") + order("b")

    assert imported(clerk, ORDERS, first) == counts(2, 2, 0, 0)
    assert imported(clerk, ORDERS, first) == counts(2, 0, 0, 2)
    assert imported(clerk, ORDERS, HEAD + order("a", "executed") + order("b") + order("c")) == counts(3, 1, 1, 1)


def test_what_is_left_out_stays_as_it_was(clerk: Connection) -> None:
    assert imported(clerk, INSTRUMENTS, "symbol,name,sector\nAAPL,Apple,Technology\n") == counts(1, 1, 0, 0)
    assert imported(clerk, INSTRUMENTS, "symbol,name\nAAPL,Apple Inc.\n") == counts(1, 0, 1, 0)
    assert imported(clerk, INSTRUMENTS, "symbol\nAAPL\n") == counts(1, 0, 0, 1)
    assert clerk.execute("SELECT name, sector FROM instruments").fetchall() == [("Apple Inc.", "Technology")]


def test_an_order_of_an_unknown_instrument_or_trader_is_refused_with_the_way_out(clerk: Connection) -> None:
    named(clerk)
    text = HEAD + order("a") + order("b", symbol="XYZ") + order("c", symbol="XYZ", trader="nobody")

    with pytest.raises(BatchError, match="2 rows are wrong of 3; nothing is recorded") as refusal:
        imported(clerk, ORDERS, text)

    assert [(fault.place, fault.column) for fault in refusal.value.faults] == [(3, "symbol"), (4, "trader")]
    assert (
        "instrument 'XYZ' is not recorded (2 rows name it); record instruments first" in refusal.value.faults[0].reason
    )
    assert recorded(clerk) == 0


def test_unknown_ones_are_recorded_when_it_is_asked_for(clerk: Connection) -> None:
    assert imported(clerk, ORDERS, HEAD + order("a") + order("b", symbol="XYZ"), create=True) == counts(2, 2, 0, 0)
    assert clerk.execute("SELECT symbol FROM instruments ORDER BY 1").fetchall() == [("AAPL",), ("XYZ",)]
    assert clerk.execute("SELECT name, kind FROM traders").fetchall() == [("momentum", "account")]


def test_a_reference_twice_in_a_file_is_refused_with_both_lines(clerk: Connection) -> None:
    named(clerk)

    with pytest.raises(BatchError, match="2 rows are wrong of 3") as refusal:
        imported(clerk, ORDERS, HEAD + order("a") + order("b") + order("a"))

    (fault,) = refusal.value.faults
    assert (fault.place, fault.also, fault.column) == (4, 2, "reference")
    assert recorded(clerk) == 0


def test_a_wrong_row_at_the_end_leaves_nothing_behind(clerk: Connection) -> None:
    named(clerk)
    lines = [order(f"r{number}") for number in range(3000)]

    with pytest.raises(BatchError, match="1 row is wrong of 3,001"):
        imported(clerk, ORDERS, HEAD + "".join(lines) + order("last", "lost"))

    assert recorded(clerk) == 0
    assert imported(clerk, ORDERS, HEAD + "".join(lines)) == counts(3000, 3000, 0, 0)


def test_amounts_are_stored_exactly_from_json_as_from_csv(clerk: Connection) -> None:
    named(clerk)
    number = "0.123456789012345678"
    body = f"""{{"orders": [{{"reference": "j", "symbol": "AAPL", "trader": "momentum", "side": "buy",
        "quantity": {number}, "price": 1234567.1234567890123, "status": "executed", "ordered_at": "2026-11-02"}}]}}"""

    load(clerk, ORDERS, from_json(ORDERS, body.encode()))
    imported(clerk, ORDERS, HEAD + f"c,AAPL,momentum,sell,{number},1234567.1234567890123,failed,2026-11-02\n")

    stored = clerk.execute("SELECT DISTINCT quantity, price, total_value FROM orders").fetchall()
    quantity, price = Decimal(number), Decimal("1234567.1234567890123")
    assert [(row[0], row[1]) for row in stored] == [(quantity, price)]
    with_all_digits = clerk.execute("SELECT total_value = quantity * price FROM orders").fetchall()
    assert with_all_digits == [(True,), (True,)]


def test_words_that_look_like_commands_of_copy_are_stored_as_they_are(clerk: Connection) -> None:
    name = r"back\slash \N \. 'quoted' \"double\" 日本 ñ"

    imported(clerk, TRADERS, "name\n\\.\n\\N\n" + name.replace('"', "") + "\n")

    stored = [row[0] for row in clerk.execute("SELECT name FROM traders ORDER BY trader_id").fetchall()]
    assert set(stored) == {"\\.", "\\N", name.replace('"', "")}


def test_two_imports_at_once_of_the_same_orders_both_succeed(database: Database) -> None:
    lines = [order(f"r{number:04}", symbol=f"S{number % 7}", trader=f"t{number % 5}") for number in range(2000)]
    results: list[Counts] = []

    def run(text: str) -> None:
        with database.connect(CLERK) as connection:
            results.append(imported(connection, ORDERS, text, create=True))

    threads = [
        threading.Thread(target=run, args=(HEAD + "".join(chosen),))
        for chosen in (lines, lines[::-1], lines[1000:] + lines[:1000])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(one.added for one in results) == [0, 0, 2000]
    assert all(one.added + one.unchanged == 2000 for one in results)


def test_the_writer_records_orders_as_well(database: Database) -> None:
    with database.connect(WRITER) as connection:
        assert imported(connection, ORDERS, HEAD + order("a"), create=True).added == 1


def test_nothing_stays_in_the_session(clerk: Connection) -> None:
    imported(clerk, TRADERS, "name\na\n")

    with pytest.raises(psycopg.errors.UndefinedTable):
        clerk.execute("SELECT FROM staged")
