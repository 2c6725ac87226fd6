"""The harness reads from a real PostgreSQL what it then judges."""

from collections.abc import Iterable

import pytest

from nightdesk.ticks import Kind
from tests.chaos.evidence import Evidence
from tests.chaos.stacks import Address
from tests.chaos.verification import Bar, BarKey, Unordered
from tests.conftest import Database

pytestmark = [pytest.mark.integration, pytest.mark.slow]

MINUTE_S = 1_750_000_020
MINUTE = MINUTE_S // 60


class Ledger:
    """A database that is written by hand, and the evidence it gives."""

    def __init__(self, database: Database) -> None:
        self._connection = database.connect()
        self._connection.execute("SELECT ensure_day('trades', to_timestamp(%s)::date)", [MINUTE_S])
        self._connection.execute(
            "INSERT INTO symbols (feed, symbol, shard) VALUES ('simulator', 'BTCUSDT', 0), ('other', 'BTCUSDT', 0)"
        )
        self._database = database
        self.evidence = Evidence(self, database.name)

    def postgres(self) -> Address:
        server = self._database.server
        return Address(host=server.host, port=server.port, password=server.password)

    def trades(self, ids: Iterable[int], *, feed: str = "simulator", price: float = 1.0, received_s: float = 0) -> None:
        for trade_id in ids:
            self._connection.execute(
                "INSERT INTO trades SELECT symbol_id, 1, to_timestamp(%s), %s, %s, 2.0, NULL, to_timestamp(%s)"
                " FROM symbols WHERE feed = %s",
                [MINUTE_S, trade_id, price, received_s or MINUTE_S, feed],
            )

    def gap(self, missing: str, *, kind: Kind = Kind.TRADE, state: str = "open") -> None:
        self._connection.execute(
            "INSERT INTO gaps (symbol_id, kind, missing, cause, state)"
            " SELECT symbol_id, %s, %s::int8multirange, '', %s FROM symbols WHERE feed = 'simulator'",
            [kind, missing, state],
        )

    def execute(self, query: str) -> None:
        self._connection.execute(query.encode())


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


def test_stored_trades_are_read_as_runs_with_what_is_missing_and_repeated(ledger: Ledger) -> None:
    ledger.trades([1, 2, 3, 7, 8, 8, 8, 10])
    ledger.trades([4, 5, 6], feed="other")

    rows = ledger.evidence.stored({"BTCUSDT": 0})["BTCUSDT"]

    assert rows.ids == ((1, 3), (7, 8), (10, 10))
    assert (rows.rows, rows.duplicates, rows.rows_before) == (8, 2, 0)


def test_rows_up_to_the_floor_are_only_counted(ledger: Ledger) -> None:
    ledger.trades([1, 2, 2, 3, 4, 5])

    rows = ledger.evidence.stored({"BTCUSDT": 3})["BTCUSDT"]

    assert rows.ids == ((4, 5),)
    assert (rows.rows, rows.duplicates, rows.rows_before) == (2, 0, 4)


def test_a_row_above_the_floor_that_says_it_is_older_is_a_stray(ledger: Ledger) -> None:
    ledger.trades([1, 2, 3])

    rows = ledger.evidence.stored({"BTCUSDT": 2}, MINUTE_S + 60)["BTCUSDT"]

    assert (rows.ids, rows.rows_before, rows.strays) == ((), 2, 1)


def test_bars_are_compared_from_a_minute_on(ledger: Ledger) -> None:
    ledger.trades([1])

    assert set(ledger.evidence.folded_bars(MINUTE_S)) == {BarKey("BTCUSDT", MINUTE)}
    assert ledger.evidence.folded_bars(MINUTE_S + 60) == {}


def test_the_ledger_is_every_missing_id_of_trades_that_nobody_filled(ledger: Ledger) -> None:
    ledger.gap("{[10,12],[15,15]}")
    ledger.gap("{[20,20]}", state="unfillable")
    ledger.gap("{[30,30]}", state="filled")
    ledger.gap("{[40,40]}", kind=Kind.AGG_TRADE)

    assert ledger.evidence.ledgered() == {"BTCUSDT": ((10, 12), (15, 15), (20, 20))}


def test_bars_are_folded_from_the_trades_by_id(ledger: Ledger) -> None:
    ledger.trades([3], price=4.0)
    ledger.trades([2], price=9.0)
    ledger.trades([1], price=5.0)

    bar = Bar(open=5.0, high=9.0, low=4.0, close=4.0, volume=6.0, buy_volume=6.0, quote_volume=36.0, trades=3)
    assert ledger.evidence.folded_bars() == {BarKey("BTCUSDT", MINUTE): bar}


def test_stored_bars_come_in_the_same_shape(ledger: Ledger) -> None:
    ledger.execute(
        "INSERT INTO bars SELECT symbol_id, to_timestamp(1750000020), 5, 9, 4, 4, 6, 6, 36, 3, 1, 3, true"
        " FROM symbols WHERE feed = 'simulator'"
    )

    bar = Bar(open=5.0, high=9.0, low=4.0, close=4.0, volume=6.0, buy_volume=6.0, quote_volume=36.0, trades=3)
    assert ledger.evidence.stored_bars() == {BarKey("BTCUSDT", MINUTE): bar}


def test_a_trade_received_before_its_predecessor_is_found(ledger: Ledger) -> None:
    ledger.trades([1, 2], received_s=MINUTE_S + 5)
    ledger.trades([3], received_s=MINUTE_S + 4)

    assert ledger.evidence.unordered({}) == [Unordered("BTCUSDT", 3, 1)]
    assert ledger.evidence.unordered({"BTCUSDT": 2}) == []


def test_an_empty_database_says_that_nothing_was_committed(ledger: Ledger) -> None:
    assert ledger.evidence.newest_s() == 0.0
    assert ledger.evidence.marks() == {}
    assert ledger.evidence.dropped() == 0
    assert ledger.evidence.quarantined() == {}
