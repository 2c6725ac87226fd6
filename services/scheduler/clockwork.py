"""What the scheduler does, turn after turn: write down what is expected, decide what is due, send what is queued.

All that it knows is in the rows; a turn that fails half-way is made up for by the next one, here or elsewhere.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from nightdesk.errors import ConfigurationError, UnavailableError
from nightdesk.runs import Open, Planned, State, queue_id
from nightdesk.schedule_config import Schedule
from nightdesk.store.runs import RunRows
from nightdesk.ticks import Kind
from services.scheduler.deciding import Decision, End, Lose, Overlap, Queue, Watch, decide, unsent
from services.scheduler.instants import Sessions
from services.scheduler.planning import Plan, plan, plan_gaps, timed

log = structlog.get_logger()

FILLABLE: Final = (Kind.TRADE, Kind.AGG_TRADE)
GAP_LOOK_BACK: Final = timedelta(seconds=90)
"""Gaps are looked for so far back: their rows show when their transaction is over, not when they say."""

LONGEST_PAUSE: Final = timedelta(seconds=10)
"""A scheduler that did not look for longer cannot tell a worker that is gone from one that was away as it was."""

LOST: Final = "the worker that had it gave no sign of life"


class Sender(Protocol):
    """Where runs are sent; ``services.scheduler.queue.RunQueue`` is the real one."""

    def send(self, runs: Sequence[Open]) -> None:
        """Put runs into the queue; raises UnavailableError."""

    def waiting(self) -> frozenset[str]:
        """Return the ids in the queue; raises UnavailableError."""

    def workers(self) -> int:
        """Return how many workers there are; raises UnavailableError."""


class Clockwork:
    """One scheduler's turns; any number of them may turn at once."""

    def __init__(
        self, *, schedule: Schedule, rows: RunRows, queue: Sender, sessions: Sessions, random: Callable[[], float]
    ) -> None:
        self._schedule = schedule
        self._rows = rows
        self._queue = queue
        self._sessions = sessions
        self._random = random
        self._timed = timed(schedule)
        self._on_gap = [name for name, entry in schedule.jobs.items() if entry.on == "gap"]
        self._marks = [*self._timed, *map(gap_mark, self._on_gap)]
        self._until: dict[str, datetime] | None = None
        self._behind: frozenset[str] = frozenset()
        self._turned_at: datetime | None = None
        self._watching_since: datetime | None = None
        self._gap_runs: frozenset[tuple[str, datetime]] = frozenset()
        self._stale: frozenset[str] = frozenset()
        self._told: dict[str, str] = {}

    def turn(self) -> None:
        """Do all of it once; raises UnavailableError when PostgreSQL or Redis does not answer.

        PostgreSQL comes first: what is decided is kept, and sent once Redis is there.
        """
        now = self._rows.now()
        if self._until is None:
            self._begin(now)
        self._plan(now)
        self._plan_gaps(now)
        runs = self._rows.open(now)
        changed = self._write_down(decide(runs, now, self._random(), self._watch(now)), now)
        self._send(self._rows.open(now) if changed else runs, now)

    def unplanned(self) -> dict[str, str]:
        """Return the jobs whose runs cannot be written down now, and why."""
        return dict(self._told)

    def forget(self) -> None:
        """Read how far the rows reach anew with the next turn: the database may be another one."""
        self._until = None

    def _watch(self, now: datetime) -> Watch:
        """What this scheduler knows: a pause between its turns may have been everybody's."""
        assert self._until is not None  # noqa: S101  turn() begins first
        pause = now - self._turned_at if self._turned_at is not None else None
        if self._watching_since is None or pause is None or not timedelta() <= pause <= LONGEST_PAUSE:
            self._watching_since = now
        self._turned_at = now
        return Watch(since=self._watching_since, behind={name: self._until[name] for name in self._behind})

    def _begin(self, now: datetime) -> None:
        """Bring the rows to this schedule: what it no longer says is not expected any more."""
        known = self._rows.planned_until()
        ahead = self._planned(self._timed, known, now)
        waiting = [name for name in self._timed if name not in ahead.until]
        skipped = self._rows.forget(list(self._schedule.jobs), ahead.runs, now, spared=waiting, marks=self._marks)
        new = {mark: now for mark in map(gap_mark, self._on_gap) if mark not in known}
        self._write(Plan(runs=ahead.runs, until={**ahead.until, **new}))
        self._until = {**known, **ahead.until, **new}
        self._stale = frozenset(waiting)
        log.info("schedule.read", jobs=len(self._schedule.jobs), expected=len(ahead.runs), orphans=skipped)

    def _plan(self, now: datetime) -> None:
        assert self._until is not None  # noqa: S101  turn() begins first
        come = [
            name
            for name in self._timed
            if name not in self._until or self._until[name] <= now or name in self._stale
        ]  # fmt: skip
        self._behind = frozenset()
        if come:
            found = self._planned(come, self._until, now)
            self._behind = found.behind
            again = self._stale & found.until.keys()
            if again:
                spared = set(self._schedule.jobs) - again
                self._rows.forget(list(self._schedule.jobs), found.runs, now, spared=spared, marks=self._marks)
                self._stale -= again
            self._write(found)

    def _planned(self, jobs: Iterable[str], until: Mapping[str, datetime], now: datetime) -> Plan:
        """Plan job by job: one whose calendar cannot be had now holds up no other."""
        runs: list[Planned] = []
        ends: dict[str, datetime] = {}
        behind: set[str] = set()
        for name in jobs:
            try:
                found = plan(self._schedule, [name], until, now, self._sessions)
            except UnavailableError:
                continue  # its calendar is being computed
            except ConfigurationError as error:
                self._tell(name, str(error))
                continue
            runs += found.runs
            ends |= found.until
            behind |= found.behind
            self._told.pop(name, None)
        return Plan(runs=runs, until=ends, behind=frozenset(behind))

    def _tell(self, job: str, error: str) -> None:
        if self._told.get(job) != error:
            log.warning("job.not_planned", job=job, error=error)
        self._told[job] = error

    def _plan_gaps(self, now: datetime) -> None:
        assert self._until is not None  # noqa: S101  turn() begins first
        reached = {name: self._until[gap_mark(name)] for name in self._on_gap}
        opened = {}
        for name, until in reached.items():
            since = max(until - GAP_LOOK_BACK, now - timedelta(days=1))
            opened[name] = self._rows.gap_times(FILLABLE, since)
        found = plan_gaps(self._schedule, opened, reached)
        keys = frozenset((one.job, one.scheduled_for) for one in found.runs)
        if keys - self._gap_runs:
            self._write(Plan(runs=found.runs, until={gap_mark(name): at for name, at in found.until.items()}))
        self._gap_runs = keys

    def _write(self, found: Plan) -> None:
        self._rows.plan(found.runs, found.until)
        if self._until is not None:
            self._until |= found.until

    def _write_down(self, decisions: Sequence[Decision], now: datetime) -> bool:
        """Write decisions down, all of a kind at once; return whether that changed anything."""
        if not decisions:
            return False
        queue = [one for one in decisions if isinstance(one, Queue)]
        ends = [one for one in decisions if isinstance(one, End)]
        overlaps = [one for one in decisions if isinstance(one, Overlap)]
        losses = [one for one in decisions if isinstance(one, Lose)]
        with self._rows.deciding():
            lost = self._rows.lose([_loss(one) for one in losses], error=LOST, now=now) if losses else {}
            ended = self._rows.end([_end(one) for one in ends], now) if ends else set()
            waits = self._rows.overlap([(one.run.run_id, one.reason) for one in overlaps]) if overlaps else set()
            sent = self._rows.queue([one.run.run_id for one in queue], now) if queue else set()
        changed = lost.keys() | ended | waits | sent
        for one in decisions:
            if one.run.run_id in changed:
                _say(one, lost)
        return bool(changed)

    def _send(self, runs: Sequence[Open], now: datetime) -> None:
        names = {one.run_id: queue_id(one.job, one.scheduled_for) for one in runs if one.state is State.QUEUED}
        if not names:
            return
        long_slots = max(1, self._queue.workers() - 1)
        wanted = unsent(runs, self._queue.waiting(), names, now, long_slots=long_slots)
        if wanted:
            self._queue.send(wanted)
            self._rows.sent([one.run_id for one in wanted], now)


def gap_mark(name: str) -> str:
    """Return under which name it is kept up to when gaps were looked at: not that of an entry that gets a clock."""
    return f"gap {name}"


def _loss(one: Lose) -> tuple[int, datetime, datetime]:
    return one.run.run_id, one.silent_since, one.due_at


def _end(one: End) -> tuple[int, State, str]:
    return one.run.run_id, one.state, one.reason


def _say(decision: Decision, lost: Mapping[int, State]) -> None:
    run = decision.run
    facts = {"job": run.job, "run_id": run.run_id, "scheduled_for": run.scheduled_for.isoformat()}
    match decision:
        case Queue():
            log.info("run.queued", **facts)
        case End(state=state, reason=reason):
            log.warning(f"run.{state.value}", **facts, reason=reason)
        case Overlap(reason=reason):
            log.warning("run.overlaps", **facts, reason=reason)
        case Lose():
            log.warning("run.lost", **facts, state=lost[run.run_id].value)
