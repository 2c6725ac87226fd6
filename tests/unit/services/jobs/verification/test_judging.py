"""What a minute is, and a day of them."""

from decimal import Decimal

import pytest

from nightdesk.exchanges.history import Candle
from services.jobs.verification.comparing import StoredBar, steps_of
from services.jobs.verification.judging import Day, Finding, judge, summary


def a_candle(close: str = "1.5", volume: str = "2") -> Candle:
    price = Decimal(close)
    return Candle(open_ns=0, open=price, high=price, low=price, close=price, volume=Decimal(volume), trades=None)


def a_bar(close: float = 1.5) -> StoredBar:
    return StoredBar(open=close, high=close, low=close, close=close, volume=2.0, quote_volume=3.0, trades=1)


FLAT = a_candle(volume="0")


@pytest.mark.parametrize(
    ("bar", "candle", "known_from", "is_touched", "finding"),
    [
        (a_bar(), a_candle(), 0, False, Finding.COMPLETE),
        (a_bar(), a_candle(), 0, True, Finding.COMPLETE),
        (a_bar(), a_candle("1.6"), 0, False, Finding.DIFFERENT),
        (a_bar(), a_candle("1.6"), 0, True, Finding.MISSING),
        (None, None, 0, False, Finding.COMPLETE),
        (None, FLAT, 0, False, Finding.COMPLETE),
        (None, None, None, False, Finding.UNCHECKED),
        (None, None, None, True, Finding.MISSING),
        (None, None, 0, True, Finding.COMPLETE),
        (None, a_candle(), 0, False, Finding.DIFFERENT),
        (None, a_candle(), 0, True, Finding.MISSING),
        (a_bar(), None, 0, False, Finding.DIFFERENT),
        (a_bar(), FLAT, 0, False, Finding.DIFFERENT),
        (a_bar(), None, 5, False, Finding.UNCHECKED),
        (a_bar(), None, None, False, Finding.UNCHECKED),
        (a_bar(), None, 5, True, Finding.MISSING),
    ],
)
def test_a_minute(
    bar: StoredBar | None, candle: Candle | None, known_from: int | None, is_touched: bool, finding: Finding
) -> None:
    day = Day(
        bars={3: bar} if bar else {},
        candles={3: candle} if candle else {},
        known_from=known_from,
        touched=frozenset({3}) if is_touched else frozenset(),
        steps=steps_of([a_candle()]),
    )

    assert judge(3, day).finding is finding


def test_what_could_not_be_checked_counts_for_nothing() -> None:
    bars = {minute: a_bar() for minute in range(10)}
    candles = {minute: a_candle() for minute in range(4, 9)} | {9: a_candle("9")}
    day = Day(bars=bars, candles=candles, known_from=4, touched=frozenset({9}), steps=steps_of(candles.values()))

    found = summary(range(10), day, 7)

    assert (found.minutes, found.complete, found.unchecked, found.missing_ids) == (10, 5, 4, 7)
    assert found.percent == pytest.approx(100 * 5 / 6)
    assert [one["minute"] for one in found.detail] == ["00:09"]


def test_a_day_without_minutes_lacks_nothing() -> None:
    day = Day(bars={}, candles={}, known_from=None, touched=frozenset(), steps=steps_of([]))

    assert summary([], day, 0).percent == 100.0
