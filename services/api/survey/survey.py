"""What a survey found: plain facts, before anybody judges them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nightdesk.health import Part
from services.api.survey.samples import Reading, Sample

_STREAM: Final = re.compile(r"ticks:\{(?P<feed>[^{}]+):(?P<shard>\d{2,})\}")


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
class Backlog:
    """What one stream holds: its entries, and when the oldest that is not committed came (Unix ms; None: no such)."""

    feed: str
    entries: int
    oldest_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisState:
    """How full Redis is (None: it has no limit), and what waits in each of its streams."""

    memory_ratio: float | None = None
    backlogs: tuple[Backlog, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisReport:
    """What Redis said, and the seconds since it last answered."""

    problem: str | None = None
    age_s: float | None = None
    latency_s: float | None = None
    state: RedisState = RedisState()


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


def stream_of(key: str) -> tuple[str, int] | None:
    """Return feed and shard of a stream's key, the inverse of ``nightdesk.shards.stream_key``; None for other keys."""
    found = _STREAM.fullmatch(key)
    return (found["feed"], int(found["shard"])) if found else None
