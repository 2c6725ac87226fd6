"""The exchange's own one-minute candles, and longer ones made of them."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import compress
from operator import mul
from typing import Final

from services.simulator.history import Prints

MINUTE_MS: Final = 60_000
KEPT: Final = 2 * 24 * 60

INTERVALS_MS: Final = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": 60 * MINUTE_MS,
    "2h": 120 * MINUTE_MS,
    "4h": 240 * MINUTE_MS,
    "1d": 1440 * MINUTE_MS,
}


@dataclass(slots=True)
class Candle:
    """Prices in ticks, volumes in lots, turnover in ticks times lots; ``taker_*`` is what takers bought."""

    open_ms: int
    length_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    turnover: int
    trades: int
    taker_volume: int
    taker_turnover: int
    first_id: int
    last_id: int

    @property
    def close_ms(self) -> int:
        """The last millisecond that belongs to it."""
        return self.open_ms + self.length_ms - 1


def candle_of(prints: Prints, open_ms: int) -> Candle:
    """Return the candle of a run of trades that all lie in the minute from ``open_ms`` on."""
    turnovers = list(map(mul, prints.price, prints.size))
    bought = [not maker for maker in prints.maker]
    return Candle(
        open_ms=open_ms,
        length_ms=MINUTE_MS,
        open=prints.price[0],
        high=max(prints.price),
        low=min(prints.price),
        close=prints.price[-1],
        volume=sum(prints.size),
        turnover=sum(turnovers),
        trades=len(prints),
        taker_volume=sum(compress(prints.size, bought)),
        taker_turnover=sum(compress(turnovers, bought)),
        first_id=prints.first_id,
        last_id=prints.last_id,
    )


def extend(candle: Candle, later: Candle) -> None:
    """Fold a later candle into an earlier one."""
    candle.high = max(candle.high, later.high)
    candle.low = min(candle.low, later.low)
    candle.close = later.close
    candle.volume += later.volume
    candle.turnover += later.turnover
    candle.trades += later.trades
    candle.taker_volume += later.taker_volume
    candle.taker_turnover += later.taker_turnover
    candle.last_id = later.last_id


def rolled_up(candles: Iterable[Candle], length_ms: int) -> Iterator[Candle]:
    """Yield candles of ``length_ms`` made of shorter ones in order."""
    current: Candle | None = None
    for candle in candles:
        open_ms = candle.open_ms - candle.open_ms % length_ms
        if current is not None and current.open_ms == open_ms:
            extend(current, candle)
            continue
        if current is not None:
            yield current
        current = _copy(candle, open_ms, length_ms)
    if current is not None:
        yield current


def _copy(candle: Candle, open_ms: int, length_ms: int) -> Candle:
    return Candle(
        open_ms,
        length_ms,
        candle.open,
        candle.high,
        candle.low,
        candle.close,
        candle.volume,
        candle.turnover,
        candle.trades,
        candle.taker_volume,
        candle.taker_turnover,
        candle.first_id,
        candle.last_id,
    )


class Candles:
    """The one-minute candles of one symbol, two days of them; a minute without a trade has none."""

    def __init__(self) -> None:
        self._minutes: deque[Candle] = deque(maxlen=KEPT)

    def add(self, prints: Prints) -> None:
        """Fold in a run of trades that lie in one minute."""
        open_ms = prints.time_ms[0] - prints.time_ms[0] % MINUTE_MS
        candle = candle_of(prints, open_ms)
        latest = self.latest()
        if latest is not None and latest.open_ms == open_ms:
            extend(latest, candle)
        else:
            self._minutes.append(candle)

    def latest(self) -> Candle | None:
        """Return the candle of the minute of the last trade."""
        return self._minutes[-1] if self._minutes else None

    def between(self, start_ms: int, end_ms: int, length_ms: int) -> list[Candle]:
        """Return the candles of ``length_ms`` that open from ``start_ms`` to ``end_ms``, both inclusive."""
        first_ms = start_ms + (-start_ms) % length_ms
        minutes = (c for c in self._minutes if first_ms <= c.open_ms < end_ms + length_ms)
        return [c for c in rolled_up(minutes, length_ms) if c.open_ms <= end_ms]
