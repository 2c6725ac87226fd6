"""A small world for schedulers: a clock that the test sets, a queue that forgets, workers that die, a real database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from nightdesk.errors import UnavailableError
from nightdesk.runs import Claimed, Ending, Open, Origin, Request, State, queue_id
from nightdesk.schedule_config import Schedule
from nightdesk.store.database import connect
from nightdesk.store.migrate import WRITER
from nightdesk.store.runs import RunRows
from services.scheduler.clockwork import Clockwork
from services.scheduler.instants import Session
from tests.conftest import Database

BEGIN: Final = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
"""A day before the clocks of New York change."""


@dataclass
class World:
    """What everybody in it shares."""

    database: Database
    now: datetime = BEGIN
    queue: list[tuple[int, str]] = field(default_factory=list)
    redis_is_away: bool = False
    shared: "SetRows | None" = None
    """Where everything happens one after another, one connection is enough for all."""

    def rows(self) -> "SetRows":
        return self.shared or SetRows(self)

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self.database.connect() as connection:
            return connection.execute(sql.encode(), values).fetchall()


class SetRows(RunRows):
    """The rows, by the clock of the test."""

    def __init__(self, world: World) -> None:
        url, password = world.database.url(WRITER), world.database.password(WRITER)
        super().__init__(lambda: connect(url, password, name="test"))
        self._world = world

    def now(self) -> datetime:
        return self._world.now


class Line:
    """The queue: it holds numbers, loses them when it is told to, and may be away."""

    def __init__(self, world: World) -> None:
        self._world = world

    def send(self, runs: Sequence[Open]) -> None:
        self._here()
        self._world.queue += [(one.run_id, queue_id(one.job, one.scheduled_for)) for one in runs]

    def waiting(self) -> frozenset[str]:
        self._here()
        return frozenset(name for _, name in self._world.queue)

    def workers(self) -> int:
        self._here()
        return 3

    def _here(self) -> None:
        if self._world.redis_is_away:
            raise UnavailableError("Redis: it is away")


def weekdays(calendar: str, start: date, end: date) -> list[Session]:
    """An exchange that is open from ten to four in UTC, from Monday to Friday."""
    days = [start + timedelta(days=place) for place in range((end - start).days + 1)]
    return [
        Session(
            day=day,
            zone="UTC",
            opens=datetime.combine(day, time(10), UTC),
            closes=datetime.combine(day, time(16), UTC),
        )
        for day in days
        if day.weekday() < 5
    ]


def clockwork(world: World, schedule: Schedule, random: float = 0.5) -> Clockwork:
    return Clockwork(schedule=schedule, rows=world.rows(), queue=Line(world), sessions=weekdays, random=lambda: random)


def schedule(**jobs: object) -> Schedule:
    return Schedule.model_validate({"jobs": jobs})


def asked(job: str, key: str | None = None, **changes: Any) -> Request:
    values: dict[str, Any] = {
        "job": job, "task": job, "args": {}, "idempotency_key": key, "origin": Origin.REQUEST, "grace_s": 60.0,
        "max_age_s": 3600.0, "timeout_s": 60.0, "attempts_allowed": 2, "backoff_s": 10.0, **changes,
    }  # fmt: skip
    return Request(**values)


@dataclass
class Held:
    """A run that a worker has."""

    claimed: Claimed
    worker: str
    alive: bool = True


class Crew:
    """Workers: each takes what is first in the queue and does with it what the test says."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rows = world.rows()
        self._count = 0
        self.held: list[Held] = []
        self.claims: list[tuple[int, int]] = []
        """Every run that was claimed, and the attempt that it was."""

    def take(self) -> Held | None:
        """Take one from the queue; None when there is none, or it is not to be had."""
        if not self._world.queue or self._world.redis_is_away:
            return None
        run_id, _ = self._world.queue.pop(0)
        self._count += 1
        worker = f"worker-{self._count}"
        claimed = self._rows.claim(run_id, worker, self._world.now)
        if claimed is None:
            return None
        self.claims.append((claimed.run_id, claimed.attempt))
        self.held.append(Held(claimed, worker))
        return self.held[-1]

    def beat(self) -> None:
        for one in self.held:
            if one.alive:
                self._rows.beat(one.claimed, one.worker, None, self._world.now)

    def end(self, held: Held, ending: Ending) -> bool:
        """End it; return whether the worker still had it."""
        self.held.remove(held)
        return self._rows.finish(held.claimed, held.worker, ending, "", self._world.now)


SUCCESS: Final = Ending(state=State.SUCCEEDED, result={})
FAILURE: Final = Ending(state=State.FAILED, error="it failed")
GIVEN_BACK: Final = Ending(state=State.QUEUED, error="stopped", wait_s=0.0, is_free=True)


def retried(wait_s: float) -> Ending:
    return Ending(state=State.QUEUED, error="again", wait_s=wait_s)
