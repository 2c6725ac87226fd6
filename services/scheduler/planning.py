"""Turn the schedule into runs that are expected: all that came since the last look, and the one that comes next.

A job's next run is always written down, so that whoever looks sees what is expected, and a scheduler that was away
finds out what it missed from how far the rows reach.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from nightdesk.runs import Origin, Planned
from nightdesk.schedule_config import Schedule
from services.scheduler.instants import Sessions, due

MOST: Final = 500
"""Of a job's runs so many are written down at once; after a long absence the next turns write the others."""

LOOK_BACK: Final = timedelta(days=8)
"""Where the time gone by last is looked for."""

COMMIT_S: Final = 5.0
"""A gap shows this much later than it says it was opened, at most: when its transaction is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Runs to write down, and up to when each job's then are."""

    runs: Sequence[Planned]
    until: Mapping[str, datetime]
    behind: frozenset[str] = frozenset()
    """Jobs of which there is more up to now than was planned at once."""


def timed(schedule: Schedule) -> list[str]:
    """Return the entries that begin by a clock: the roots of all chains but those that gaps and people start."""
    return [name for name, entry in schedule.jobs.items() if entry.cron or entry.at is not None]


def plan(
    schedule: Schedule, jobs: Iterable[str], planned_until: Mapping[str, datetime], now: datetime, sessions: Sessions
) -> Plan:
    """Return the runs of these timed jobs and of what comes after them, from where each one's rows end.

    A job without rows begins now: what came before it was never promised. Rows that reach beyond now may be another
    schedule's, and are left out of account. Raises ConfigurationError for an unknown calendar, and UnavailableError
    while it is not known yet.
    """
    runs: list[Planned] = []
    until: dict[str, datetime] = {}
    behind: set[str] = set()
    for name in jobs:
        since = min(planned_until.get(name, now), now)
        instants = due(schedule.jobs[name], since, now, sessions, most=MOST)
        if len(instants) > MOST and instants[-1] <= now:
            instants.pop()
            behind.add(name)
        if schedule.jobs[name].first and name not in planned_until:
            runs += _first(schedule, name, now, sessions)
        for instant in instants:
            runs += chain(schedule, name, instant, Origin.SCHEDULE, instant)
        if instants:
            until[name] = instants[-1]
    return Plan(runs=runs, until=until, behind=frozenset(behind))


def _first(schedule: Schedule, name: str, now: datetime, sessions: Sessions) -> list[Planned]:
    """The run for the time gone by last, due now: the same one for whichever scheduler sees the entry first."""
    gone = [one for one in due(schedule.jobs[name], now - LOOK_BACK, now, sessions) if one <= now]
    return chain(schedule, name, gone[-1], Origin.SCHEDULE, now) if gone else []


def plan_gaps(
    schedule: Schedule, opened: Mapping[str, Sequence[datetime]], planned_until: Mapping[str, datetime]
) -> Plan:
    """Return the runs that newly opened gaps start: those of one stretch of ``settle`` start one.

    ``opened`` are the times at which gaps were opened, by the entry that looks for them.
    """
    runs: list[Planned] = []
    until: dict[str, datetime] = {}
    for name, times in opened.items():
        ends = sorted({stretch_end(at, schedule.jobs[name].settle) for at in times})
        for end in ends:
            runs += chain(schedule, name, end, Origin.GAP, end + timedelta(seconds=COMMIT_S))
        if ends:
            until[name] = max(ends[-1], planned_until.get(name, ends[-1]))
    return Plan(runs=runs, until=until)


def stretch_end(at: datetime, settle_s: float) -> datetime:
    """Return the end of the stretch that a time lies in; stretches follow one another since the epoch."""
    return datetime.fromtimestamp((math.floor(at.timestamp() / settle_s) + 1) * settle_s, UTC)


def chain(schedule: Schedule, root: str, instant: datetime, origin: Origin, due_at: datetime) -> list[Planned]:
    """Return the runs of a chain for one instant: the root's, and those of what comes after it."""
    return [
        Planned(
            job=name,
            task=entry.task(name),
            scheduled_for=instant,
            due_at=due_at,
            origin=origin,
            chain=root,
            after=entry.after,
            args=entry.args,
            grace_s=entry.grace,
            catch_up=entry.catch_up.value,
            max_age_s=entry.max_age,
            timeout_s=entry.timeout,
            attempts_allowed=entry.retry.attempts,
            backoff_s=entry.retry.backoff,
        )
        for name, entry in ((one, schedule.jobs[one]) for one in (root, *schedule.followers(root)))
    ]
