"""Prometheus text to numbers, and two readings to a rate.

Counters of several replicas are kept apart by instance, since one that restarts begins at zero again and a sum would
hide it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from prometheus_client.parser import text_string_to_metric_families

PREFIX: Final = "nightdesk_"

Labels: TypeAlias = Mapping[str, str]
Where: TypeAlias = Callable[[Labels], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of one instance."""

    instance: str
    name: str
    labels: Labels
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Every sample of all instances at one moment of the monotonic clock."""

    at_s: float
    samples: tuple[Sample, ...] = ()
    by_name: dict[str, list[Sample]] = field(default_factory=dict)

    def named(self, name: str) -> Iterator[Sample]:
        """Yield the samples of one metric."""
        yield from self.by_name.get(name, [])


def parse(instance: str, text: str) -> list[Sample]:
    """Return the samples of our own metrics, histograms without their buckets; raises ValueError on other text."""
    lines = (line for line in text.splitlines() if line.startswith(PREFIX) and "_bucket{" not in line)
    families = text_string_to_metric_families("\n".join(lines) + "\n")
    return [
        Sample(instance=instance, name=sample.name, labels=sample.labels, value=sample.value)
        for family in families
        for sample in family.samples
    ]


def reading(at_s: float, samples: Iterable[Sample]) -> Reading:
    """Return a reading with its index by name."""
    kept = tuple(samples)
    by_name: dict[str, list[Sample]] = {}
    for sample in kept:
        by_name.setdefault(sample.name, []).append(sample)
    return Reading(at_s=at_s, samples=kept, by_name=by_name)


def everything(_labels: Labels) -> bool:
    """Match every sample."""
    return True


def total(now: Reading, name: str, where: Where = everything) -> float | None:
    """Return the sum over instances and labels; None when nothing says."""
    values = [sample.value for sample in now.named(name) if where(sample.labels)]
    return sum(values) if values else None


def rate(before: Reading | None, now: Reading, name: str, where: Where = everything) -> float | None:
    """Return the growth per second between two readings; a counter that shrank began again at zero."""
    if before is None or now.at_s <= before.at_s:
        return None
    old = {_identity(sample): sample.value for sample in before.named(name)}
    steps = [
        _growth(old[_identity(sample)], sample.value)
        for sample in now.named(name)
        if where(sample.labels) and _identity(sample) in old
    ]
    return sum(steps) / (now.at_s - before.at_s) if steps else None


def _growth(old: float, new: float) -> float:
    return new - old if new >= old else new


def _identity(sample: Sample) -> tuple[str, frozenset[tuple[str, str]]]:
    return sample.instance, frozenset(sample.labels.items())
