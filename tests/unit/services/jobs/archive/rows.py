"""Rows of every kind, whatever bits are in them."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from nightdesk.store.tables import NAMES
from nightdesk.ticks import Kind
from services.jobs.archive.columns import LISTS, NULLABLE, Lists, Rows, Values, form

KINDS = (Kind.TRADE, Kind.AGG_TRADE, Kind.QUOTE, Kind.DEPTH)


SPECIAL = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, 1.0])


def _numbers(random: np.random.Generator, name: str, count: int) -> np.ndarray:
    """Any bits; symbols are few, and among doubles the peculiar ones come often."""
    dtype = np.dtype(form(name)).newbyteorder("=")
    if name == "symbol_id":
        return random.integers(1, 5, count).astype(dtype)
    numbers = np.frombuffer(random.bytes(count * dtype.itemsize), dtype).copy()
    if dtype == np.float64:
        numbers = np.where(random.random(count) < 0.3, random.choice(SPECIAL, count), numbers)
    return numbers


def random_rows(kind: Kind, count: int, random: np.random.Generator) -> Rows:
    found: Rows = {}
    for name in NAMES[kind]:
        if name in LISTS:
            counts = random.integers(0, 4, count)
            found[name] = Lists(_numbers(random, name, int(counts.sum())), counts)
            continue
        numbers = _numbers(random, name, count)
        null = random.random(count) < random.choice([0.0, 0.5])
        if name in NULLABLE[kind] and null.any():
            found[name] = Values(np.where(null, 0, numbers).astype(numbers.dtype), null)
        else:
            found[name] = Values(numbers)
    return found


@st.composite
def rows(draw: Any, kind: Kind, *, least: int = 1, most: int = 6) -> Rows:
    return random_rows(kind, draw(st.integers(least, most)), np.random.default_rng(draw(st.integers(0, 2**32))))


def any_rows(**sizes: int) -> st.SearchStrategy[tuple[Kind, Rows]]:
    return st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), rows(kind, **sizes)))


def listed(one: Rows) -> list[tuple[Any, ...]]:
    """Rows as tuples of bytes, so that every bit counts."""
    return list(zip(*(_listed(column) for column in one.values()), strict=True))


def _listed(column: Values | Lists) -> list[Any]:
    if isinstance(column, Lists):
        ends = np.cumsum(column.counts)
        return [column.numbers[end - count : end].tobytes() for end, count in zip(ends, column.counts, strict=True)]
    null = np.zeros(len(column.numbers), np.bool_) if column.null is None else column.null
    return [None if no else value.tobytes() for value, no in zip(column.numbers, null, strict=True)]
