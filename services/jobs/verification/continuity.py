"""Are the ids of a day contiguous, and which minutes may lack what is not? Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nightdesk.admission import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class MinuteIds:
    """The ids stored in one minute: how many, the lowest, the highest and their sum."""

    minute: int
    count: int
    low: int
    high: int
    total: int

    @property
    def is_contiguous(self) -> bool:
        """Whether they are all between the lowest and the highest, once each."""
        return self.high - self.low + 1 == self.count and 2 * self.total == (self.low + self.high) * self.count


def are_contiguous(minutes: Sequence[MinuteIds]) -> bool:
    """Whether ids go on by one within all minutes and from each to the next."""
    inside = all(one.is_contiguous for one in minutes)
    return inside and all(later.low == one.high + 1 for one, later in pairwise(minutes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The highest id stored before a day and the lowest after it, where there are any."""

    before: int | None
    after: int | None


def edges(minutes: Sequence[MinuteIds], around: Neighbours) -> list[Interval]:
    """Return what is missing between a day's ids and their neighbours; of a day without ids, between the neighbours."""
    lowest = min((one.low for one in minutes), default=None)
    highest = max((one.high for one in minutes), default=around.before)
    return [*_hole(around.before, lowest), *_hole(highest, around.after)]


def near(intervals: Iterable[Interval], around: Neighbours) -> list[Interval]:
    """Return the intervals that may lie in the day, or reach into it."""
    return [
        (low, high)
        for low, high in intervals
        if (around.before is None or high > around.before) and (around.after is None or low < around.after)
    ]


def begun(intervals: Iterable[Interval], minutes: Sequence[MinuteIds]) -> list[Interval]:
    """Return the intervals that begin in the day, so that each is counted in one: those above an id stored in it."""
    lowest = min((one.low for one in minutes), default=None)
    return [] if lowest is None else [one for one in intervals if one[0] > lowest]


def touched(intervals: Iterable[Interval], minutes: Sequence[MinuteIds], first: int, last: int) -> set[int]:
    """Return the minutes from ``first`` to ``last`` that may lack these ids: those between their stored neighbours."""
    highs, lows = [one.high for one in minutes], [one.low for one in minutes]
    found: set[int] = set()
    for low, high in intervals:
        before = bisect_left(highs, low) - 1
        after = bisect_left(lows, high + 1)
        begin = minutes[before].minute if before >= 0 else first
        end = minutes[after].minute if after < len(minutes) else last
        found.update(range(max(first, begin), min(last, end) + 1))
    return found


def _hole(below: int | None, above: int | None) -> list[Interval]:
    return [(below + 1, above - 1)] if below is not None and above is not None and above > below + 1 else []
