"""What was different in a day's logs: the errors that the seven days before gave least reason to expect first. Pure.

How surprising so many lines of one error are, the Poisson distribution says: the score is -log10 P(X >= lines), where X
is Poisson with the mean (n + 1/2) / D, for n lines on the D days before that have any log. The half line is Jeffreys'
prior for the rate of a Poisson process, and keeps what was never seen from being infinitely surprising. A score of 3 is
what chance brings on one day in a thousand.

https://dlmf.nist.gov/8.4#E10 (the tail, an incomplete gamma function); Gelman et al., Bayesian Data Analysis, 2.6, 2.8
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from math import lgamma, log
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

STATEMENTS: Final = (
    "logs_days",
    "logs_errors",
    "logs_errors_before",
    "logs_errors_ever",
    "logs_counts",
    "logs_meanings",
    "logs_unparsed",
)
"""What ``build`` reads; each takes the parameter ``day``."""

WINDOW_DAYS: Final = 7
"""So far back a day is compared."""

RISING_TIMES: Final = 3.0
RISING_LINES: Final = 5
RISING_SCORE: Final = 3.0
"""An error is rising with so many times its mean a day, so many lines and such a score, all three."""

USUAL_DAYS: Final = 3
"""What came on so many of the days before, and on more than half of them, was usual: its absence is told."""

LEVELS: Final = ("critical", "error", "warning", "info", "debug", "unknown")
"""Of a line, the gravest first."""

Rows: TypeAlias = Mapping[str, Sequence[Mapping[str, Any]]]


class Novelty(StrEnum):
    """How an error compares with the days before."""

    NEW = "new"
    BACK = "back"
    RISING = "rising"
    USUAL = "usual"
    GONE = "gone"


class LogError(BaseModel):
    """Errors of one day that are alike."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str = Field(description="what names this error on every day")
    novelty: Novelty = Field(
        description="new: never seen before; back: not in the seven days before, but earlier; rising: far more than "
        "usual; usual; gone: usual, but not seen that day"
    )
    service: str = Field(description="service that logged it")
    level: str = Field(description="error or critical")
    event: str = Field(description="its constant name; empty for a text log")
    template: str = Field(description="the text that its lines share, with what varies in angle brackets")
    sample: str = Field(
        description="the day's first line, or the newest one before of what is gone; without credentials"
    )
    lines: int = Field(ge=0, description="lines that day")
    usual_lines: float = Field(ge=0, description="mean lines a day on the days before that have any log")
    score: float = Field(ge=0, description="surprise: -log10 of the probability of so many lines, by Poisson")
    first_at: datetime | None = Field(description="its first line that day")
    last_at: datetime | None = Field(description="its last line that day")
    first_day: date = Field(description="the first UTC day on which it was ever seen")


class ServiceLines(BaseModel):
    """What one service logged."""

    model_config = ConfigDict(frozen=True)

    service: str = Field(description="service")
    lines: int = Field(ge=0, description="lines of every level")
    levels: dict[str, int] = Field(description="lines by level; a level without any is left out")
    fetches_succeeded: int = Field(ge=0, description="lines that tell of a fetch that succeeded")
    fetches_failed: int = Field(ge=0, description="lines that tell of a fetch that failed")
    reconnects: int = Field(ge=0, description="lines that tell of a connection made anew")
    restarts: int = Field(ge=0, description="lines that tell that the service started")

    @property
    def fetches(self) -> int:
        """Return how many fetches are told of."""
        return self.fetches_succeeded + self.fetches_failed

    @property
    def failed_share(self) -> float | None:
        """Return the part of its fetches that failed, from 0 to 1; nothing where there is none."""
        return self.fetches_failed / self.fetches if self.fetches else None


class Sample(BaseModel):
    """One line that could not be understood."""

    model_config = ConfigDict(frozen=True)

    path: str = Field(description="file it stands in, when it was read")
    offset: int = Field(ge=0, description="where in the file it begins, uncompressed bytes")
    line: str = Field(description="its beginning, without credentials and control characters")


class Unparsed(BaseModel):
    """Lines that could not be understood, by why."""

    model_config = ConfigDict(frozen=True)

    source: str = Field(description="source of config/logs.yaml")
    reason: str = Field(description="why")
    lines: int = Field(ge=0, description="how many that day")
    samples: list[Sample] = Field(description="the first few")


class LogDay(BaseModel):
    """A UTC day's logs, and what was different in them."""

    model_config = ConfigDict(frozen=True)

    day: date = Field(description="UTC day")
    has_logs: bool = Field(description="whether any line of that day was loaded")
    compared_days: int = Field(ge=0, le=WINDOW_DAYS, description="of the seven days before, those that have any log")
    lines: int = Field(ge=0, description="lines that were understood")
    unparsed_lines: int = Field(ge=0, description="lines that were not")
    errors: list[LogError] = Field(description="errors alike, the most novel first")
    services: list[ServiceLines] = Field(description="what each service logged, by name")
    unparsed: list[Unparsed] = Field(description="what was not understood")

    def of(self, novelty: Novelty) -> list[LogError]:
        """Return the errors of this kind, in their order."""
        return [one for one in self.errors if one.novelty is novelty]

    @property
    def error_lines(self) -> int:
        """Return how many lines tell of an error."""
        return sum(one.lines for one in self.errors)

    @property
    def fetches_succeeded(self) -> int:
        """Return how many fetches succeeded."""
        return sum(one.fetches_succeeded for one in self.services)

    @property
    def fetches_failed(self) -> int:
        """Return how many fetches failed."""
        return sum(one.fetches_failed for one in self.services)


def build(day: date, rows: Rows) -> LogDay:
    """Return the day's logs of what ``STATEMENTS`` found."""
    observed = {row["day"] for row in rows["logs_days"]}
    compared = len(observed - {day})
    services = _services(rows["logs_counts"], rows["logs_meanings"])
    unparsed = [Unparsed.model_validate(dict(row)) for row in rows["logs_unparsed"]]
    return LogDay(
        day=day,
        has_logs=day in observed or bool(unparsed),
        compared_days=compared,
        lines=sum(one.lines for one in services),
        unparsed_lines=sum(one.lines for one in unparsed),
        errors=ranked(_errors(rows, compared)),
        services=services,
        unparsed=unparsed,
    )


def ranked(errors: Iterable[LogError]) -> list[LogError]:
    """Return the errors, the most novel first; of equal kind the graver, then the more surprising."""
    kinds = list(Novelty)
    return sorted(
        errors,
        key=lambda one: (kinds.index(one.novelty), one.level != "critical", -one.score, -one.lines, one.fingerprint),
    )


def judged(*, lines: int, before: int, days: int, ever: bool) -> Novelty:
    """Return how an error with lines that day compares with ``before`` lines on ``days`` days with logs.

    ``ever`` is whether it was seen before at all, in those days or earlier.
    """
    if not before:
        return Novelty.BACK if ever else Novelty.NEW
    many = lines >= RISING_LINES and lines >= RISING_TIMES * before / days
    return Novelty.RISING if many and surprise(lines, before, days) >= RISING_SCORE else Novelty.USUAL


def surprise(lines: int, before: int, days: int) -> float:
    """Return -log10 of the probability of so many lines or more; 0 for no more than expected, or nothing to compare."""
    if not days:
        return 0.0
    mean = (before + 0.5) / days
    if lines <= mean:
        return 0.0
    first = lines * log(mean) - mean - lgamma(lines + 1)
    return round(-(first + log(_series(mean, lines))) / log(10), 2)


def _series(mean: float, lines: int) -> float:
    """The tail over its first term: 1 + m/(k+1) + m^2/((k+1)(k+2)) + ..., which converges for m < k."""
    total = term = 1.0
    step = lines
    while term > total * 1e-12:
        step += 1
        term *= mean / step
        total += term
    return total


def was_usual(days_seen: int, days: int) -> bool:
    """Return whether what came on so many of the days before is missed when it does not."""
    return days_seen >= USUAL_DAYS and days_seen * 2 > days


def absence(before: int, days: int) -> float:
    """Return -log10 of the probability of no line at all."""
    return round(before / days / log(10), 2) if days else 0.0


def _errors(rows: Rows, days: int) -> Iterable[LogError]:
    earlier = {row["fingerprint"]: row for row in rows["logs_errors_before"]}
    first_days = {row["fingerprint"]: row["first_day"] for row in rows["logs_errors_ever"]}
    for row in rows["logs_errors"]:
        before = earlier.pop(row["fingerprint"], None)
        yield _present(row, before["lines"] if before else 0, days, first_days.get(row["fingerprint"]))
    for row in earlier.values():
        if was_usual(row["days"], days):
            yield _absent(row, days)


def _present(row: Mapping[str, Any], before: int, days: int, first_day: date | None) -> LogError:
    return LogError(
        **{name: row[name] for name in ("fingerprint", "service", "level", "event", "template", "sample", "lines")},
        novelty=judged(lines=row["lines"], before=before, days=days, ever=first_day is not None),
        usual_lines=_mean(before, days),
        score=surprise(row["lines"], before, days),
        first_at=row["first_at"],
        last_at=row["last_at"],
        first_day=first_day or row["day"],
    )


def _absent(row: Mapping[str, Any], days: int) -> LogError:
    return LogError(
        **{name: row[name] for name in ("fingerprint", "service", "level", "event", "template", "sample")},
        novelty=Novelty.GONE,
        lines=0,
        usual_lines=_mean(row["lines"], days),
        score=absence(row["lines"], days),
        first_at=None,
        last_at=None,
        first_day=row["first_day"],
    )


def _mean(lines: int, days: int) -> float:
    return round(lines / days, 2) if days else 0.0


def _gravity(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)


def _services(counts: Iterable[Mapping[str, Any]], meanings: Iterable[Mapping[str, Any]]) -> list[ServiceLines]:
    levels: dict[str, Counter[str]] = defaultdict(Counter)
    for row in counts:
        levels[row["service"]][row["level"]] += row["lines"]
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for row in meanings:
        told[row["service"]][row["meaning"]] += row["lines"]
    return [
        ServiceLines(
            service=service,
            lines=levels[service].total(),
            levels=dict(sorted(levels[service].items(), key=lambda item: _gravity(item[0]))),
            fetches_succeeded=told[service]["fetch_succeeded"],
            fetches_failed=told[service]["fetch_failed"],
            reconnects=told[service]["reconnect"],
            restarts=told[service]["restart"],
        )
        for service in sorted(levels)
    ]
