"""The verification against a real exchange and a real database."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nightdesk.clock import Clock
from services.jobs import backfill_gaps, verify_data
from services.jobs.runner.job import Desk, FindingError
from tests.conftest import Database
from tests.integration.jobs.market import FEED, YESTERDAY, Live, Market, market

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]

KEPT = "SELECT day, minutes, complete, missing_ids, differing, unchecked, percent FROM completeness"


@pytest.fixture(scope="module")
def exchange() -> Iterator[Market]:
    with market() as one:
        yield one


@pytest.fixture
def live(database: Database, exchange: Market) -> Iterator[Live]:
    """Five minutes of a feed that heard everything."""
    one = Live(database, exchange)
    one.connect()
    one.live(60 - exchange.now_ms / 1000 % 60 + 10)
    one.live(250)
    yield one
    one.close()


@pytest.fixture
def desk_of(desk: Callable[..., Desk], exchange: Market) -> Callable[..., Desk]:
    def make(**changes: Any) -> Desk:
        clock = Clock(wall_ns=lambda: exchange.now_ms * 10**6)
        now = datetime.now(UTC)
        return desk(feeds={FEED: exchange.config(**changes)}, clock=clock, scheduled_for=now)

    return make


@pytest.fixture
def verify(desk_of: Callable[..., Desk]) -> Callable[..., Any]:
    return lambda **arguments: verify_data.run(desk_of(), verify_data.Arguments(**arguments))


def missing_minute(exchange: Market, back: int) -> str:
    """Return the beginning of a minute so many before the exchange's last whole one."""
    at_s = (exchange.now_ms // 60_000 - 1 - back) * 60
    return datetime.fromtimestamp(at_s, UTC).isoformat()


def test_a_day_that_is_whole_is_complete(live: Live, verify: Callable[..., Any]) -> None:
    result = verify()

    assert (result["percent"], result["differing"], result["unknown_ids"]) == (100.0, 0, 0)
    ((day, minutes, complete, *rest),) = live.rows(KEPT)
    assert (day, complete, rest) == (YESTERDAY, minutes, [0, 0, 0, 100.0])
    assert minutes >= 2


def test_what_the_ledger_knows_to_be_missing_is_incomplete_and_no_finding(
    live: Live, exchange: Market, verify: Callable[..., Any]
) -> None:
    exchange.running.fault("gap", symbol="BTCUSDT", count=7)
    live.live(200)

    result = verify()

    (row,) = result["table"]
    assert (row["missing_ids"], row["differing"], row["minutes"] - row["complete"]) == (7, 0, 1)
    assert row["detail"][0]["finding"] == "missing"
    assert result["percent"] < 100


def test_trades_that_got_lost_are_found_filled_and_their_bars_made_anew(
    live: Live, exchange: Market, desk_of: Callable[..., Desk], verify: Callable[..., Any]
) -> None:
    minute = missing_minute(exchange, 2)
    live.store.execute(
        f"DELETE FROM trades WHERE time >= '{minute}'::timestamptz + interval '10 s'"
        f" AND time < '{minute}'::timestamptz + interval '70 s'"
    )
    with pytest.raises(FindingError, match="ids that were missing and in no gap") as found:
        verify()
    assert found.value.result["unknown_ids"] > 500
    assert live.rows("SELECT cause, state FROM gaps") == [("found by verification", "open")]

    filled = backfill_gaps.run(desk_of(), backfill_gaps.Arguments())

    assert (filled["gaps"], filled["trades"]) == ({"filled": 1}, found.value.result["unknown_ids"])
    assert verify()["percent"] == 100.0


def test_a_day_of_trades_lost_at_its_edges_is_found_too(
    live: Live, exchange: Market, desk_of: Callable[..., Desk], verify: Callable[..., Any]
) -> None:
    live.store.execute(f"DELETE FROM trades WHERE time >= '{missing_minute(exchange, 2)}'")
    with pytest.raises(FindingError):
        verify()
    backfill_gaps.run(desk_of(), backfill_gaps.Arguments())

    assert verify()["percent"] == 100.0


@pytest.mark.parametrize(
    "damage",
    ["high = high + 0.01", "volume = volume + 0.00001", "trades = trades + 1", "quote_volume = quote_volume + 1"],
)
def test_a_bar_that_is_off_by_the_last_digit_is_a_finding(
    live: Live, exchange: Market, verify: Callable[..., Any], damage: str
) -> None:
    live.store.execute(f"UPDATE bars SET {damage} WHERE time = '{missing_minute(exchange, 2)}'")

    with pytest.raises(FindingError, match="1 minutes whose bar is not the exchange's") as found:
        verify()

    (row,) = found.value.result["table"]
    (told,) = row["detail"]
    assert told["minute"] == missing_minute(exchange, 2)[11:16]
    assert list(told)[2:] == [damage.partition(" ")[0]]


def test_ids_stored_twice_are_a_finding(live: Live, exchange: Market, verify: Callable[..., Any]) -> None:
    live.store.execute(
        f"INSERT INTO trades SELECT * FROM trades WHERE time >= '{missing_minute(exchange, 2)}' ORDER BY time LIMIT 1"
    )

    with pytest.raises(FindingError, match="1 ids stored more than once"):
        verify()


def test_a_candle_that_rest_has_no_more_is_the_streams(live: Live, exchange: Market, desk: Callable[..., Desk]) -> None:
    class NoCandles:
        status_code, content, headers = 200, b"[]", {}

    clock = Clock(wall_ns=lambda: exchange.now_ms * 10**6)
    made = desk(
        feeds={FEED: exchange.config()}, clock=clock, scheduled_for=datetime.now(UTC), call=lambda *_: NoCandles()
    )
    unchecked = verify_data.run(made, verify_data.Arguments())
    assert (unchecked["percent"], unchecked["unchecked"]) == (100.0, unchecked["minutes"])

    live.store.execute(
        'INSERT INTO klines (symbol_id, "interval", time, close_time, open, high, low, close, volume, trades, closed,'
        " received_at) SELECT symbol_id, '1m', time, time, open, high, low, close, round(volume::numeric, 5), trades,"
        " true, now() FROM bars"
    )
    checked = verify_data.run(made, verify_data.Arguments())
    assert (checked["percent"], checked["unchecked"], checked["differing"]) == (100.0, 0, 0)


def test_minutes_of_a_closed_market_do_not_count(live: Live, desk_of: Callable[..., Desk]) -> None:
    made = desk_of(calendar="XHKG")
    result = verify_data.run(made, verify_data.Arguments())

    assert result["minutes"] == 0


def test_a_second_verification_replaces_the_first(live: Live, verify: Callable[..., Any]) -> None:
    verify()
    live.live(120)
    verify()

    assert len(live.rows(KEPT)) == 1


def test_a_day_that_is_kept_as_a_file_is_left_out_and_opens_no_gap(live: Live, verify: Callable[..., Any]) -> None:
    live.store.execute(f"DROP TABLE trades_{YESTERDAY:%Y%m%d}")
    live.store.execute(
        "INSERT INTO archives (tick_table, day, location, rows, bytes, checksum, file_sha256, dropped_at)"
        f" VALUES ('trades', '{YESTERDAY}', '', 0, 0, '', '', now())"
    )

    result = verify()

    assert (result["not_stored"], result["table"]) == ([YESTERDAY.isoformat()], [])
    assert live.rows("SELECT count(*) FROM gaps") == [(0,)]


def test_what_is_on_its_way_to_the_database_is_not_missed_of_a_day_so_far(
    live: Live, exchange: Market, desk_of: Callable[..., Desk]
) -> None:
    live.disconnect()
    exchange.move(240)
    made = replace(desk_of(), scheduled_for=datetime.now(UTC) - timedelta(days=1))

    result = verify_data.run(made, verify_data.Arguments(so_far=True))

    assert (result["percent"], result["unknown_ids"]) == (100.0, 0)
    assert [row["day"] for row in result["table"]] == [YESTERDAY.isoformat()]
