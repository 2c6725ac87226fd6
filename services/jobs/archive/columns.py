"""Rows as columns, value for value as PostgreSQL holds them. Pure.

Numbers, times in PostgreSQL's own microseconds, and lists of doubles; a null's place holds zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from nightdesk.errors import NightdeskError
from nightdesk.store.tables import NAMES
from nightdesk.ticks import Kind

Array: TypeAlias = npt.NDArray[Any]
Mask: TypeAlias = npt.NDArray[np.bool_]

LISTS: Final = frozenset({"bids", "asks"})
TIMES: Final = frozenset({"time", "exchange_time", "received_at"})
IDS: Final = frozenset({"trade_id", "agg_id", "first_id", "last_id", "sequence"})

NULLABLE: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.TRADE: ("trade_id", "exchange_time"),
    Kind.AGG_TRADE: ("agg_id", "first_id", "last_id", "exchange_time"),
    Kind.QUOTE: ("sequence", "bid_price", "bid_size", "ask_price", "ask_size", "exchange_time"),
    Kind.DEPTH: ("sequence", "spread", "pressure_ratio", "exchange_time"),
}
"""In the order of their bits in ``nulls`` of ``sql/archive_<table>.sql``."""

_ARRAY_HEAD_WORDS: Final = 5
_ELEMENT_WORDS: Final = 3
"""Of four bytes, as ``array_send`` writes them: dimensions, flags, type, length, lower bound; length, value."""


class StrangeRowsError(NightdeskError):
    """PostgreSQL sent what no table of ticks holds."""


@dataclass(frozen=True, slots=True)
class Values:
    """One number a row; zero where ``null`` says that there is none."""

    numbers: Array
    null: Mask | None = None


@dataclass(frozen=True, slots=True)
class Lists:
    """One list of doubles a row, one after the other, and their lengths."""

    numbers: Array
    counts: Array


Rows: TypeAlias = dict[str, Values | Lists]
"""Columns by name, in the table's order."""


def form(name: str) -> str:
    """Return how PostgreSQL sends a column's number, as numpy says it."""
    if name == "symbol_id":
        return ">i4"
    if name == "side":
        return ">i2"
    return ">i8" if name in TIMES or name in IDS else ">f8"


def length(rows: Rows) -> int:
    """Return how many rows there are."""
    return len(rows["symbol_id"].numbers)


def size_bytes(rows: Rows) -> int:
    """Return what the values alone take."""
    return sum(
        column.numbers.nbytes + (4 * len(column.counts) if isinstance(column, Lists) else 0) for column in rows.values()
    )


def received(kind: Kind, count: int, sent: Mapping[str, bytes | None]) -> Rows:
    """Return the rows that ``sql/archive_<table>.sql`` sent; raises StrangeRowsError."""
    nulls = _numbers(sent["nulls"], ">i2")
    rows: Rows = {}
    for name in NAMES[kind]:
        if name in LISTS:
            rows[name] = _lists(sent[name] or b"", _numbers(sent[f"{name}_counts"], ">i4"))
        else:
            rows[name] = _values(kind, name, _numbers(sent[name], form(name)), nulls)
    if any(len(column.counts if isinstance(column, Lists) else column.numbers) != count for column in rows.values()):
        raise StrangeRowsError(f"columns of {kind.label} rows differ in length")
    return rows


def select(rows: Rows, chosen: Array) -> Rows:
    """Return the chosen rows, by place."""
    return {name: _chosen(column, chosen) for name, column in rows.items()}


def _numbers(sent: bytes | None, form: str) -> Array:
    numbers = np.frombuffer(sent or b"", dtype=form)
    return numbers.astype(numbers.dtype.newbyteorder("="))


def _values(kind: Kind, name: str, numbers: Array, nulls: Array) -> Values:
    if name not in NULLABLE[kind]:
        return Values(numbers)
    null = (nulls >> NULLABLE[kind].index(name) & 1).astype(np.bool_)
    if not null.any():
        return Values(numbers)
    if len(numbers) != len(null) - int(null.sum()):
        raise StrangeRowsError(f"{name} of {kind.label} rows has not the length that its nulls leave")
    spread = np.zeros(len(null), dtype=numbers.dtype)
    spread[~null] = numbers
    return Values(spread, null)


def _lists(sent: bytes, counts: Array) -> Lists:
    """Take arrays apart: https://www.postgresql.org/docs/current/xfunc-c.html, ``array_send`` in ``arrayfuncs.c``."""
    words = np.frombuffer(sent, dtype=">u4")
    counts = counts.astype(np.int64)
    sizes = np.where(counts > 0, _ARRAY_HEAD_WORDS + _ELEMENT_WORDS * counts, _ARRAY_HEAD_WORDS - 2)
    starts = np.cumsum(sizes) - sizes
    if len(words) != sizes.sum() or (words[starts] != (counts > 0)).any() or words[starts + 1].any():
        raise StrangeRowsError("a list has more than one dimension or holds nulls")
    before = np.cumsum(counts) - counts
    places = np.repeat(starts + _ARRAY_HEAD_WORDS - _ELEMENT_WORDS * before, counts)
    places += _ELEMENT_WORDS * np.arange(len(places))
    bits = words[places + 1].astype(np.uint64) << np.uint64(32) | words[places + 2]
    return Lists(bits.view(np.float64), counts)


def _chosen(column: Values | Lists, chosen: Array) -> Values | Lists:
    if isinstance(column, Values):
        return Values(column.numbers[chosen], None if column.null is None else column.null[chosen])
    counts = column.counts[chosen]
    starts = (np.cumsum(column.counts) - column.counts)[chosen]
    places = np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(int(counts.sum()))
    return Lists(column.numbers[places], counts)
