from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.api.models import Bar, KindName, LatestTick
from services.api.symbol_page import Range, chart, course, drawn_at, facts, said_of

AT = datetime(2026, 11, 19, 2, 0, tzinfo=UTC)
MOST_BARS = 1000


def a_bar(minute: int, price: float, **changes: Any) -> Bar:
    return Bar.model_validate({
        "time": AT + timedelta(minutes=minute), "open": price, "high": price + 2, "low": price - 2, "close": price + 1,
        "volume": 2.0, "buy_volume": 1.0, "quote_volume": 10.0, "trades": 3, "closed": True, **changes,
    })  # fmt: skip


def test_a_course_goes_from_the_first_open_to_the_last_close() -> None:
    found = course([a_bar(0, 100.0), a_bar(1, 90.0), a_bar(2, 109.0)])

    assert found is not None
    assert (found.first, found.last, found.low, found.high) == (100.0, 110.0, 88.0, 111.0)
    assert (found.volume, found.trades, found.change_percent) == (6.0, 9, 10.0)


def test_a_fall_too_small_to_show_is_none() -> None:
    found = course([a_bar(0, 100.0, close=99.9999)])

    assert found is not None
    assert f"{found.change_percent:+.2f}" == "+0.00"


def test_without_trades_there_is_no_course_and_that_is_said() -> None:
    assert course([]) is None
    assert said_of("BTC/USD", None, Range.D1) == "BTC/USD over the last 1 day: nothing was traded."


def test_the_picture_is_told_in_words() -> None:
    assert said_of("X", course([a_bar(0, 100.0)]), Range.H2) == (
        "X over the last 2 hours: from 100 to 101, low 98, high 102."
    )


@pytest.mark.parametrize("wanted", list(Range))
def test_a_chart_has_some_hundred_bars_at_most(wanted: Range) -> None:
    assert 100 < wanted.span / timedelta(minutes=wanted.interval.minutes) <= MOST_BARS


def test_a_chart_is_a_picture_whatever_the_symbol() -> None:
    svg = chart("<b>&", [a_bar(0, 1.0), a_bar(1, 2.0)], Range.H2)

    assert svg.startswith("<svg")
    assert "&lt;b&gt;&amp;, last 2 hours" in svg


def test_within_ten_seconds_a_chart_is_the_same() -> None:
    moments = {drawn_at(AT + timedelta(seconds=second), Range.H2) for second in range(10)}

    assert moments == {AT}
    assert drawn_at(AT + timedelta(seconds=10), Range.H2) == AT + timedelta(seconds=10)


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        (KindName.TRADE, {"side": "buy", "price": 67000.5, "size": 0.25}, "buy, price 67,000.5, size 0.25"),
        (KindName.DEPTH, {"spread": 0.01, "pressure_ratio": 1.5}, "spread 0.01, pressure 1.5"),
        (KindName.QUOTE, {"bid_price": 123456.78, "ask_price": 2.0}, "bid 123,456.78, ask 2"),
    ],
)
def test_a_tick_says_what_its_kind_has(kind: KindName, fields: dict[str, Any], words: str) -> None:
    tick = LatestTick.model_validate(
        {"feed": "f", "symbol": "S", "kind": kind, "time": AT, "received_at": AT, **fields}
    )

    assert facts(tick) == words
