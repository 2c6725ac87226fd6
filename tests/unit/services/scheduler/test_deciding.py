"""What becomes of due runs, as stories in lines."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nightdesk.runs import Open, Origin, State
from services.scheduler.deciding import Decision, End, Lose, Overlap, Queue, Watch, decide, unsent

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WATCHED = Watch(since=NOON - 10 * MINUTE)


def a_run(minute: float = 0, *, job: str = "scan", run_id: int = 0, **changes: object) -> Open:
    """A run that was due so many minutes after noon, with five minutes of grace."""
    at = NOON + minute * MINUTE
    run = Open(
        run_id=run_id or round(minute * 10) + 1000,
        job=job,
        scheduled_for=at,
        state=State.EXPECTED,
        origin=Origin.SCHEDULE,
        after=(),
        due_at=at,
        grace_s=300.0,
        catch_up="latest",
        max_age_s=3600.0,
        timeout_s=60.0,
        attempts=0,
        attempts_allowed=3,
        backoff_s=30.0,
        sent_at=None,
        beat_at=None,
        finished_at=None,
        overlapped=False,
    )
    return replace(run, **changes)  # type: ignore[arg-type]


def at(minute: float, *runs: Open) -> list[Decision]:
    return decide(runs, NOON + minute * MINUTE, 0.5, WATCHED)


def said(decisions: Sequence[Decision]) -> list[str]:
    """Each decision as a word, the minute its run is for, and why."""
    lines = []
    for one in decisions:
        minute = (one.run.scheduled_for - NOON) / MINUTE
        match one:
            case Queue():
                lines.append(f"queue {minute:g}")
            case End(state=state, reason=reason):
                lines.append(f"{state.value} {minute:g}: {reason}")
            case Overlap(reason=reason):
                lines.append(f"overlap {minute:g}: {reason}")
            case Lose():
                lines.append(f"lose {minute:g}")
    return lines


@pytest.mark.parametrize(
    ("story", "catch_up", "now", "due", "expected"),
    [
        ("what is due goes", "skip", 0, [0], ["queue 0"]),
        ("what is late within its grace goes", "skip", 5, [0], ["queue 0"]),
        ("what is later is missed", "skip", 6, [0], ["missed 0: 6 min late, and its grace is 5 min"]),
        ("skip lets what is still on time go", "skip", 6, [0, 5],
         ["missed 0: 6 min late, and its grace is 5 min", "queue 5"]),
        ("latest makes up for one", "latest", 30, [0], ["queue 0"]),
        ("latest makes up for the newest only", "latest", 30, [0, 10, 20],
         ["skipped 0: superseded by the run for 2026-11-02 12:20 UTC",
          "skipped 10: superseded by the run for 2026-11-02 12:20 UTC", "queue 20"]),
        ("latest makes up for nothing that is too old", "latest", 61, [0],
         ["missed 0: 1 h 1 min late, and too old to be caught up after 1 h"]),
        ("all makes up for each, one after the other", "all", 30, [0, 10],
         ["queue 0", "overlap 10: waits for the run for 2026-11-02 12:00 UTC, which is queued"]),
        ("all makes up for nothing that is too old", "all", 70, [0, 20],
         ["missed 0: 1 h 10 min late, and too old to be caught up after 1 h", "queue 20"]),
    ],
)  # fmt: skip
def test_late_runs_by_policy(story: str, catch_up: str, now: float, due: list[float], expected: list[str]) -> None:
    assert said(at(now, *(a_run(minute, catch_up=catch_up) for minute in due))) == expected, story


def test_what_is_not_due_stays() -> None:
    assert at(-1, a_run(0)) == []


def test_one_run_of_a_job_is_under_way_at_a_time() -> None:
    running = a_run(0, state=State.RUNNING, beat_at=NOON + 10 * MINUTE)

    assert said(at(10, running, a_run(10))) == [
        "overlap 10: waits for the run for 2026-11-02 12:00 UTC, which is running"
    ]
    assert said(at(10, running, a_run(10, overlapped=True))) == []
    assert said(at(10, running, a_run(10, job="other"))) == ["queue 10"]


def test_a_run_that_waited_too_long_for_the_one_before_is_missed_and_says_so() -> None:
    running = a_run(0, state=State.RUNNING, beat_at=NOON + 20 * MINUTE)

    (line,) = said(at(20, running, a_run(10, catch_up="skip", overlapped=True)))

    assert line == (
        "missed 10: 10 min late, and its grace is 5 min; the run for 2026-11-02 12:00 UTC was still running"
    )  # fmt: skip


def test_what_somebody_asked_for_does_not_stand_in_for_the_schedule() -> None:
    asked = a_run(20, origin=Origin.REQUEST, catch_up="all")

    assert said(at(30, a_run(10), asked)) == [
        "queue 10",
        "overlap 20: waits for the run for 2026-11-02 12:10 UTC, which is queued",
    ]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (State.EXPECTED, []),
        (State.QUEUED, []),
        (State.RUNNING, []),
        (State.SUCCEEDED, ["queue 0"]),
        (State.FAILED, ["skipped 0: comes after first, which failed"]),
        (State.MISSED, ["skipped 0: comes after first, which was missed"]),
        (State.SKIPPED, ["skipped 0: comes after first, which was skipped"]),
    ],
)
def test_a_chain_goes_on_only_when_what_comes_before_succeeded(before: State, expected: list[str]) -> None:
    first = a_run(
        0, job="first", state=before, beat_at=NOON + MINUTE, finished_at=NOON + MINUTE, due_at=NOON + 9 * MINUTE
    )
    second = a_run(0, job="second", after=("first",))

    assert said(at(1, first, second)) == expected


def test_a_chain_is_late_from_when_what_comes_before_was_over() -> None:
    first = a_run(0, job="first", state=State.SUCCEEDED, finished_at=NOON + 60 * MINUTE)
    second = a_run(0, job="second", after=("first",), catch_up="skip")

    assert said(at(64, first, second)) == ["queue 0"]
    assert said(at(66, first, second)) == ["missed 0: 6 min late, and its grace is 5 min"]


def test_a_chain_without_its_beginning_is_skipped() -> None:
    assert said(at(0, a_run(0, after=("gone",)))) == ["skipped 0: comes after gone, which has no run for this time"]


def test_a_worker_that_is_silent_loses_its_run_within_a_minute() -> None:
    running = a_run(0, state=State.RUNNING, beat_at=NOON, attempts=1)

    assert at(44 / 60, running) == []
    (lost,) = at(46 / 60, running)
    assert isinstance(lost, Lose)
    assert 15 <= (lost.due_at - NOON).total_seconds() - 46 <= 30


def test_after_a_pause_of_everybody_a_worker_has_time_to_say_that_it_is_there() -> None:
    running = a_run(0, state=State.RUNNING, beat_at=NOON, attempts=1)
    awake = Watch(since=NOON + 60 * MINUTE)

    assert decide([running], NOON + 60.3 * MINUTE, 0.5, awake) == []
    assert said(decide([running], NOON + 60.4 * MINUTE, 0.5, awake)) == ["lose 0"]


def test_of_a_long_absence_the_newest_run_that_is_written_down_is_not_yet_the_latest() -> None:
    behind = Watch(since=NOON, behind={"scan": NOON + 10 * MINUTE})
    runs = [a_run(0), a_run(10), a_run(10, job="other")]

    assert said(decide(runs, NOON + 20 * MINUTE, 0.5, behind)) == [
        "skipped 0: superseded by the run for 2026-11-02 12:10 UTC",
        "skipped 10: superseded by a later run",
        "queue 10",
    ]
    assert said(decide([a_run(20)], NOON + 20 * MINUTE, 0.5, behind)) == ["queue 20"]


def test_thousands_of_runs_of_a_long_absence_are_decided_about_at_once() -> None:
    many = [a_run(minute, run_id=minute + 1) for minute in range(5000)]

    assert len(at(5000, *many)) == 5000


def test_a_run_is_sent_once_and_again_when_no_queue_holds_it() -> None:
    new, gone, waiting, fresh, later = (
        a_run(0, run_id=1, state=State.QUEUED),
        a_run(0, run_id=2, state=State.QUEUED, sent_at=NOON - 30 * timedelta(seconds=1)),
        a_run(0, run_id=3, state=State.QUEUED, sent_at=NOON - 30 * timedelta(seconds=1)),
        a_run(0, run_id=4, state=State.QUEUED, sent_at=NOON - timedelta(seconds=5)),
        a_run(1, run_id=5, state=State.QUEUED),
    )
    names = {run_id: f"id-{run_id}" for run_id in range(1, 6)}

    found = unsent([new, gone, waiting, fresh, later], frozenset({"id-3"}), names, NOON, long_slots=1)

    assert [one.run_id for one in found] == [1, 2]


def test_long_runs_never_take_every_worker() -> None:
    running = a_run(0, run_id=1, job="archive", state=State.RUNNING, timeout_s=3600.0, beat_at=NOON)
    long = a_run(0, run_id=2, job="backup", state=State.QUEUED, timeout_s=3600.0)
    quick = a_run(0, run_id=3, job="preflight", state=State.QUEUED, timeout_s=60.0)
    names = {1: "a", 2: "b", 3: "c"}

    assert [one.run_id for one in unsent([running, long, quick], frozenset(), names, NOON, long_slots=1)] == [3]
    assert [one.run_id for one in unsent([running, long, quick], frozenset(), names, NOON, long_slots=2)] == [2, 3]
