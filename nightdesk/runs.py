"""A run: one job at one time, from expected to its end. Pure.

The row in PostgreSQL is the truth about a run; RQ carries its number to a worker and nothing else. Every change of
state is a compare-and-set on the state it leaves, so that two schedulers, or a job that is delivered twice, do no harm.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

Json: TypeAlias = Mapping[str, Any]
"""What a job takes and gives: whatever JSON can say."""

QUEUE: Final = "nightdesk"
"""RQ's queue."""

HORSE: Final = "services.jobs.runner.horse.perform"
"""What RQ calls, by name: the scheduler never imports it."""

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
"""Of jobs, and of the files they are in."""


class State(StrEnum):
    """Where a run is."""

    EXPECTED = "expected"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    MISSED = "missed"
    SKIPPED = "skipped"


ENDED: Final = frozenset({State.SUCCEEDED, State.FAILED, State.MISSED, State.SKIPPED})


class Origin(StrEnum):
    """Why there is a run."""

    SCHEDULE = "schedule"
    GAP = "gap"
    REQUEST = "request"
    HAND = "hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A run that this worker has, and what it needs to know of it. ``attempt`` counts from 1."""

    run_id: int
    job: str
    task: str
    scheduled_for: datetime
    args: Json
    attempt: int
    attempts_allowed: int
    timeout_s: float
    backoff_s: float


def queue_id(job: str, scheduled_for: datetime) -> str:
    """Return RQ's id of a run: letters, digits, ``-`` and ``_``, the same whoever makes it.

    Microseconds are part of it: runs that are asked for are not spread over whole seconds.
    """
    return f"{job}-{scheduled_for.astimezone(UTC):%Y%m%dT%H%M%S-%fZ}"


LONGEST_BACKOFF_S: Final = 3600.0
LOST_AFTER_S: Final = 45.0
"""A run whose worker has given no sign of life for so long is lost: noticed within a minute."""

BEAT_S: Final = 10.0
"""How often a worker says that it still has its run."""


def retry_delay_s(backoff_s: float, attempt: int, random: float) -> float:
    """Return the wait after a failed attempt, which counts from 1: doubled each time, an hour at most, jittered.

    ``random`` lies in [0, 1): the wait is between half and all, so that what failed together is not tried together.
    """
    full_s = min(LONGEST_BACKOFF_S, backoff_s * 2.0 ** min(attempt - 1, 30))
    return full_s * (0.5 + random / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an attempt ended: succeeded, failed, or queued again in ``wait_s``; one that ``is_free`` does not count."""

    state: State
    result: Json | None = None
    error: str | None = None
    wait_s: float | None = None
    is_free: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A run that is expected, with the policy it is judged by. ``due_at`` is when it may be queued."""

    job: str
    task: str
    scheduled_for: datetime
    due_at: datetime
    origin: Origin
    chain: str
    after: tuple[str, ...]
    args: Json
    grace_s: float
    catch_up: str
    max_age_s: float
    timeout_s: float
    attempts_allowed: int
    backoff_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A run that is due or under way, or that another one comes after, as it is decided about."""

    run_id: int
    job: str
    scheduled_for: datetime
    state: State
    origin: Origin
    after: tuple[str, ...]
    due_at: datetime
    grace_s: float
    catch_up: str
    max_age_s: float
    timeout_s: float
    attempts: int
    attempts_allowed: int
    backoff_s: float
    sent_at: datetime | None
    beat_at: datetime | None
    finished_at: datetime | None
    overlapped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A run that somebody asks for."""

    job: str
    task: str
    args: Json
    idempotency_key: str | None
    origin: Origin
    grace_s: float
    max_age_s: float
    timeout_s: float
    attempts_allowed: int
    backoff_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the rows say of one job. Times are Unix seconds, 0 where there is none.

    ``failure_for_s`` is of the newest run that failed or was missed, and so is one of ``failed_at_s``, ``missed_at_s``.
    """

    job: str
    success_at_s: float
    success_for_s: float
    failure_for_s: float
    failed_at_s: float
    missed_at_s: float
    duration_s: float
    next_s: float
    late_s: float
    running_s: float
    timeout_s: float
    queued: int
    running: int
    overlaps: int
