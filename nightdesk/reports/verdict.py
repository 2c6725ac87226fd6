"""Whether a day was good, in a word and the reasons for it. Pure.

A day's figures are one row of ``daily_verdicts``, so that the page of a day, the list of days and the week judge alike.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from nightdesk import durations
from nightdesk.reports import text

STATEMENT: Final = "daily_verdicts"
"""One row a day of ``[from_day, to_day)``."""

DAY_S: Final = 86_400.0
MOST_REASONS: Final = 5

DOWNTIME_S: Final = 900.0
"""A day with more is a bad one: it is the goal of a week."""

UNOBSERVED_S: Final = 900.0
LEAST_PERCENT: Final = 99.0
WHOLE_PERCENT: Final = 99.9
DISK_FULL: Final = 0.05
DISK_LOW: Final = 0.15
MEMORY_HIGH: Final = 0.9
MEMORY_LOW: Final = 0.1


class Level(StrEnum):
    """How a day was."""

    GOOD = "good"
    LOOK = "look"
    BAD = "bad"
    UNKNOWN = "unknown"


class Section(StrEnum):
    """Where a day's report tells more; the anchors of its page."""

    COMPLETENESS = "completeness"
    GAPS = "gaps"
    PRICES = "prices"
    RUNS = "runs"
    ALERTS = "alerts"
    ERRORS = "errors"
    HEADROOM = "headroom"


WORDS: Final[Mapping[Level, str]] = {
    Level.GOOD: "A good day",
    Level.LOOK: "Worth a look",
    Level.BAD: "A bad day",
    Level.UNKNOWN: "Nothing is known of this day",
}


class Figures(BaseModel):
    """What a verdict rests on; null is what nobody knows."""

    model_config = ConfigDict(frozen=True)

    day: date = Field(description="the UTC day")
    symbols: int = Field(description="symbols that were ever traded up to its end")
    symbols_seen: int = Field(description="symbols that traded that day")
    symbols_verified: int = Field(description="symbols whose day was compared with the exchange")
    complete_percent: float | None = Field(description="minutes that are complete, of those that could be checked")
    least_percent: float | None = Field(description="the same of the worst symbol")
    gaps_opened: int = Field(description="gaps opened that day")
    gaps_open: int = Field(description="of these, still to be filled")
    gaps_unfillable: int = Field(description="of these, those that cannot be filled")
    runs_succeeded: int = Field(description="runs that were for that day and succeeded")
    runs_failed: int = Field(description="runs that failed for good")
    runs_missed: int = Field(description="runs that did not take place")
    alerts_told: int = Field(description="alerts that began that day and were told")
    pages: int = Field(description="of these, critical ones")
    pages_unanswered: int = Field(description="of these, those nobody acknowledged")
    pages_firing: int = Field(description="critical alerts that still fired at the end of the day")
    errors: int = Field(description="kinds of errors in the logs")
    error_lines: int = Field(description="lines of errors")
    new_errors: int | None = Field(description="kinds never seen before; null where there are no earlier logs")
    told_s: float | None = Field(description="up to which second of the day it was gathered")
    alerts_until_s: float | None = Field(description="up to which second the alerter was asked")
    measured_until_s: float | None = Field(description="up to which second Prometheus was asked")
    unobserved_s: float | None = Field(description="seconds in which Prometheus did not run")
    downtime_s: float | None = Field(description="seconds in which any service was down, unless that was silenced")
    planned_downtime_s: float | None = Field(description="seconds in which only silenced services were down")
    restarts: float | None = Field(description="services that ended and were started again by what keeps them running")
    disk_free_ratio: float | None = Field(description="the least share of a disk that was free")
    memory_available_ratio: float | None = Field(
        description="the least share of the machine's memory that was available"
    )
    memory_used_ratio: float | None = Field(description="the largest share of its memory that a service used")

    @property
    def is_cut_short(self) -> bool:
        """Whether the day was not over when it was gathered last."""
        return self.told_s is not None and self.told_s < DAY_S

    @property
    def is_known(self) -> bool:
        """Whether anything is known of it at all."""
        told = (
            self.symbols_seen,
            self.gaps_opened,
            self.runs_succeeded,
            self.runs_failed,
            self.runs_missed,
            self.errors,
        )
        return any(told) or self.told_s is not None or bool(self.alerts_told)


class Reason(BaseModel):
    """Why a day was not good."""

    model_config = ConfigDict(frozen=True)

    level: Level = Field(description="look or bad")
    section: Section = Field(description="the section that tells more")
    text: str = Field(description="in one line")


class Verdict(BaseModel):
    """How a day was."""

    model_config = ConfigDict(frozen=True)

    level: Level = Field(description="good, look, bad, or unknown")
    words: str = Field(description="the same in words")
    reasons: list[Reason] = Field(description="the gravest first, at most five")
    more: int = Field(description="further reasons")
    so_far: bool = Field(description="whether the day was not over when it was gathered last")


def judge(figures: Figures) -> Verdict:
    """Return how a day was."""
    if not figures.is_known:
        return Verdict(level=Level.UNKNOWN, words=WORDS[Level.UNKNOWN], reasons=[], more=0, so_far=False)
    found = [reason for rule in RULES if (reason := rule(figures)) is not None]
    ordered = sorted(found, key=lambda one: one.level is not Level.BAD)
    level = ordered[0].level if ordered else Level.GOOD
    return Verdict(
        level=level,
        words=f"{WORDS[level]}{' so far' if figures.is_cut_short else ''}",
        reasons=ordered[:MOST_REASONS],
        more=max(0, len(ordered) - MOST_REASONS),
        so_far=figures.is_cut_short,
    )


def judged(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Figures, Verdict]]:
    """Return figures and verdict of each row."""
    figures = [Figures.model_validate(dict(row)) for row in rows]
    return [(one, judge(one)) for one in figures]


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def _trades(it: Figures) -> Reason | None:
    if not it.symbols or it.symbols_seen:
        return None
    return Reason(level=Level.BAD, section=Section.PRICES, text="No trade was stored at all")


def _downtime(it: Figures) -> Reason | None:
    if not it.downtime_s:
        return None
    level = Level.BAD if it.downtime_s >= DOWNTIME_S else Level.LOOK
    return Reason(
        level=level, section=Section.HEADROOM, text=f"Services were down for {durations.written(it.downtime_s)}"
    )


def _pages(it: Figures) -> Reason | None:
    if it.pages_firing:
        text_ = f"{counted(it.pages_firing, 'critical alert')} still fired at the end"
        return Reason(level=Level.BAD, section=Section.ALERTS, text=text_)
    if it.pages_unanswered:
        text_ = f"Nobody acknowledged {it.pages_unanswered} of {counted(it.pages, 'page')}"
        return Reason(level=Level.LOOK, section=Section.ALERTS, text=text_)
    if it.pages:
        return Reason(level=Level.LOOK, section=Section.ALERTS, text=f"{counted(it.pages, 'page')}, acknowledged")
    return None


def _completeness(it: Figures) -> Reason | None:
    if it.least_percent is None or it.least_percent >= WHOLE_PERCENT:
        return None
    level = Level.BAD if it.least_percent < LEAST_PERCENT else Level.LOOK
    return Reason(level=level, section=Section.COMPLETENESS, text=f"A symbol is {percent(it.least_percent)} complete")


def _gaps(it: Figures) -> Reason | None:
    told = [f"{counted(it.gaps_unfillable, 'gap')} cannot be filled"] if it.gaps_unfillable else []
    told += [f"{counted(it.gaps_open, 'gap is', 'gaps are')} open"] if it.gaps_open else []
    return Reason(level=Level.LOOK, section=Section.GAPS, text=", ".join(told)) if told else None


def _runs(it: Figures) -> Reason | None:
    told = [f"{counted(it.runs_failed, 'run')} failed"] if it.runs_failed else []
    told += [f"{counted(it.runs_missed, 'run')} missed"] if it.runs_missed else []
    return Reason(level=Level.LOOK, section=Section.RUNS, text=", ".join(told)) if told else None


def _errors(it: Figures) -> Reason | None:
    if not it.new_errors:
        return None
    text_ = f"{counted(it.new_errors, 'error')} never seen before"
    return Reason(level=Level.LOOK, section=Section.ERRORS, text=text_)


def _disk(it: Figures) -> Reason | None:
    if it.disk_free_ratio is None or it.disk_free_ratio >= DISK_LOW:
        return None
    level = Level.BAD if it.disk_free_ratio < DISK_FULL else Level.LOOK
    text_ = f"Only {text.share(it.disk_free_ratio)} of a disk was free"
    return Reason(level=level, section=Section.HEADROOM, text=text_)


def _memory(it: Figures) -> Reason | None:
    if it.memory_available_ratio is not None and it.memory_available_ratio < MEMORY_LOW:
        text_ = f"Only {text.share(it.memory_available_ratio)} of the machine's memory was available"
        return Reason(level=Level.LOOK, section=Section.HEADROOM, text=text_)
    if it.memory_used_ratio is not None and it.memory_used_ratio > MEMORY_HIGH:
        text_ = f"A service used {text.share(it.memory_used_ratio)} of its memory"
        return Reason(level=Level.LOOK, section=Section.HEADROOM, text=text_)
    return None


def _restarts(it: Figures) -> Reason | None:
    if not it.restarts:
        return None
    text_ = f"Services were started again {counted(round(it.restarts), 'time')}"
    return Reason(level=Level.LOOK, section=Section.HEADROOM, text=text_)


def _unobserved(it: Figures) -> Reason | None:
    if it.unobserved_s is None or it.unobserved_s < UNOBSERVED_S:
        return None
    text_ = f"Nobody watched for {durations.written(it.unobserved_s)}"
    return Reason(level=Level.LOOK, section=Section.HEADROOM, text=text_)


def _unknown(it: Figures) -> Reason | None:
    """What a day that was gathered should have, and has not."""
    lacking = ["alerts"] if it.alerts_until_s is None or it.alerts_until_s < (it.told_s or 0.0) else []
    lacking += ["disks, memory and restarts"] if it.measured_until_s is None else []
    if not lacking:
        return None
    section = Section.ALERTS if lacking[0] == "alerts" else Section.HEADROOM
    yet = " yet" if it.told_s is None else ""
    return Reason(level=Level.LOOK, section=section, text=f"Not known{yet}: {', '.join(lacking)}")


Rule: TypeAlias = Callable[[Figures], Reason | None]

RULES: Final[tuple[Rule, ...]] = (
    _trades, _downtime, _pages, _completeness, _gaps, _disk, _runs, _errors, _restarts, _memory, _unobserved, _unknown,
)  # fmt: skip
"""In the order in which reasons of one level are told."""


def percent(value: float) -> str:
    """Return a percentage that says 100 only of what is whole."""
    shown = f"{value:.2f}"
    return "99.99 %" if shown == "100.00" and value < 100 else f"{shown.rstrip('0').rstrip('.')} %"
