"""Was every incident told, was nothing told that was none, was it quiet enough, was it quick enough? Pure."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from tests.night.reading import Told, first

SOFT_A_DAY: Final = 10
MEDIAN_S: Final = 30.0
LEAST_INCIDENTS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One incident: when it struck, from when on its condition held, until when it may be told of. Unix seconds.

    ``words`` are what a person has to read, ``also`` what may rightly be paged because of it besides. It has to be told
    within ``limit_s`` of its condition, and after ``acknowledged_s`` nobody is called about it a second time.
    """

    name: str
    expected: str
    words: re.Pattern[str]
    also: tuple[re.Pattern[str], ...] = ()
    struck_s: float
    condition_s: float
    until_s: float
    limit_s: float
    acknowledged_s: float | None = None
    is_digested: bool = False
    """Whether the policy tells of it in a digest alone."""

    def explains(self, subject: str) -> bool:
        """Return whether a line of a page is about it."""
        return any(pattern.search(subject) for pattern in (self.words, *self.also))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How one incident was told: by which message first, if by any."""

    case: Case
    told: Told | None

    @property
    def detected(self) -> bool:
        """Whether it was told at all."""
        return self.told is not None

    @property
    def seconds(self) -> float | None:
        """From its condition to the first message."""
        return None if self.told is None else self.told.at_s - self.case.condition_s

    @property
    def is_late(self) -> bool:
        """Whether it was told later than it may be."""
        return self.seconds is not None and self.seconds > self.case.limit_s

    @property
    def channel(self) -> str:
        """Where it was told first, and whether it was in a digest."""
        if self.told is None:
            return ""
        return f"{self.told.channel} (digest)" if self.told.is_digest else self.told.channel

    def as_json(self) -> dict[str, Any]:
        """Return it as a row of ``build/night.json``."""
        seconds = None if self.seconds is None else round(self.seconds, 1)
        return {
            "name": self.case.name,
            "expected": self.case.expected,
            "detected": self.detected,
            "seconds": seconds,
            "channel": self.channel,
            "in_digest_by_policy": self.case.is_digested,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the week showed; ``problems`` says why the goal is missed, and is empty when it is not."""

    findings: tuple[Finding, ...]
    false_pages: tuple[Told, ...]
    soft: dict[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def median_s(self) -> float | None:
        """Of all incidents that were told."""
        return _median(self.findings)

    @property
    def median_at_once_s(self) -> float | None:
        """Of those that the policy does not leave to a digest."""
        return _median([one for one in self.findings if not one.case.is_digested])

    @property
    def soft_a_day(self) -> int:
        """The worst day's number of messages that called for nobody."""
        return max(self.soft.values(), default=0)


def judged(
    cases: Sequence[Case], told: Sequence[Told], day_of: Callable[[float], str], others: Iterable[str] = ()
) -> Verdict:
    """Return the verdict; ``day_of`` gives a moment's day by the fast calendar, ``others`` are problems of the run."""
    findings = tuple(Finding(case=case, told=first(told, case.words, from_s=case.struck_s)) for case in cases)
    pages = tuple(one for one in told if one.is_page and not is_explained(one, cases))
    soft = Counter(day_of(one.at_s) for one in told if one.is_soft and one.is_delivered)
    verdict = Verdict(findings=findings, false_pages=pages, soft=dict(soft))
    problems = (*others, *_problems(verdict))
    return Verdict(findings=findings, false_pages=pages, soft=dict(sorted(soft.items())), problems=problems)


def is_explained(page: Told, cases: Iterable[Case]) -> bool:
    """Return whether every line of a page is about an incident of that time that nobody looks after yet."""
    known = [case for case in cases if case.struck_s <= page.at_s <= case.until_s and not _is_looked_after(page, case)]
    return all(any(case.explains(subject) for case in known) for subject in page.subjects)


SETTLED_S: Final = 2.0
"""A call may be on its way while somebody acknowledges."""


def _is_looked_after(page: Told, case: Case) -> bool:
    return page.is_again and case.acknowledged_s is not None and page.at_s > case.acknowledged_s + SETTLED_S


def _problems(verdict: Verdict) -> Iterable[str]:
    if len(verdict.findings) < LEAST_INCIDENTS:
        yield f"only {len(verdict.findings)} incidents struck, at least {LEAST_INCIDENTS} are the goal"
    for one in verdict.findings:
        if not one.detected:
            yield f"{one.case.name}: nobody was told"
        elif one.is_late:
            yield f"{one.case.name}: told after {one.seconds:.0f} s, {one.case.limit_s:.0f} s are allowed"
    for page in verdict.false_pages:
        yield f"a false page on {page.channel}: {page.title}"
    if verdict.soft_a_day > SOFT_A_DAY:
        yield f"{verdict.soft_a_day} messages on one day that called for nobody, {SOFT_A_DAY} are the goal"
    if verdict.median_s is None or verdict.median_s >= MEDIAN_S:
        yield f"a median of {verdict.median_s} s, less than {MEDIAN_S:.0f} s is the goal"


def _median(findings: Iterable[Finding]) -> float | None:
    seconds = [one.seconds for one in findings if one.seconds is not None]
    return median(seconds) if seconds else None
