"""Turns of schedulers over real rows: absences, restarts, edits, two at once, lost queues and dead workers."""

import threading
from datetime import timedelta

import pytest

from nightdesk.errors import NightdeskError, UnavailableError
from nightdesk.runs import State
from nightdesk.ticks import Kind
from services.scheduler import planning
from tests.conftest import Database
from tests.integration.scheduler.world import (
    BEGIN,
    FAILURE,
    GIVEN_BACK,
    SUCCESS,
    Crew,
    World,
    asked,
    clockwork,
    retried,
    schedule,
)  # fmt: skip

pytestmark = [pytest.mark.integration, pytest.mark.slow]

MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def every_minute(**changes: object) -> dict[str, object]:
    return {"cron": "* * * * *", "timezone": "UTC", **changes}


def states(world: World, job: str = "a") -> dict[str, int]:
    return dict(world.ask("SELECT state, count(*) FROM runs WHERE job = %s GROUP BY state", job))


def minutes(world: World, state: str, job: str = "a") -> list[float]:
    rows = world.ask("SELECT scheduled_for FROM runs WHERE job = %s AND state = %s ORDER BY 1", job, state)
    return [(at - BEGIN) / MINUTE for (at,) in rows]


def test_the_first_turn_promises_what_comes_next_and_nothing_before(world: World) -> None:
    clockwork(world, schedule(a=every_minute())).turn()

    assert minutes(world, "expected") == [1]


def test_a_run_goes_from_expected_to_its_end(world: World) -> None:
    turning, crew = clockwork(world, schedule(a=every_minute())), Crew(world)
    turning.turn()
    world.now += MINUTE
    turning.turn()
    held = crew.take()

    assert held is not None
    assert crew.end(held, SUCCESS)
    assert minutes(world, "succeeded") == [1]
    assert minutes(world, "expected") == [2]


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [
        ("latest", {"skipped": 1999, "queued": 1, "expected": 1}),
        ("skip", {"missed": 1985, "queued": 1, "expected": 15}),
        ("all", {"missed": 1940, "queued": 1, "expected": 60}),
    ],
)
def test_after_a_long_absence_every_run_is_accounted_for_in_pieces(
    world: World, catch_up: str, expected: dict[str, int]
) -> None:
    of = schedule(a=every_minute(catch_up=catch_up, grace="14m", max_age="59m"), b=every_minute(catch_up="skip"))
    clockwork(world, of).turn()
    world.now += 2000 * MINUTE
    turning = clockwork(world, of)
    turning.turn()
    assert sum(states(world).values()) == 2 * planning.MOST + 1
    assert "queued" not in states(world)
    for _ in range(4):
        turning.turn()

    assert states(world) == expected
    assert states(world, "b")["expected"] + states(world, "b")["missed"] + 1 == 2001


def test_two_schedulers_of_which_one_is_behind_let_the_latest_go_once(world: World) -> None:
    of = schedule(a=every_minute())
    clockwork(world, of).turn()
    world.now += 1200 * MINUTE
    first, second = clockwork(world, of), clockwork(world, of)
    for turning in (first, second, first, first, second, second, first):
        turning.turn()

    assert states(world) == {"skipped": 1199, "queued": 1, "expected": 1}
    assert minutes(world, "queued") == [1200]


def test_schedulers_that_turn_at_once_do_everything_once(world: World) -> None:
    of = schedule(**{f"job_{place}": every_minute(catch_up="all") for place in range(20)})
    turning = [clockwork(world, of) for _ in range(4)]
    for one in turning:
        one.turn()
    world.now += 3 * MINUTE
    together = threading.Barrier(len(turning))
    failed: list[NightdeskError] = []

    def turn(place: int) -> None:
        together.wait()
        try:
            for _ in range(3):
                turning[place].turn()
        except NightdeskError as error:
            failed.append(error)

    threads = [threading.Thread(target=turn, args=[place]) for place in range(len(turning))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert not failed
    assert world.ask("SELECT count(*), count(DISTINCT job) FROM runs WHERE state = 'queued'") == [(20, 20)]
    assert world.ask("SELECT sum(runs) FROM run_totals WHERE state = 'queued'") == [(20,)]


def test_a_scheduler_with_an_old_view_lets_no_second_run_of_a_job_go(world: World) -> None:
    of = schedule(a=every_minute(catch_up="all"))
    turning, rows = clockwork(world, of), world.rows()
    turning.turn()
    world.now += 2 * MINUTE
    turning.turn()
    (waiting,) = [one for one in rows.open(world.now) if one.state is State.EXPECTED]

    assert rows.queue([waiting.run_id], world.now) == set()


def test_a_queue_that_forgets_is_filled_again(world: World) -> None:
    turning, crew = clockwork(world, schedule(a=every_minute())), Crew(world)
    turning.turn()
    world.now += MINUTE
    turning.turn()
    world.queue.clear()
    world.now += timedelta(seconds=10)
    turning.turn()
    assert world.queue == []

    world.now += timedelta(seconds=11)
    turning.turn()
    assert len(world.queue) == 1
    assert crew.take() is not None


def test_what_is_decided_while_the_queue_is_away_is_sent_when_it_is_back(world: World) -> None:
    turning = clockwork(world, schedule(a=every_minute()))
    turning.turn()
    world.now += MINUTE
    world.redis_is_away = True
    with pytest.raises(UnavailableError):
        turning.turn()
    assert minutes(world, "queued") == [1]

    world.redis_is_away = False
    turning.turn()
    assert len(world.queue) == 1


def kept_up(world: World, turning: object, seconds: int, crew: Crew) -> None:
    """Turn every five seconds, as if it were every second."""
    for _ in range(seconds // 5):
        world.now += timedelta(seconds=5)
        crew.beat()
        turning.turn()  # type: ignore[attr-defined]


def test_a_dead_workers_run_is_taken_back_within_a_minute_and_tried_again(world: World) -> None:
    turning, crew = clockwork(world, schedule(a={"on": "request"})), Crew(world)
    run_id = world.rows().request(asked("a"), state=State.EXPECTED, now=world.now)
    turning.turn()
    first = crew.take()
    assert first is not None
    kept_up(world, turning, 20, crew)
    first.alive = False
    kept_up(world, turning, 55, crew)
    assert world.ask("SELECT state, attempts, error FROM runs") == [
        ("queued", 1, "the worker that had it gave no sign of life")
    ]

    kept_up(world, turning, 30, crew)
    second = crew.take()
    assert second is not None
    assert (second.claimed.run_id, second.claimed.attempt) == (run_id, 2)
    assert not crew.end(first, SUCCESS)
    second.alive = False
    kept_up(world, turning, 60, crew)
    assert world.ask("SELECT state, attempts FROM runs") == [("failed", 2)]


def test_workers_that_slept_as_the_scheduler_did_keep_their_runs(world: World) -> None:
    """The lid was closed over night, or PostgreSQL was away: nobody could say anything."""
    turning, crew = clockwork(world, schedule(a={"on": "request"})), Crew(world)
    world.rows().request(asked("a", timeout_s=86_400.0), state=State.EXPECTED, now=world.now)
    turning.turn()
    held = crew.take()
    assert held is not None
    world.now += timedelta(hours=8)
    turning.turn()
    world.now += timedelta(seconds=9)
    turning.turn()
    assert states(world) == {"running": 1}

    kept_up(world, turning, 120, crew)
    assert crew.end(held, SUCCESS)


def test_a_run_that_is_given_back_costs_no_attempt(world: World) -> None:
    turning, crew = clockwork(world, schedule(a={"on": "request"})), Crew(world)
    world.rows().request(asked("a", attempts_allowed=1), state=State.EXPECTED, now=world.now)
    for _ in range(3):
        turning.turn()
        held = crew.take()
        assert held is not None
        assert held.claimed.attempt == 1
        crew.end(held, GIVEN_BACK)
    turning.turn()
    held = crew.take()
    assert held is not None
    assert crew.end(held, SUCCESS)


def test_a_retry_waits_and_is_sent_again(world: World) -> None:
    turning, crew = clockwork(world, schedule(a={"on": "request"})), Crew(world)
    world.rows().request(asked("a"), state=State.EXPECTED, now=world.now)
    turning.turn()
    held = crew.take()
    assert held is not None
    crew.end(held, retried(30.0))
    world.now += timedelta(seconds=29)
    turning.turn()
    assert world.queue == []

    world.now += timedelta(seconds=1)
    turning.turn()
    assert crew.take() is not None


CHAIN = {"a": every_minute(), "b": {"after": ["a"]}, "c": {"after": ["b"]}, "d": {"after": ["a", "c"]}}


def test_a_chain_reads_as_one_run(world: World) -> None:
    turning, crew = clockwork(world, schedule(**CHAIN)), Crew(world)
    turning.turn()
    world.now += MINUTE
    order = []
    for _ in range(4):
        turning.turn()
        held = crew.take()
        assert held is not None
        order.append(held.claimed.job)
        crew.end(held, SUCCESS)

    assert order == ["a", "b", "c", "d"]
    assert world.ask("SELECT DISTINCT chain, scheduled_for FROM runs WHERE state = 'succeeded'") == [
        ("a", BEGIN + MINUTE)
    ]


def test_what_comes_after_a_failure_is_skipped_and_says_why(world: World) -> None:
    turning, crew = clockwork(world, schedule(**CHAIN)), Crew(world)
    turning.turn()
    world.now += MINUTE
    turning.turn()
    held = crew.take()
    assert held is not None
    crew.end(held, FAILURE)
    for _ in range(3):
        turning.turn()

    assert world.ask("SELECT job, state, reason FROM runs WHERE scheduled_for = %s ORDER BY job", BEGIN + MINUTE) == [
        ("a", "failed", ""),
        ("b", "skipped", "comes after a, which failed"),
        ("c", "skipped", "comes after b, which was skipped"),
        ("d", "skipped", "comes after a, which failed"),
    ]


def test_an_edited_schedule_takes_back_what_has_not_come_yet(world: World) -> None:
    clockwork(world, schedule(a=every_minute(), b={"cron": "30 * * * *", "timezone": "UTC"})).turn()
    clockwork(world, schedule(b={"cron": "45 * * * *", "timezone": "UTC", "grace": "7m"})).turn()

    assert world.ask("SELECT job, scheduled_for, grace_s FROM runs") == [("b", BEGIN + 45 * MINUTE, 420.0)]


def test_what_was_due_and_left_the_schedule_is_skipped_and_says_why(world: World) -> None:
    clockwork(world, schedule(a=every_minute(), b={"on": "request"})).turn()
    world.now += MINUTE
    clockwork(world, schedule(b={"on": "request"})).turn()

    assert world.ask("SELECT state, reason FROM runs") == [("skipped", "no longer in the schedule")]


def test_a_job_that_comes_back_promises_nothing_for_the_time_between(world: World) -> None:
    clockwork(world, schedule(a=every_minute(), b={"on": "request"})).turn()
    clockwork(world, schedule(b={"on": "request"})).turn()
    world.now += 100 * MINUTE
    clockwork(world, schedule(a=every_minute())).turn()

    assert states(world) == {"expected": 1}


@pytest.mark.parametrize("between", [{"on": "gap"}, {"on": "request"}, {"after": ["b"]}])
def test_a_job_that_had_no_time_for_a_while_promises_nothing_for_it(world: World, between: dict[str, object]) -> None:
    other = {"cron": "0 0 * * *", "timezone": "UTC"}
    clockwork(world, schedule(a=every_minute(), b=other)).turn()
    world.now += timedelta(seconds=5)
    clockwork(world, schedule(a=between, b=other)).turn()
    world.now += 100 * MINUTE
    clockwork(world, schedule(a=every_minute(), b=other)).turn()

    assert states(world) == {"expected": 1}
    assert minutes(world, "expected") == [101]


def open_gap(world: World, seconds: float, kind: Kind = Kind.TRADE) -> None:
    world.ask(
        "INSERT INTO gaps (symbol_id, kind, from_id, to_id, cause, state, opened_at) "
        "VALUES (1, %s, 1, 2, 'disconnect', 'open', %s) RETURNING 1",
        kind,
        BEGIN + timedelta(seconds=seconds),
    )


ON_GAP = {"a": {"on": "gap", "settle": "30s"}, "b": {"after": ["a"]}}


def test_gaps_of_one_stretch_start_one_run_and_its_chain(world: World) -> None:
    turning, crew = clockwork(world, schedule(**ON_GAP)), Crew(world)
    turning.turn()
    for second in (1, 2.5, 29, 31):
        open_gap(world, second)
    open_gap(world, 65, kind=Kind.QUOTE)
    world.now += timedelta(seconds=34)
    turning.turn()
    assert minutes(world, "expected") == [0.5, 1]

    world.now += timedelta(seconds=32)
    turning.turn()
    assert states(world) == {"skipped": 1, "queued": 1}
    held = crew.take()
    assert held is not None
    crew.end(held, SUCCESS)
    turning.turn()
    assert minutes(world, "queued", "b") == [1]


def test_a_gap_that_shows_late_starts_a_run_still(world: World) -> None:
    turning = clockwork(world, schedule(**ON_GAP))
    turning.turn()
    world.now += timedelta(seconds=50)
    turning.turn()
    open_gap(world, 28)
    turning.turn()

    assert minutes(world, "queued") == [0.5]


def test_gaps_from_before_the_entry_start_nothing(world: World) -> None:
    open_gap(world, -3600)
    turning = clockwork(world, schedule(**ON_GAP))
    turning.turn()

    assert states(world) == {}


def test_gaps_of_an_absence_start_runs(world: World) -> None:
    clockwork(world, schedule(**ON_GAP)).turn()
    open_gap(world, 600)
    world.now += 30 * MINUTE
    clockwork(world, schedule(**ON_GAP)).turn()

    assert minutes(world, "queued") == [10.5]


def test_a_missed_run_is_counted(world: World) -> None:
    of = schedule(a=every_minute(catch_up="skip", grace="10s"))
    clockwork(world, of).turn()
    world.now += 5 * MINUTE + timedelta(seconds=20)
    clockwork(world, of).turn()

    assert world.rows().totals(["a"])["a", State.MISSED] == 5


def test_runs_that_are_asked_for_wait_for_each_other_and_all_take_place(world: World) -> None:
    turning, crew = clockwork(world, schedule(a={"on": "request"})), Crew(world)
    for key in "xyz":
        world.now += timedelta(milliseconds=1)
        world.rows().request(asked("a", key), state=State.EXPECTED, now=world.now)
    for _ in range(3):
        turning.turn()
        assert states(world)["queued"] == 1
        held = crew.take()
        assert held is not None
        crew.end(held, SUCCESS)

    assert states(world) == {"succeeded": 3}
    assert world.ask("SELECT count(*) FROM runs WHERE overlapped") == [(2,)]
