"""Whatever happens to schedulers, queue and workers: no run twice, none silently missing.

A history is a list of events, and what must have come of it is worked out beside the scheduler: which instants were
promised follows from when anybody looked, with which schedule.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightdesk.errors import UnavailableError
from nightdesk.runs import LOST_AFTER_S, Ending, State
from nightdesk.schedule_config import Schedule
from services.scheduler import planning
from services.scheduler.clockwork import Clockwork
from tests.conftest import Database
from tests.integration.scheduler.world import (
    BEGIN,
    FAILURE,
    GIVEN_BACK,
    SUCCESS,
    Crew,
    Held,
    SetRows,
    World,
    asked,
    clockwork,
    retried,
    schedule,
)
from tests.unit.services.scheduler.almanac import first

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Next: TypeAlias = Callable[[datetime], datetime]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
STEP = timedelta(seconds=9)


def every(minutes: int) -> Next:
    def following(after: datetime) -> datetime:
        at = after.replace(second=0, microsecond=0) + MINUTE
        while at.minute % minutes:
            at += MINUTE
        return at

    return following


def daily(zone: str, wall: time) -> Next:
    def following(after: datetime) -> datetime:
        days = [after.date() + place * DAY for place in range(-2, 4)]
        return min(at for at in (first(datetime.combine(day, wall), ZoneInfo(zone)) for day in days) if at > after)

    return following


def closing(offset: timedelta) -> Next:
    def following(after: datetime) -> datetime:
        days = [date.fromordinal(after.toordinal() + place) for place in range(-3, 8)]
        closes = [datetime.combine(day, time(16), UTC) + offset for day in days if day.weekday() < 5]
        return min(at for at in closes if at > after)

    return following


NEW_YORK: Final = {"cron": "30 2 * * *", "timezone": "America/New_York"}
EDITIONS: Final[list[tuple[Schedule, Mapping[str, Next]]]] = [
    (
        schedule(
            a={"cron": "*/5 * * * *", "timezone": "UTC", "grace": "2m"},
            b={"after": ["a"]},
            c={**NEW_YORK, "catch_up": "all", "grace": "10m"},
            e={"at": "XNYS close + 30m", "catch_up": "skip", "grace": "20m"},
            g={"on": "gap"},
            r={"on": "request"},
        ),
        {"a": every(5), "c": daily("America/New_York", time(2, 30)), "e": closing(30 * MINUTE)},
    ),
    (
        schedule(
            a={"cron": "*/7 * * * *", "timezone": "UTC", "catch_up": "skip", "grace": "1m"},
            b={"after": ["a"], "catch_up": "skip"},
            c={**NEW_YORK, "grace": "1h"},
            d={"after": ["a", "b"]},
            r={"on": "request"},
        ),
        {"a": every(7), "c": daily("America/New_York", time(2, 30))},
    ),
    (
        schedule(
            a={"on": "gap"},
            c={"cron": "*/30 * * * *", "timezone": "UTC", "catch_up": "all", "max_age": "2h"},
            e={"at": "XNYS close - 1h", "catch_up": "all"},
            r={"on": "request"},
        ),
        {"c": every(30), "e": closing(-60 * MINUTE)},
    ),
]
"""Schedules, and when their jobs come, said another way."""


@dataclass
class Promises:
    """Which runs must be there."""

    marks: dict[str, datetime] = field(default_factory=dict)
    kept: set[tuple[str, datetime]] = field(default_factory=set)

    def look(self, edition: Mapping[str, Next], now: datetime) -> None:
        """Somebody looks: what came since the last look is promised, and what comes next is kept in mind."""
        for job, following in edition.items():
            mark = self.marks.get(job) or following(now)
            while mark <= now:
                self.kept.add((job, mark))
                mark = following(mark)
            self.marks[job] = mark

    def edit(self, edition: Mapping[str, Next], now: datetime) -> None:
        """Somebody looks with another schedule for the first time: what was to come is not promised any more."""
        self.kept |= {(job, mark) for job, mark in self.marks.items() if mark <= now}
        after = {job: mark for job, mark in self.marks.items() if mark <= now and job in edition}
        self.marks = {job: following(after.get(job, now)) for job, following in edition.items()}
        self.look(edition, now)


@dataclass
class History:
    """What happens."""

    world: World
    edition: int = 0
    is_edited: bool = False
    promises: Promises = field(default_factory=Promises)
    schedulers: list[Clockwork | None] = field(default_factory=lambda: [None, None])
    beats: dict[tuple[int, int], datetime] = field(default_factory=dict)
    latest: dict[int, Held] = field(default_factory=dict)
    successes: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.crew = Crew(self.world)

    def turn(self, place: int) -> None:
        one = self.schedulers[place] = self.schedulers[place] or clockwork(self.world, EDITIONS[self.edition][0])
        if self.is_edited:
            self.promises.edit(EDITIONS[self.edition][1], self.world.now)
        self.promises.look(EDITIONS[self.edition][1], self.world.now)
        self.is_edited = False
        try:
            one.turn()
        except UnavailableError:
            one.forget()

    def stop(self, place: int) -> None:
        self.schedulers[place] = None

    def edit(self, edition: int) -> None:
        """Both are stopped; what comes up has the other schedule."""
        self.schedulers = [None, None]
        self.is_edited = self.is_edited or edition != self.edition
        self.edition = edition

    def live(self, steps: int) -> None:
        for _ in range(steps):
            self.world.now += STEP
            self.beat()
            for place, one in enumerate(self.schedulers):
                if one is not None:
                    self.turn(place)

    def rest(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)

    def take(self) -> Held | None:
        held = self.crew.take()
        if held is not None:
            self._check_claim(held)
            self.latest[held.claimed.run_id] = held
            self.beats[held.claimed.run_id, id(held)] = self.world.now
        return held

    def beat(self) -> None:
        self.crew.beat()
        self.beats |= {(one.claimed.run_id, id(one)): self.world.now for one in self.crew.held if one.alive}

    def end(self, place: int, ending: Ending) -> None:
        if self.crew.held:
            self._end(self.crew.held[place % len(self.crew.held)], ending)

    def die(self, place: int) -> None:
        if self.crew.held:
            self.crew.held[place % len(self.crew.held)].alive = False

    def flush(self) -> None:
        self.world.queue.clear()

    def redis(self, is_away: bool) -> None:
        self.world.redis_is_away = is_away

    def ask(self, key: str) -> None:
        self.world.now += timedelta(milliseconds=1)
        self.world.rows().request(asked("r", key), state=State.EXPECTED, now=self.world.now)

    def gap(self) -> None:
        self.world.ask(
            "INSERT INTO gaps (symbol_id, kind, cause, state, opened_at) VALUES (1, 1, 'disconnect', 'open', %s) "
            "RETURNING 1",
            self.world.now,
        )

    def _end(self, held: Held, ending: Ending) -> None:
        last = held.claimed.attempt >= held.claimed.attempts_allowed
        ending = FAILURE if last and ending.state is State.QUEUED and not ending.is_free else ending
        was_its_own = self.crew.end(held, ending)
        assert not was_its_own or self.latest[held.claimed.run_id] is held
        if was_its_own and ending is SUCCESS:
            self.successes[held.claimed.run_id] += 1

    def _check_claim(self, held: Held) -> None:
        """Whoever had it before is lost: nothing was heard of him for as long as a living worker never keeps silent."""
        for other in self.crew.held:
            if other is not held and other.claimed.run_id == held.claimed.run_id:
                heard = self.beats[other.claimed.run_id, id(other)]
                assert (self.world.now - heard).total_seconds() > LOST_AFTER_S

    def settle(self) -> None:
        """Everything is well from now on, until nothing is left to be done."""
        self.redis(is_away=False)
        self.turn(0)
        for one in list(self.crew.held):
            if one.alive:
                self._end(one, SUCCESS)
        for _ in range(2000):
            self.world.now += STEP
            self.turn(0)
            while (held := self.take()) is not None:
                self._end(held, SUCCESS)
            if not self._open():
                return
        raise AssertionError(f"not over: {self._open()}")

    def _open(self) -> list[tuple[Any, ...]]:
        return self.world.ask(
            "SELECT job, scheduled_for, state, reason FROM runs "
            "WHERE state IN ('queued', 'running') OR (state = 'expected' AND due_at <= %s)",
            self.world.now,
        )

    def check(self) -> None:
        """Whatever happened, of a job one run is under way at most."""
        twice = "SELECT job FROM runs WHERE state IN ('queued', 'running') GROUP BY job HAVING count(*) > 1"
        assert self.world.ask(twice) == []

    def judge(self) -> None:
        """What must have come of it all."""
        rows = self.world.ask("SELECT run_id, job, scheduled_for, origin, state, reason, after FROM runs")
        roots = {(job, at) for _, job, at, origin, _, _, after in rows if origin == "schedule" and not after}
        assert {one for one in roots if one[1] <= self.world.now} == self.promises.kept
        assert {run_id: 1 for run_id, *_, state, _, _ in rows if state == "succeeded"} == self.successes
        assert all(reason for *_, state, reason, _ in rows if state in {"missed", "skipped"})
        counted = Counter((job, state) for _, job, _, _, state, _, _ in rows)
        totals = {(job, state): runs for job, state, runs in self.world.ask("SELECT job, state, runs FROM run_totals")}
        for state in ("succeeded", "failed", "missed", "skipped"):
            for job in "abcdegr":
                assert totals.get((job, state), 0) == counted[job, state]


def does(name: str, *values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, tuple[Any, ...]]]:
    return st.tuples(st.just(name), st.tuples(*values))


PLACES, HANDS = st.integers(0, 1), st.integers(0, 5)
ENDINGS = st.sampled_from([SUCCESS, SUCCESS, FAILURE, GIVEN_BACK, retried(10.0), retried(300.0)])
EVENTS: Final = {
    "turn": (does("turn", PLACES), 6),
    "live": (does("live", st.integers(1, 30)), 6),
    "rest": (does("rest", st.sampled_from([1, 15, 40, 70, 200, 500, 2000, 10_000, 50_000])), 4),
    "take": (does("take"), 8),
    "end": (does("end", HANDS, ENDINGS), 6),
    "die": (does("die", HANDS), 2),
    "stop": (does("stop", PLACES), 2),
    "edit": (does("edit", st.integers(0, 2)), 2),
    "flush": (does("flush"), 2),
    "redis": (does("redis", st.booleans()), 2),
    "ask": (does("ask", st.sampled_from(["k1", "k2", "k3"])), 2),
    "gap": (does("gap"), 2),
}
"""What may happen, and how often of so many."""

HISTORY = st.lists(
    st.sampled_from([name for name, (_, often) in EVENTS.items() for _ in range(often)]), min_size=40, max_size=70
).flatmap(lambda names: st.tuples(*(EVENTS[name][0] for name in names)))


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    one = World(database)
    one.shared = SetRows(one)
    yield one
    one.shared.close()


def emptied(world: World) -> World:
    with world.database.connect() as connection:
        connection.execute("TRUNCATE runs, run_totals, schedules, gaps")
    world.now, world.queue, world.redis_is_away = BEGIN, [], False
    return world


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    events=HISTORY,
    second=st.integers(0, 86_400),
    most=st.sampled_from([3, planning.MOST, planning.MOST]),
)
def test_no_run_is_done_twice_and_none_is_silently_missing(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    events: Sequence[tuple[str, tuple[Any, ...]]],
    second: int,
    most: int,
) -> None:
    monkeypatch.setattr(planning, "MOST", most)
    history = History(emptied(world))
    history.rest(second)
    history.turn(0)
    for name, values in events:
        if name == "edit" and most == 3:
            continue  # which pieces an edit finds written down is not what is told here
        getattr(history, name)(*values)
        history.check()
    history.settle()
    history.judge()
