"""What is found of each minute, and of a day of them. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from nightdesk.exchanges.history import Candle
from services.jobs.verification.comparing import Steps, StoredBar, differences

MOST_DETAIL: Final = 50
"""Minutes of a day that are told of one by one."""


class Finding(StrEnum):
    """What one minute is."""

    COMPLETE = "complete"
    MISSING = "missing"
    """Ids that the ledger knows of are missing."""
    DIFFERENT = "different"
    """The bar is not the exchange's, and nothing explains it."""
    UNCHECKED = "unchecked"
    """The exchange tells nothing of it (any more), and no id is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What is known of a symbol's day: everything by minute, Unix time in minutes.

    ``candles`` are the exchange's; ``known_from`` is the first minute it still tells of.
    """

    bars: Mapping[int, StoredBar]
    candles: Mapping[int, Candle]
    known_from: int | None
    touched: frozenset[int]
    steps: Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One minute that is not complete, and why."""

    minute: int
    finding: Finding
    why: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """A symbol's day in numbers; ``percent`` is of the minutes that could be checked."""

    minutes: int
    complete: int
    differing: int
    unchecked: int
    missing_ids: int
    detail: tuple[Mapping[str, Any], ...]

    @property
    def percent(self) -> float:
        """What is complete of what could be checked, in per cent: 0 if nothing could, 100 if there was nothing."""
        checked = self.minutes - self.unchecked
        if not checked:
            return 0.0 if self.minutes else 100.0
        return 100.0 * self.complete / checked


def judge(minute: int, day: Day) -> Judgement:
    """Return what a minute is."""
    bar, candle = day.bars.get(minute), day.candles.get(minute)
    theirs = None if candle is None or candle.is_empty else candle
    is_told = candle is not None or (day.known_from is not None and minute >= day.known_from)
    excuse = Finding.MISSING if minute in day.touched else Finding.DIFFERENT
    if theirs is None and bar is None:
        untold = Finding.MISSING if minute in day.touched else Finding.UNCHECKED
        return Judgement(minute=minute, finding=Finding.COMPLETE if is_told else untold, why={})
    if theirs is None:
        finding = excuse if is_told or minute in day.touched else Finding.UNCHECKED
        return Judgement(minute=minute, finding=finding, why={"exchange": "no candle"})
    if bar is None:
        return Judgement(minute=minute, finding=excuse, why={"bar": "none stored"})
    wrong = differences(bar, theirs, day.steps)
    return Judgement(minute=minute, finding=excuse if wrong else Finding.COMPLETE, why=wrong)


def summary(minutes: Iterable[int], day: Day, missing_ids: int) -> Completeness:
    """Return a day in numbers; minutes that do not count are not among ``minutes``."""
    judged = [judge(minute, day) for minute in minutes]
    counts = Counter(one.finding for one in judged)
    detail = [one for one in judged if one.finding in {Finding.MISSING, Finding.DIFFERENT}]
    return Completeness(
        minutes=len(judged),
        complete=counts[Finding.COMPLETE],
        differing=counts[Finding.DIFFERENT],
        unchecked=counts[Finding.UNCHECKED],
        missing_ids=missing_ids,
        detail=tuple(_told(one) for one in detail[:MOST_DETAIL]),
    )


def _told(one: Judgement) -> dict[str, Any]:
    at = datetime.fromtimestamp(one.minute * 60, UTC).strftime("%H:%M")
    return {"minute": at, "finding": one.finding.value, **one.why}
