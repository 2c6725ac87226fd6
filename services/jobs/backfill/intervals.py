"""Sets of ids as intervals: disjoint and rising, both ends inclusive. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from nightdesk.admission import Interval


def size(intervals: Iterable[Interval]) -> int:
    """Return how many ids there are."""
    return sum(high - low + 1 for low, high in intervals)


def without(intervals: Iterable[Interval], removed: Interval) -> list[Interval]:
    """Return what is left without the ids of one interval."""
    low, high = removed
    left: list[Interval] = []
    for begin, end in intervals:
        if end < low or begin > high:
            left.append((begin, end))
            continue
        left += [(begin, low - 1)] if begin < low else []
        left += [(high + 1, end)] if end > high else []
    return left


def within(intervals: Iterable[Interval], bounds: Interval) -> list[Interval]:
    """Return the part that lies in one interval."""
    low, high = bounds
    return [(max(low, begin), min(high, end)) for begin, end in intervals if end >= low and begin <= high]


def holds(intervals: Sequence[Interval], wanted: int) -> bool:
    """Return whether an id is in the set."""
    place = bisect_right(intervals, wanted, key=lambda one: one[0]) - 1
    return place >= 0 and wanted <= intervals[place][1]


def left_out(intervals: Iterable[Interval], ids: Iterable[int]) -> list[Interval]:
    """Return the ids of the set that are not among rising ``ids``."""
    rest = list(intervals)
    result: list[Interval] = []
    present = iter(ids)
    one = next(present, None)
    for begin, end in rest:
        at = begin
        while one is not None and one <= end:
            if one > at:
                result.append((at, one - 1))
            at = max(at, one + 1)
            one = next(present, None)
        if at <= end:
            result.append((at, end))
    return result


def joined(intervals: Iterable[Interval]) -> list[Interval]:
    """Return a set of intervals in any order, which may touch or overlap."""
    found: list[Interval] = []
    for low, high in sorted(intervals):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found
