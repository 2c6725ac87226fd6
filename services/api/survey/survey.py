"""What a survey found: plain facts, before anybody judges them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nightdesk.health import Part
from services.api.survey.samples import Reading, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one instance of a service said, or why it said nothing."""

    service: str
    instance: str
    parts: tuple[Part, ...] = ()
    samples: tuple[Sample, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseReport:
    """What the database said: seconds since it last answered, and each feed's leases."""

    problem: str | None = None
    age_s: float | None = None
    latency_s: float | None = None
    leases: Sequence[Mapping[str, object]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisReport:
    """What Redis said: seconds since it last answered, and how full it is."""

    problem: str | None = None
    age_s: float | None = None
    latency_s: float | None = None
    memory_ratio: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """All reports of one moment, and an earlier reading to tell rates by."""

    at_s: float
    unix_s: float
    reports: tuple[Report, ...]
    database: DatabaseReport
    redis: RedisReport
    reading: Reading
    before: Reading | None = None
