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
