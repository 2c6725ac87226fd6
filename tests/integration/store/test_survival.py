"""What must not end a worker or lead it astray: a new process, a restored database, a clock set back, absurd ids."""

from collections.abc import Iterator

import pytest

from nightdesk.shards import consumer_name
from nightdesk.ticks import Kind
from tests.conftest import Database
from tests.integration.store.conftest import FEED, NOW_NS, SECOND, Desk, a_quote, a_trade, an_event

pytestmark = pytest.mark.integration

CONSUMERS = [consumer_name("store", FEED, shard) for shard in (0, 1)]
TRADES = "SELECT s.symbol, trade_id FROM trades JOIN symbols AS s USING (symbol_id) ORDER BY trade_id"


@pytest.fixture
def successor(desk: Desk) -> Iterator[Desk]:
    """A new process: it has heard of no symbol yet."""
    one = Desk(desk.database, worker="second")
    yield one
    one.close()


def test_a_new_process_ledgers_the_silence_of_symbols_it_never_heard_of(desk: Desk, successor: Desk) -> None:
    desk.commit([a_quote(5)])
    desk.leases.release(CONSUMERS)
    successor.take()

    successor.commit([an_event("connected", cause="mute", since_ns=NOW_NS, at_ns=NOW_NS + SECOND)])

    assert successor.rows("SELECT kind, state FROM gaps") == [(Kind.QUOTE, "unfillable")]
    assert successor.done[-1].gaps == {(FEED, Kind.QUOTE): 1}


def test_symbols_get_the_numbers_of_the_database_that_a_new_connection_finds(desk: Desk) -> None:
    desk.commit([a_trade(1), a_trade(2, symbol="ETHUSDT")])
    with desk.database.connect() as restored:
        restored.execute("DELETE FROM symbols")
        restored.execute("INSERT INTO symbols (feed, symbol, shard) VALUES (%s, 'SOLUSDT', 0)", [FEED])
        restored.execute("DELETE FROM trades")
        restored.execute("DELETE FROM marks")

    desk.store.close()
    desk.commit([a_trade(3), a_trade(4, symbol="ETHUSDT")])

    assert desk.rows(TRADES) == [("BTCUSDT", 3), ("ETHUSDT", 4)]


def test_what_a_restored_database_forgot_is_in_the_ledger(desk: Desk) -> None:
    desk.commit([a_quote(5), a_trade(), a_trade(7, symbol="ETHUSDT")])
    (position,) = desk.store.positions(CONSUMERS[:1])

    for _ in range(2):
        desk.store.forgotten(position, f"{NOW_NS // 10**6 + 90_000}-3")

    found = desk.rows("SELECT kind, state, extract(epoch FROM to_time - from_time)::int FROM gaps ORDER BY kind")
    assert found == [(Kind.TRADE, "open", 90), (Kind.QUOTE, "unfillable", 90)]
    assert desk.one("SELECT DISTINCT cause FROM gaps") == "the database went back to an older state"


def test_an_announcement_of_ids_that_no_exchange_has_is_not_believed(desk: Desk) -> None:
    desk.commit([a_trade(10)])

    desk.commit([an_event("announced", kind=1, symbol="BTCUSDT", to_id=2**63 - 1), a_trade(11)])

    assert desk.rows(TRADES) == [("BTCUSDT", 10), ("BTCUSDT", 11)]
    assert desk.one("SELECT count(*) FROM gaps") == 0


def test_gaps_wider_than_any_number_are_still_counted(desk: Desk) -> None:
    symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    desk.commit([a_trade(10, symbol=symbol) for symbol in symbols])
    desk.commit([a_trade(2**62, symbol=symbol) for symbol in symbols])

    (ledger,) = desk.store.gap_figures(CONSUMERS).values()
    assert (ledger.open, ledger.missing_ids) == (3, 2**63 - 1)


def test_a_lease_from_before_the_clock_was_set_back_is_taken(database: Database, desk: Desk, successor: Desk) -> None:
    with database.connect() as connection:
        connection.execute("UPDATE leases SET expires_at = now() + interval '1 day'")
        connection.execute("INSERT INTO workers VALUES ('long dead', now() + interval '1 day')")

    assert successor.leases.beat() == ["second"]
    assert len(successor.take()) == len(CONSUMERS)
