"""Trades as runs of columns, and the bounded past that REST answers from."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

COLUMNS: Final = (("price", "i4"), ("size", "i4"), ("maker", "?"), ("time_ms", "i8"), ("agg_id", "i8"))


class Print(NamedTuple):
    """One trade: price in ticks, size in lots, ``maker`` true when the buyer was the maker (so the taker sold)."""

    trade_id: int
    price: int
    size: int
    maker: bool
    time_ms: int
    agg_id: int


class Aggregate(NamedTuple):
    """The trades of one taker order at one price."""

    agg_id: int
    first_id: int
    last_id: int
    price: int
    size: int
    maker: bool
    time_ms: int


@dataclass(slots=True)
class Prints:
    """A run of trades of one symbol, one list a column; ids are contiguous from ``first_id``."""

    first_id: int
    price: list[int] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    maker: list[bool] = field(default_factory=list)
    time_ms: list[int] = field(default_factory=list)
    agg_id: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.price)

    def __iter__(self) -> Iterator[Print]:
        ids = range(self.first_id, self.first_id + len(self))
        return map(Print, ids, self.price, self.size, self.maker, self.time_ms, self.agg_id)

    @property
    def last_id(self) -> int:
        """The id of the last trade; one below ``first_id`` when there is none."""
        return self.first_id + len(self) - 1


def aggregates(prints: Prints) -> Iterator[Aggregate]:
    """Yield the aggregate trades of a run that begins and ends between two of them."""
    one: Aggregate | None = None
    for trade in prints:
        if one is not None and one.agg_id == trade.agg_id:
            one = one._replace(last_id=trade.trade_id, size=one.size + trade.size)
            continue
        if one is not None:
            yield one
        one = Aggregate(
            trade.agg_id, trade.trade_id, trade.trade_id, trade.price, trade.size, trade.maker, trade.time_ms
        )
    if one is not None:
        yield one


class History:
    """The last ``capacity`` trades of one symbol, 25 bytes each; memory is touched only as it fills."""

    def __init__(self, *, first_id: int, capacity: int) -> None:
        self._capacity = capacity
        self._columns = {name: np.zeros(capacity, dtype) for name, dtype in COLUMNS}
        self.begin_id = first_id
        """The id of the first trade ever."""
        self.next_id = first_id
        """The id the next trade will have."""

    @property
    def first_id(self) -> int:
        """The oldest id still kept."""
        return max(self.begin_id, self.next_id - self._capacity)

    def __len__(self) -> int:
        return self.next_id - self.first_id

    def add(self, prints: Prints) -> None:
        """Append a run. Raises ValueError unless it continues the history."""
        if prints.first_id != self.next_id:
            raise ValueError(f"trade {prints.first_id} does not follow {self.next_id - 1}")
        count = len(prints)
        at = np.arange(max(0, count - self._capacity), count)
        places = (prints.first_id + at) % self._capacity
        for name, column in self._columns.items():
            column[places] = np.asarray(getattr(prints, name)[at[0] :] if count else [], column.dtype)
        self.next_id += count

    def slice(self, from_id: int, limit: int) -> Prints:
        """Return at most ``limit`` trades from ``from_id`` on, as far as they are kept."""
        begin = max(from_id, self.first_id)
        end = max(begin, min(begin + limit, self.next_id))
        places = np.arange(begin, end) % self._capacity
        return Prints(begin, *(self._columns[name][places].tolist() for name, _ in COLUMNS))

    def id_at_time(self, time_ms: int) -> int:
        """Return the id of the first kept trade at or after a time; ``next_id`` when there is none."""
        return self._search("time_ms", time_ms)

    def id_of_aggregate(self, agg_id: int) -> int:
        """Return the id of the first kept trade of an aggregate, or of the first after it."""
        return self._search("agg_id", agg_id)

    def _search(self, name: str, wanted: int) -> int:
        column = self._columns[name]
        low, high = self.first_id, self.next_id
        while low < high:
            middle = (low + high) // 2
            if column[middle % self._capacity] < wanted:
                low = middle + 1
            else:
                high = middle
        return low
