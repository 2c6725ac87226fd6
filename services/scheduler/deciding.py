"""What becomes of the runs that are due: a pure function of the rows and the time.

One run of a job is under way at a time. What is decided here is written by compare-and-set, so that a second scheduler
that decides the same changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from nightdesk.durations import written
from nightdesk.runs import ENDED, LOST_AFTER_S, Open, Origin, State, retry_delay_s
from nightdesk.schedule_config import CatchUp

RESEND_S: Final = 20.0
"""How long a run may be in no queue and with no worker: a worker that just took it needs a moment to say so."""


@dataclass(frozen=True, slots=True)
class Queue:
    """Let it be sent."""

    run: Open


@dataclass(frozen=True, slots=True)
class End:
    """It will not take place."""

    run: Open
    state: State
    reason: str


@dataclass(frozen=True, slots=True)
class Overlap:
    """It waits for the one before."""

    run: Open
    reason: str


@dataclass(frozen=True, slots=True)
class Lose:
    """Its worker is silent; if it may be tried again, then at ``due_at``."""

    run: Open
    silent_since: datetime
    due_at: datetime


SETTLE_S: Final = 20.0
"""After everybody was away, a living worker needs no longer to say that it is there: it tries every ten seconds."""

LONG_S: Final = 600.0
"""A run that may take longer never takes the last worker: what must be on time is quick."""

Decision: TypeAlias = Queue | End | Overlap | Lose


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a scheduler knows beside the rows.

    It has looked regularly since ``since``; before, the rows may have been away from it and from the workers alike, or
    all of them asleep. Jobs in ``behind`` have later runs, due as well, than those up to the time that is given, which
    are all that has been written down yet.
    """

    since: datetime
    behind: Mapping[str, datetime] = field(default_factory=dict)


def decide(runs: Sequence[Open], now: datetime, random: float, watch: Watch) -> list[Decision]:
    """Return what is to be done. ``runs`` are what ``RunRows.open`` returns, ``random`` lies in [0, 1)."""
    settled = (now - watch.since).total_seconds() >= SETTLE_S
    decisions: list[Decision] = list(_silent(runs, now, random)) if settled else []
    known = {(one.job, one.scheduled_for): one for one in runs}
    busy = {one.job: one for one in runs if one.state in {State.QUEUED, State.RUNNING}}
    waiting: dict[str, list[Open]] = defaultdict(list)
    for one in runs:
        if one.state is State.EXPECTED and one.due_at <= now:
            waiting[one.job].append(one)
    for job, due in waiting.items():
        decisions += _of_job(due, busy.get(job), known, now, watch.behind.get(job))
    return decisions


def unsent(
    runs: Sequence[Open], waiting: frozenset[str], names: Mapping[int, str], now: datetime, *, long_slots: int
) -> list[Open]:
    """Return the queued runs that are to be sent, or sent again: those due that RQ's queue does not hold.

    ``waiting`` are the ids in the queue and ``names`` the id of each run. One that was sent a moment ago is with a
    worker that has not claimed it yet; if it is not, the claim makes a second delivery harmless. Of long runs only
    ``long_slots`` are let go at once.
    """
    resend = now - timedelta(seconds=RESEND_S)
    queued = [one for one in runs if one.state is State.QUEUED]
    free = long_slots - sum(_is_long(one) and (one.state is State.RUNNING or one.sent_at is not None) for one in runs)
    found: list[Open] = []
    for one in queued:
        if one.due_at > now:
            continue
        if one.sent_at is not None:
            is_lost = one.sent_at < resend and names[one.run_id] not in waiting
            found += [one] if is_lost else []
        elif not _is_long(one):
            found.append(one)
        elif free > 0:
            free -= 1
            found.append(one)
    return found


def _is_long(one: Open) -> bool:
    return one.timeout_s > LONG_S


def _silent(runs: Sequence[Open], now: datetime, random: float) -> Iterator[Lose]:
    silent_since = now - timedelta(seconds=LOST_AFTER_S)
    for one in runs:
        if one.state is State.RUNNING and one.beat_at is not None and one.beat_at < silent_since:
            wait_s = retry_delay_s(one.backoff_s, one.attempts, random)
            yield Lose(one, silent_since, now + timedelta(seconds=wait_s))


def _of_job(
    due: Sequence[Open],
    busy: Open | None,
    known: Mapping[tuple[str, datetime], Open],
    now: datetime,
    behind: datetime | None,
) -> Iterator[Decision]:
    """Decide about one job's due runs, oldest first: at most one of them is let go."""
    newest = _newest(due)
    for one in due:
        reason = _unreachable(one, known)
        if reason:
            yield End(one, State.SKIPPED, reason)
            continue
        ready_at = _ready_at(one, known)
        if ready_at is None:
            continue  # what it comes after is not over
        superseded = _superseded(one, newest[one.origin], behind)
        too_late = _too_late(one, (now - ready_at).total_seconds(), busy)
        if superseded:
            yield End(one, State.SKIPPED, superseded)
        elif too_late:
            yield End(one, State.MISSED, too_late)
        elif busy is not None:
            yield from _overlap(one, busy)
        else:
            yield Queue(one)
            busy = one


def _overlap(one: Open, busy: Open) -> Iterator[Overlap]:
    if not one.overlapped:
        yield Overlap(
            one, f"waits for the run for {busy.scheduled_for:%Y-%m-%d %H:%M} UTC, which is {_under_way(busy)}"
        )


def _under_way(busy: Open) -> str:
    """What the one before is doing; one that is let go in this turn is queued by the time that anybody reads it."""
    return State.QUEUED.value if busy.state is State.EXPECTED else busy.state.value


def _newest(due: Sequence[Open]) -> Mapping[Origin, Open]:
    """The newest of each kind: what somebody asked for does not stand in for what the schedule says."""
    newest: dict[Origin, Open] = {}
    for one in due:
        if one.origin not in newest or one.scheduled_for > newest[one.origin].scheduled_for:
            newest[one.origin] = one
    return newest


def _superseded(one: Open, newest: Open, behind: datetime | None) -> str:
    """Why a newer run stands in for this one, where only the latest is made up for."""
    if one.catch_up != CatchUp.LATEST or one.after:
        return ""
    if newest is not one:
        return f"superseded by the run for {newest.scheduled_for:%Y-%m-%d %H:%M} UTC"
    is_behind = behind is not None and one.scheduled_for <= behind and one.origin is Origin.SCHEDULE
    return "superseded by a later run" if is_behind else ""


def _unreachable(one: Open, known: Mapping[tuple[str, datetime], Open]) -> str:
    """Why a run can never take place: something it comes after did not succeed."""
    for job in one.after:
        before = known.get((job, one.scheduled_for))
        if before is None:
            return f"comes after {job}, which has no run for this time"
        if before.state in ENDED and before.state is not State.SUCCEEDED:
            return (
                f"comes after {job}, which was {before.state.value}"
                if before.state is not State.FAILED
                else (f"comes after {job}, which failed")
            )
    return ""


def _ready_at(one: Open, known: Mapping[tuple[str, datetime], Open]) -> datetime | None:
    """From when it could have begun; None while something that it comes after is not over."""
    before = [known[job, one.scheduled_for] for job in one.after]
    if any(run.state is not State.SUCCEEDED for run in before):
        return None
    return max([one.due_at, *(run.finished_at for run in before if run.finished_at is not None)])


def _too_late(one: Open, late_s: float, busy: Open | None) -> str:
    if late_s <= one.grace_s:
        return ""
    late = f"{written(late_s)} late"
    while_busy = f"; the run for {busy.scheduled_for:%Y-%m-%d %H:%M} UTC was still {_under_way(busy)}" if busy else ""
    if one.catch_up == CatchUp.SKIP:
        return f"{late}, and its grace is {written(one.grace_s)}{while_busy}"
    if late_s > one.max_age_s:
        return f"{late}, and too old to be caught up after {written(one.max_age_s)}{while_busy}"
    return ""
