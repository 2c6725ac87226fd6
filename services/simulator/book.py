"""A true order book: every change has a number, every diff and snapshot is taken from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Level: TypeAlias = tuple[int, int]
"""Price in ticks and size in lots; a size of 0 says that the level is gone."""


class Ladder:
    """One side of a book, ``sign`` +1 where a higher price is better (bids) and -1 where a lower one is (asks).

    It is never emptied: whoever takes the last level is refused.
    """

    __slots__ = ("_best_of", "_sign", "best", "changed", "changes", "levels")

    def __init__(self, sign: int, levels: dict[int, int]) -> None:
        self._sign = sign
        self._best_of: Callable[[dict[int, int]], int] = max if sign > 0 else min
        self.levels = dict(levels)
        self.best = self._best_of(self.levels)
        self.changes = 0
        self.changed: set[int] = set()

    def put(self, price: int, size: int) -> None:
        """Set a level to a size; 0 removes it. Raises ValueError rather than leave the side empty."""
        if size:
            self.levels[price] = size
            if (price - self.best) * self._sign > 0:
                self.best = price
        else:
            self._remove(price)
        self.changes += 1
        self.changed.add(price)

    def take(self, size: int) -> Level:
        """Trade up to ``size`` lots at the best level; return its price and what was filled."""
        price = self.best
        left = self.levels[price] - size
        if left > 0:
            self.levels[price] = left
            self.changes += 1
            self.changed.add(price)
            return price, size
        self.put(price, 0)
        return price, size + left

    def _remove(self, price: int) -> None:
        if self.levels.keys() == {price}:
            raise ValueError(f"level {price} is the last of its side")
        self.levels.pop(price, None)
        if price == self.best:
            self.best = self._best_of(self.levels)


@dataclass(frozen=True, slots=True)
class Diff:
    """What changed between two moments: levels with their present sizes, and the numbers of the changes."""

    first_id: int
    last_id: int
    bids: list[Level]
    asks: list[Level]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The best levels of both sides, best first, as of change ``last_id``."""

    last_id: int
    bids: list[Level]
    asks: list[Level]


class Book:
    """Bids and asks under one count of changes."""

    __slots__ = ("_first_id", "asks", "bids")

    def __init__(self, *, bids: dict[int, int], asks: dict[int, int], first_id: int = 0) -> None:
        self.bids = Ladder(+1, bids)
        self.asks = Ladder(-1, asks)
        self._first_id = first_id

    @property
    def last_id(self) -> int:
        """The number of the latest change."""
        return self._first_id + self.bids.changes + self.asks.changes

    def snapshot(self, levels: int) -> Snapshot:
        """Return the best ``levels`` of each side."""
        bids = sorted(self.bids.levels.items(), reverse=True)[:levels]
        return Snapshot(self.last_id, bids, sorted(self.asks.levels.items())[:levels])


class Window:
    """What changed since the last look, for streams that look every 100 or 1000 milliseconds."""

    __slots__ = ("_asks", "_bids", "_book", "_seen_id")

    def __init__(self, book: Book) -> None:
        self._book = book
        self._seen_id = book.last_id
        self._bids: set[int] = set()
        self._asks: set[int] = set()

    def note(self, bids: set[int], asks: set[int]) -> None:
        """Remember prices that changed."""
        self._bids |= bids
        self._asks |= asks

    def take(self) -> Diff | None:
        """Return what changed since the last call, or None; the next one continues where it ends."""
        last_id = self._book.last_id
        if last_id == self._seen_id:
            return None
        bids, asks = self._book.bids.levels, self._book.asks.levels
        diff = Diff(
            self._seen_id + 1,
            last_id,
            [(price, bids.get(price, 0)) for price in sorted(self._bids, reverse=True)],
            [(price, asks.get(price, 0)) for price in sorted(self._asks)],
        )
        self._seen_id = last_id
        self._bids.clear()
        self._asks.clear()
        return diff
