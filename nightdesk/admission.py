"""Which ids are new: one rule for live, late, reordered, re-sent and backfilled ticks.

Per symbol and kind there is a *mark*, the highest id seen, and the open gaps below it. An id above the mark is new, and
whatever it jumped over is a gap; an id inside an open gap is new and shrinks it; any other is a duplicate. The first id
ever seen sets the mark and opens no gap: what came before it was never promised.

The outcome does not depend on how the ids were cut into batches, only on their order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from nightdesk.ticks import NO_ID

Ids: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Interval: TypeAlias = tuple[int, int]
"""Lowest and highest id, both inclusive."""

_NONE: Final[Ids] = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGaps:
    """The intervals of ids that are missing: disjoint, rising, each with the number of the gap it belongs to."""

    gap: Ids = field(default_factory=lambda: _NONE)
    low: Ids = field(default_factory=lambda: _NONE)
    high: Ids = field(default_factory=lambda: _NONE)

    @classmethod
    def of(cls, intervals: Sequence[tuple[int, int, int]]) -> "OpenGaps":
        """Return the gaps of ``(gap, low, high)`` in any order."""
        ordered = np.array(sorted(intervals, key=lambda one: one[1]), dtype=np.int64).reshape(-1, 3)
        return cls(gap=ordered[:, 0], low=ordered[:, 1], high=ordered[:, 2])


NO_GAPS: Final = OpenGaps()


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What one batch of one symbol and kind does.

    ``admitted`` has one entry a row. ``opened`` are the intervals missing above the old mark; ``shrunken`` what is
    left of each gap that lost ids, nothing once it is filled.
    """

    admitted: Mask
    mark: int | None
    duplicates: int = 0
    opened: tuple[Interval, ...] = ()
    shrunken: Mapping[int, tuple[Interval, ...]] = field(default_factory=dict)


def admit(ids: Ids, mark: int | None, gaps: OpenGaps = NO_GAPS, announced: Sequence[Interval] = ()) -> Admission:
    """Return what is new among contiguous ids in the order of their arrival.

    Rows with ``NO_ID`` are always admitted. ``announced`` are intervals which the exchange says exist: they raise the
    mark and leave a gap where no id of the batch fills it; their low end counts only when nothing was seen before.
    """
    if mark is not None and not announced and _continues(ids, mark):
        return Admission(admitted=np.ones(len(ids), dtype=np.bool_), mark=mark + len(ids))
    numbered = ids > NO_ID
    start = _start(ids[numbered], announced) if mark is None else mark
    if start is None:
        return Admission(admitted=~numbered, mark=None)
    return _admit(ids, numbered, start, gaps, max((high for _, high in announced), default=start))


def admit_rising(sequence: Ids, mark: int | None) -> Admission:
    """Return what is new among sequence numbers that rise, not by one: whatever is above all before it."""
    if not len(sequence):
        return Admission(admitted=np.ones(0, dtype=np.bool_), mark=mark)
    numbered = sequence > NO_ID
    highest = np.maximum.accumulate(np.concatenate(([NO_ID if mark is None else mark], sequence)))
    admitted = ~numbered | (sequence > highest[:-1])
    top = int(highest[-1])
    return Admission(
        admitted=admitted, mark=top if top > NO_ID else None, duplicates=len(sequence) - int(admitted.sum())
    )


def _continues(ids: Ids, mark: int) -> bool:
    """Whether the ids simply go on by one: almost always, and then nothing else needs a look."""
    if not len(ids) or ids[0] != mark + 1 or ids[-1] != mark + len(ids):
        return False
    return bool((ids[1:] - ids[:-1] == 1).all())


def _start(ids: Ids, announced: Sequence[Interval]) -> int | None:
    """The mark just below the first thing ever seen."""
    if len(ids):
        return int(ids[0]) - 1
    return min((low - 1 for low, _ in announced if low > NO_ID), default=None)


def _admit(ids: Ids, numbered: Mask, mark: int, gaps: OpenGaps, announced_to: int) -> Admission:
    distinct, first = np.unique(ids, return_index=True)
    above = distinct[distinct > mark]
    top = max(int(above[-1]) if len(above) else mark, announced_to)
    below = distinct[(distinct <= mark) & (distinct > NO_ID)]
    late = below[_inside(below, gaps)]
    admitted = ~numbered
    admitted[first[np.isin(distinct, np.concatenate((late, above)), assume_unique=True)]] = True
    return Admission(
        admitted=admitted,
        mark=top,
        duplicates=len(ids) - int(admitted.sum()),
        opened=_holes(above, mark, top),
        shrunken=_shrunken(late, gaps) if len(late) else {},
    )


def _inside(ids: Ids, gaps: OpenGaps) -> Mask:
    if not len(gaps.low) or not len(ids):
        return np.zeros(len(ids), dtype=np.bool_)
    place = np.searchsorted(gaps.low, ids, side="right") - 1
    return np.asarray((place >= 0) & (ids <= gaps.high[place]))


def _holes(present: Ids, below: int, top: int) -> tuple[Interval, ...]:
    """The intervals of ``(below, top]`` that the rising ids in ``present`` leave out."""
    edges = np.concatenate(([below], present, [top + 1]))
    (jumps,) = np.nonzero(edges[1:] - edges[:-1] > 1)
    return tuple(zip((edges[jumps] + 1).tolist(), (edges[jumps + 1] - 1).tolist(), strict=True))


def _shrunken(late: Ids, gaps: OpenGaps) -> dict[int, tuple[Interval, ...]]:
    touched = np.unique(gaps.gap[np.searchsorted(gaps.low, late, side="right") - 1])
    left: dict[int, tuple[Interval, ...]] = {}
    for gap in touched.tolist():
        mine = gaps.gap == gap
        left[gap] = tuple(
            hole
            for low, high in zip(gaps.low[mine].tolist(), gaps.high[mine].tolist(), strict=True)
            for hole in _holes(late[(late >= low) & (late <= high)], low - 1, high)
        )
    return left
