"""Whether data comes while its market is open, and gaps are filled."""

import pytest

from nightdesk.feeds_config import FeedConfig
from nightdesk.health import Status
from nightdesk.ticks import Kind
from services.jobs.checks.freshness import Gaps, Newest, fresh_parts, gap_parts

NOW_S = 1_800_000_000.0
LIMIT_S = 300.0


def a_feed(**changes: object) -> FeedConfig:
    values = {
        "codec": "binance", "ws_url": "ws://x", "rest_url": "http://x", "symbols": ("AAPL.US", "BTCUSDT"),
        "kinds": ("trade", "quote"), "calendars": {".US": "XNYS"}, **changes,
    }  # fmt: skip
    return FeedConfig.model_validate(values)


def a_tick(symbol: str, age_s: float, kind: Kind = Kind.TRADE) -> Newest:
    return Newest(feed="f", symbol=symbol, kind=kind, at_s=NOW_S - age_s)


class Hours:
    """XNYS has been open since this long; what is always open is."""

    def __init__(self, open_for_s: float) -> None:
        self._open_for_s = open_for_s

    def __call__(self, calendar: str, at_s: float) -> bool:
        return calendar == "24/7" or at_s >= NOW_S - self._open_for_s


@pytest.mark.parametrize(
    ("open_for_s", "age_s", "status"),
    [
        (3600, 299, Status.OK),
        (3600, 301, Status.DOWN),
        (3600, None, Status.DOWN),
        (299, 40_000, Status.OK),  # it opened a moment ago
        (-1, 40_000, Status.OK),  # closed
        (-1, None, Status.OK),
    ],
)
def test_data_is_expected_only_of_a_market_that_has_been_open_for_long_enough(
    open_for_s: float, age_s: float | None, status: Status
) -> None:
    newest = [a_tick("BTCUSDT", 1.0)] if age_s is None else [a_tick("BTCUSDT", 1.0), a_tick("AAPL.US", age_s)]

    crypto, stocks = fresh_parts({"f": a_feed()}, newest, Hours(open_for_s), NOW_S, LIMIT_S)

    assert (crypto.part, crypto.status) == ("data/f 24/7", Status.OK)
    assert (stocks.part, stocks.status, stocks.age_s) == ("data/f XNYS", status, age_s)


def test_quotes_do_not_stand_in_for_trades_unless_a_feed_has_none() -> None:
    newest = [a_tick("BTCUSDT", 1.0, Kind.QUOTE)]
    quotes = a_feed(symbols=("BTCUSDT",), kinds=("quote",))

    (with_trades,) = fresh_parts({"f": a_feed(symbols=("BTCUSDT",))}, newest, Hours(0), NOW_S, LIMIT_S)
    (without,) = fresh_parts({"f": quotes}, newest, Hours(0), NOW_S, LIMIT_S)

    assert (with_trades.status, without.status) == (Status.DOWN, Status.OK)


@pytest.mark.parametrize(("age_s", "status"), [(100.0, Status.OK), (301.0, Status.DEGRADED), (None, Status.OK)])
def test_a_gap_of_the_last_day_may_be_open_for_a_while(age_s: float | None, status: Status) -> None:
    gaps = [Gaps(feed="f", count=3, oldest_s=None if age_s is None else NOW_S - age_s)]

    found, none = gap_parts(["f", "g"], gaps, NOW_S, LIMIT_S)

    assert (found.status, found.facts["open"]) == (status, 3)
    assert (none.part, none.status) == ("gaps/g", Status.OK)
