from services.simulator.candles import MINUTE_MS, Candles
from services.simulator.history import Prints


def prints(time_ms: int, *prices: int, first_id: int = 0) -> Prints:
    count = len(prices)
    return Prints(first_id, list(prices), [2] * count, [False, True] * count, [time_ms] * count, [0] * count)


def test_runs_of_one_minute_are_one_candle() -> None:
    candles = Candles()
    candles.add(prints(0, 5, 9))
    candles.add(prints(100, 3, 4, first_id=2))

    candle = candles.latest()
    assert candle is not None
    assert (candle.open, candle.high, candle.low, candle.close) == (5, 9, 3, 4)
    assert (candle.volume, candle.turnover, candle.trades) == (8, 42, 4)
    assert (candle.taker_volume, candle.taker_turnover) == (4, 16)
    assert (candle.first_id, candle.last_id) == (0, 3)


def test_a_minute_without_trades_has_no_candle() -> None:
    candles = Candles()
    candles.add(prints(0, 5))
    candles.add(prints(2 * MINUTE_MS, 6))

    assert [c.open_ms for c in candles.between(0, 10 * MINUTE_MS, MINUTE_MS)] == [0, 2 * MINUTE_MS]


def test_longer_candles_are_made_of_minutes() -> None:
    candles = Candles()
    for minute in range(7):
        candles.add(prints(minute * MINUTE_MS, minute + 1, first_id=minute))

    rolled = candles.between(0, 10 * MINUTE_MS, 5 * MINUTE_MS)
    assert [(c.open_ms, c.open, c.close, c.trades) for c in rolled] == [(0, 1, 5, 5), (5 * MINUTE_MS, 6, 7, 2)]


def test_a_range_is_by_opening_time_and_inclusive() -> None:
    candles = Candles()
    for minute in range(5):
        candles.add(prints(minute * MINUTE_MS, 1))

    found = candles.between(MINUTE_MS, 3 * MINUTE_MS, MINUTE_MS)
    assert [c.open_ms // MINUTE_MS for c in found] == [1, 2, 3]
