"""Sets of whole numbers as rising, disjoint intervals; both ends belong to an interval."""

from collections.abc import Iterable
from typing import TypeAlias

Interval: TypeAlias = tuple[int, int]
Ids: TypeAlias = tuple[Interval, ...]

NONE: Ids = ()


def ids_of(intervals: Iterable[Interval]) -> Ids:
    """Return the set of everything in these intervals, which may overlap, touch, be empty or come in any order."""
    merged: list[Interval] = []
    for low, high in sorted(one for one in intervals if one[0] <= one[1]):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def number_of(ids: Ids) -> int:
    """Return how many numbers are in the set."""
    return sum(high - low + 1 for low, high in ids)


def common(one: Ids, other: Ids) -> Ids:
    """Return what is in both sets."""
    return ids_of((max(a, c), min(b, d)) for a, b in one for c, d in other)


def without(ids: Ids, others: Ids) -> Ids:
    """Return what is in the first set and not in the second."""
    left: list[Interval] = []
    for low, high in ids:
        start = low
        for first, last in others:
            if last >= start and first <= high:
                left.append((start, first - 1))
                start = last + 1
        left.append((start, high))
    return ids_of(left)


def above(ids: Ids, floor: int) -> Ids:
    """Return what is in the set and greater than ``floor``."""
    return ids_of((max(low, floor + 1), high) for low, high in ids)


def readable(ids: Ids, shown: int = 4) -> str:
    """Return the set in words: ``17, 20-24 and 3 more runs, 812 ids``."""
    runs = [str(low) if low == high else f"{low}-{high}" for low, high in ids[:shown]]
    rest = f" and {len(ids) - shown} more runs" if len(ids) > shown else ""
    number = number_of(ids)
    return f"{', '.join(runs)}{rest} ({number} id{'' if number == 1 else 's'})"
