"""The local book of one symbol: what the exchange's snapshot and changes add up to.

A dict holds the levels and a sorted list the prices, best last: most changes only alter a size, and what does come and
go lies near the best price, where a list is short to move. The measure that chose it is ``bench/book.py``.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from itertools import chain
from math import nan
from typing import Final, TypeAlias

from nightdesk.ticks import NO_ID, NO_TIME, Depth, Event, EventName, Kind

Levels: TypeAlias = Iterable[tuple[float, float]]

PRESSURE_LEVELS: Final = 5


class BookSide:
    """The levels of one side; ``sign`` is 1 for bids, where the highest price is best, and -1 for asks."""

    __slots__ = ("_keys", "_levels", "_sign")

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._levels: dict[float, tuple[float, float]] = {}
        self._keys: list[float] = []

    def __len__(self) -> int:
        return len(self._keys)

    def replace(self, levels: Levels) -> None:
        """Forget everything and take these levels, (price, size), in any order; size 0 is no level."""
        sign = self._sign
        self._levels = {sign * level[0]: level for level in levels if level[1]}
        self._keys = sorted(self._levels)

    def apply(self, levels: Levels) -> None:
        """Set the size of each price; 0 removes it, and removing what is not there is nothing."""
        sign, known, keys = self._sign, self._levels, self._keys
        for level in levels:
            key = sign * level[0]
            if level[1]:
                if key not in known:
                    insort(keys, key)
                known[key] = level
            elif known.pop(key, None):
                del keys[bisect_left(keys, key)]

    def top(self, count: int) -> list[float]:
        """Return the best ``count`` levels flat: price, size, price, size, best first."""
        best = self._keys[: -count - 1 : -1]
        return list(chain.from_iterable(map(self._levels.__getitem__, best)))


class Book:
    """Both sides; a crossed or an empty book is what the exchange said, and never an error."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = BookSide(1)
        self.asks = BookSide(-1)

    def replace(self, bids: Levels, asks: Levels) -> None:
        """Take a snapshot."""
        self.bids.replace(bids)
        self.asks.replace(asks)

    def apply(self, bids: Levels, asks: Levels) -> None:
        """Take one event's changes."""
        self.bids.apply(bids)
        self.asks.apply(asks)

    def depth(self, symbol: str, levels: int, *, sequence: int, exchange_ns: int, received_ns: int) -> Depth:
        """Return the tick that shows the best ``levels`` of each side as they are now."""
        seen = max(levels, PRESSURE_LEVELS)
        bids, asks = self.bids.top(seen), self.asks.top(seen)
        spread, pressure_ratio = (asks[0] - bids[0], _pressure_ratio(bids, asks)) if bids and asks else (nan, nan)
        if levels < seen:
            del bids[2 * levels :], asks[2 * levels :]
        return Depth(symbol, sequence, bids, asks, spread, pressure_ratio, exchange_ns, received_ns)


def synchronised(symbol: str, received_ns: int) -> Event:
    """Return the word that from here on the book is the exchange's: what depth was before it, nobody knows."""
    return Event(
        symbol=symbol,
        name=EventName.SYNCHRONISED,
        kind=Kind.DEPTH,
        from_id=NO_ID,
        to_id=NO_ID,
        since_ns=NO_TIME,
        cause="",
        received_ns=received_ns,
    )


def _pressure_ratio(bids: list[float], asks: list[float]) -> float:
    size = slice(1, 2 * PRESSURE_LEVELS, 2)
    return sum(bids[size]) / sum(asks[size])
