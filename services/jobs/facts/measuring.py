"""What a day's series come to: one number for each fact and what it is about. Pure; times are Unix seconds."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from services.jobs.facts.spans import Span, common, joined, length_s, without

Samples: TypeAlias = Sequence[tuple[float, float]]
Facts: TypeAlias = dict[tuple[str, str], float]
"""Value by fact and subject, as they stand in ``daily_facts``."""

FINE_S: Final = 15
"""Step of what is counted in seconds: three scrapes."""

COARSE_S: Final = 60
SAME_START_S: Final = 5.0
"""A database counts whole seconds of uptime, so that the same start looks a moment earlier or later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From when to when; ``end_s`` is not included."""

    begin_s: float
    end_s: float

    @property
    def span(self) -> Span:
        """Both as a pair."""
        return self.begin_s, self.end_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series: its labels, and its values at the ends of steps, in order."""

    labels: Mapping[str, str]
    samples: Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Silenced:
    """When whose being down was silenced, which is how a person says that it is planned."""

    span: Span
    covers: Callable[[str], bool]


Fold: TypeAlias = Callable[[Samples, float], float]
"""Make one number of samples; the second argument is the time of the first that there could be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One fact: which query, by which label, what is made of a series' samples, and of those of several series."""

    fact: str
    query: str
    by: str
    fold: Fold
    together: Callable[[Iterable[float]], float]
    step_s: int = COARSE_S


def least(samples: Samples, _first_s: float) -> float:
    """Return the smallest value."""
    return min(value for _, value in samples)


def greatest(samples: Samples, _first_s: float) -> float:
    """Return the largest value."""
    return max(value for _, value in samples)


def last(samples: Samples, _first_s: float) -> float:
    """Return the newest value."""
    return samples[-1][1]


def grown(samples: Samples, first_s: float) -> float:
    """Return what a counter grew by; one that falls, or begins later than it could, began at 0."""
    begin = samples[0][1] if samples[0][0] > first_s else 0.0
    steps = (after - before if after >= before else after for (_, before), (_, after) in pairwise(samples))
    return begin + sum(steps)


def starts(samples: Samples, _first_s: float) -> float:
    """Return how often a start was followed by another."""
    return float(sum(abs(after - before) > SAME_START_S for (_, before), (_, after) in pairwise(samples)))


MEASURES: Final = (
    Measure(fact="disk_free_ratio_min", query="disk_free_ratio", by="volume", fold=least, together=min),
    Measure(fact="disk_free_bytes_min", query="disk_free_bytes", by="volume", fold=least, together=min),
    Measure(fact="memory_available_ratio_min", query="memory_available_ratio", by="", fold=least, together=min),
    Measure(fact="memory_peak_bytes", query="memory_used_bytes", by="service", fold=greatest, together=max),
    Measure(fact="memory_limit_bytes", query="memory_limit_bytes", by="service", fold=last, together=max),
    Measure(fact="restarts", query="started", by="service", fold=starts, together=sum, step_s=30),
    Measure(fact="reconnects", query="disconnects", by="feed", fold=grown, together=sum),
    Measure(fact="quarantined", query="quarantined", by="feed", fold=grown, together=sum),
)


def measured(measure: Measure, series: Iterable[Series], period: Period) -> Facts:
    """Return one number for each subject."""
    found: dict[str, list[float]] = defaultdict(list)
    for one in series:
        if one.samples:
            found[one.labels.get(measure.by, "")].append(measure.fold(one.samples, period.begin_s + measure.step_s))
    return {(measure.fact, subject): measure.together(values) for subject, values in found.items()}


def availability(
    observed: Iterable[Series], down: Iterable[Series], silenced: Iterable[Silenced], period: Period
) -> Facts:
    """Return for how long nobody looked, each service was down, and any was without that being planned.

    A service is down from its last answer to its next. What nobody looked at is neither up nor down.
    """
    looked = joined((at_s - FINE_S, at_s) for one in observed for at_s, _ in one.samples)
    seen = common(looked, [period.span])
    planned = list(silenced)
    facts: Facts = {
        ("until_s", ""): period.end_s - period.begin_s,
        ("unobserved_s", ""): period.end_s - period.begin_s - length_s(seen),
    }
    unplanned: list[Span] = []
    for service, spans in _down(down).items():
        away = common(spans, seen)
        facts["down_s", service] = length_s(away)
        unplanned += without(away, (one.span for one in planned if one.covers(service)))
    facts["downtime_s", ""] = length_s(joined(unplanned))
    every = joined(span for spans in _down(down).values() for span in common(spans, seen))
    facts["planned_downtime_s", ""] = length_s(without(every, unplanned))
    return facts


def _down(series: Iterable[Series]) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = defaultdict(list)
    for one in series:
        found[one.labels.get("service", "")] += [(at_s - age_s, at_s) for at_s, age_s in one.samples]
    return {service: joined(spans) for service, spans in found.items()}
