"""The rows of runs, as the scheduler writes them and workers claim them.

The time is an argument everywhere, and it is the database's: two schedulers and many workers agree on it.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any, Final

from nightdesk.errors import NightdeskError, UnavailableError
from nightdesk.plain_json import plain_json, storable
from nightdesk.runs import Claimed, Ending, Figures, Json, Open, Origin, Planned, Request, State
from nightdesk.store.database import Connection, statement, translated


class KeyTakenError(NightdeskError):
    """The idempotency key was used for another job or for other arguments."""


class RunRows:
    """The rows, on one connection that is made again after it was lost; safe to use from two threads."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._connection: Connection | None = None
        self._lock = threading.RLock()

    def close(self) -> None:
        """Drop the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def now(self) -> datetime:
        """Return the database's time."""
        ((now,),) = self._rows("server_now")
        return _time(now)

    # --- the scheduler ---

    def planned_until(self) -> dict[str, datetime]:
        """Return up to when each job's runs are written down."""
        return dict(self._rows("schedule_load"))

    def plan(self, runs: Sequence[Planned], until: Mapping[str, datetime]) -> None:
        """Write down runs and up to when each job's are, in one transaction."""
        values = {"jobs": list(until), "until": list(until.values())}
        with self._lock, translated(), self._live().transaction():
            self._do("run_plan", runs=_json(runs))
            self._do("schedule_note", **values)

    def forget(
        self,
        jobs: Iterable[str],
        expected: Sequence[Planned],
        now: datetime,
        *,
        marks: Iterable[str],
        spared: Iterable[str] = (),
    ) -> int:
        """Drop what the schedule no longer says; return how many due runs were skipped because their entry is gone.

        Runs of chains that begin with a job in ``spared`` stay: what is expected of them is not known now. ``marks``
        are the names under which ``plan`` still notes up to when runs are written down.
        """
        names = list(jobs)
        with self._lock, translated(), self._live().transaction():
            self._do("run_forget", runs=_json(expected), now=now, spared=list(spared))
            self._do("schedule_drop", marks=list(marks))
            return len(self._do("run_orphans", jobs=names, now=now))

    def gap_times(self, kinds: Iterable[int], since: datetime) -> list[datetime]:
        """Return the seconds since then in which a gap that can be filled was opened."""
        return [at for (at,) in self._rows("run_gap_times", kinds=list(kinds), since=since)]

    def open(self, now: datetime) -> list[Open]:
        """Return every run that is due or under way, and those that due ones come after, oldest first."""
        return [_open(row) for row in self._rows("run_open", now=now)]

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """Keep what is written inside together, and other schedulers from writing meanwhile."""
        with self._lock, translated(), self._live().transaction():
            self._do("run_turn_lock")
            yield

    def queue(self, run_ids: Sequence[int], now: datetime) -> set[int]:
        """Let expected runs be sent, each of another job; return those that this caller did."""
        return {run_id for (run_id,) in self._rows("run_queue", runs=list(run_ids), now=now)}

    def end(self, ends: Sequence[tuple[int, State, str]], now: datetime) -> set[int]:
        """End runs that never began, each with why; return those that this caller did."""
        runs, states, reasons = _columns(ends, 3)
        found = self._rows("run_end", runs=runs, states=[state.value for state in states], reasons=reasons, now=now)
        return {run_id for (run_id,) in found}

    def overlap(self, waits: Sequence[tuple[int, str]]) -> set[int]:
        """Note that runs wait for earlier ones, each with why; return those of which that is news."""
        runs, reasons = _columns(waits, 2)
        return {run_id for (run_id,) in self._rows("run_overlap", runs=runs, reasons=reasons)}

    def lose(self, silent: Sequence[tuple[int, datetime, datetime]], *, error: str, now: datetime) -> dict[int, State]:
        """Take runs from workers that are silent since a time; those to be tried again are due at the other time.

        Returns the new state of those whose workers are not there after all.
        """
        runs, silent_since, due_at = _columns(silent, 3)
        rows = self._rows("run_lose", runs=runs, silent_since=silent_since, due_at=due_at, error=error, now=now)
        return {run_id: State(state) for run_id, state in rows}

    def sent(self, run_ids: Iterable[int], now: datetime) -> None:
        """Note that these were given to the queue."""
        self._rows("run_sent", runs=list(run_ids), now=now)

    def figures(self, jobs: Iterable[str], now: datetime) -> list[Figures]:
        """Return what the rows say of each job."""
        return [Figures(**dict(zip(_FIGURES, row, strict=True))) for row in self._rows(
            "run_figures", jobs=list(jobs), now=now
        )]  # fmt: skip

    def totals(self, jobs: Iterable[str]) -> dict[tuple[str, State], int]:
        """Return how many runs of each job ever reached each state."""
        return {(job, State(state)): runs for job, state, runs in self._rows("run_totals", jobs=list(jobs))}

    # --- workers, and people ---

    def request(self, wanted: Request, *, state: State, now: datetime) -> int:
        """Add a run that is asked for and return its number; the same key returns the run it made before.

        Raises KeyTakenError when that was another job or had other arguments.
        """
        values = {**asdict(wanted), "origin": wanted.origin.value, "args": json.dumps(wanted.args)}
        for _ in range(TRIES):
            rows = self._rows("run_request", **values, state=state.value, now=now)
            if rows:
                return int(rows[0][0])
            if wanted.idempotency_key is not None:
                found = self._rows("run_by_key", idempotency_key=wanted.idempotency_key)
                if found:
                    return _same(found[0], wanted)
            now = self.now()  # another run of this job was asked for in the same microsecond
        raise UnavailableError("too many runs are asked for at once; try again")

    def claim(self, run_id: int, worker: str, now: datetime) -> Claimed | None:
        """Take a queued run; None when another worker has it, or it is not due."""
        rows = self._rows("run_claim", run_id=run_id, worker=worker, now=now)
        return Claimed(**dict(zip(_CLAIMED, rows[0], strict=True))) if rows else None

    def beat(self, claimed: Claimed, worker: str, progress: Json | None, now: datetime) -> bool:
        """Say that the worker still has the run; return whether it has."""
        text = None if progress is None else plain_json(progress)
        values = {"run_id": claimed.run_id, "attempt": claimed.attempt, "worker": worker}
        return bool(self._rows("run_beat", **values, progress=text, now=now))

    def finish(self, claimed: Claimed, worker: str, ending: Ending, log: str, now: datetime) -> bool:
        """End an attempt; return whether the worker still had the run."""
        values = {"run_id": claimed.run_id, "attempt": claimed.attempt, "worker": worker}
        ends = {
            "state": ending.state.value,
            "result": None if ending.result is None else plain_json(ending.result),
            "error": None if ending.error is None else storable(ending.error),
            "due_at": None if ending.wait_s is None else now + timedelta(seconds=ending.wait_s),
            "refund": int(ending.is_free),
        }
        return bool(self._rows("run_finish", **values, **ends, log=storable(log), now=now))

    # --- the connection ---

    def _rows(self, name: str, **values: object) -> list[tuple[Any, ...]]:
        with self._lock, translated():
            return self._do(name, **values)

    def _do(self, name: str, **values: object) -> list[tuple[Any, ...]]:
        try:
            cursor = self._live().execute(statement(name), values)
            return cursor.fetchall() if cursor.description else []
        except Exception:
            if self._connection is not None and self._connection.broken:
                self._connection = None
            raise

    def _live(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
        return self._connection


TRIES: Final = 5

_CLAIMED: Final = (
    "run_id", "job", "task", "scheduled_for", "args", "attempt", "attempts_allowed", "timeout_s", "backoff_s",
)  # fmt: skip
_OPEN: Final = (
    "run_id", "job", "scheduled_for", "state", "origin", "after", "due_at", "grace_s", "catch_up", "max_age_s",
    "timeout_s", "attempts", "attempts_allowed", "backoff_s", "sent_at", "beat_at", "finished_at", "overlapped",
)  # fmt: skip
_PLANNED: Final = tuple(field.name for field in fields(Planned))
_FIGURES: Final = (
    "job", "success_at_s", "success_for_s", "failure_for_s", "failed_at_s", "missed_at_s", "duration_s", "next_s",
    "late_s", "running_s", "timeout_s", "queued", "running", "overlaps",
)  # fmt: skip


def _open(row: tuple[Any, ...]) -> Open:
    values = dict(zip(_OPEN, row, strict=True))
    changed = {
        "state": State(values["state"]),
        "origin": Origin(values["origin"]),
        "after": tuple(values["after"]),
    }
    return Open(**{**values, **changed})


def _same(found: tuple[Any, ...], wanted: Request) -> int:
    run_id, job, args = found
    if job != wanted.job or args != json.loads(json.dumps(wanted.args)):
        raise KeyTakenError(f"idempotency_key {wanted.idempotency_key!r} belongs to run {run_id}, which is another one")
    return int(run_id)


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> tuple[list[Any], ...]:
    """Return rows as columns, which is how a statement takes many of them."""
    return tuple([row[place] for row in rows] for place in range(width))


def _json(runs: Sequence[Planned]) -> str:
    return json.dumps([{name: getattr(one, name) for name in _PLANNED} for one in runs], default=_written)


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is nothing that JSON can say")


def _time(value: Any) -> datetime:  # noqa: ANN401  the driver's word for it
    assert isinstance(value, datetime)  # noqa: S101  PostgreSQL's now() is a time
    return value
