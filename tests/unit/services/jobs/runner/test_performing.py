"""One attempt: whatever the job does, the row says how it went."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from nightdesk.errors import ConfigurationError, NightdeskError, UnavailableError
from nightdesk.runs import Claimed, Ending, Json, State
from services.jobs.runner import performing
from services.jobs.runner.job import FindingError, Progress
from services.jobs.runner.performing import Tail, attempt

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@dataclass
class Rows:
    """What an attempt writes down; it may fail so many times first."""

    failures: list[NightdeskError] = field(default_factory=list)
    ended: list[tuple[str, Ending, str]] = field(default_factory=list)
    beats: list[Json | None] = field(default_factory=list)
    is_taken: bool = False

    def now(self) -> datetime:
        return NOON

    def beat(self, _claimed: Claimed, _worker: str, progress: Json | None, _now: datetime) -> bool:
        self.beats.append(progress)
        return not self.is_taken

    def finish(self, _claimed: Claimed, worker: str, ending: Ending, log: str, _now: datetime) -> bool:
        if self.failures:
            raise self.failures.pop()
        self.ended.append((worker, ending, log))
        return not self.is_taken


def claimed(**changes: Any) -> Claimed:
    values: dict[str, Any] = {
        "run_id": 7, "job": "scan", "task": "pre_market_scan", "scheduled_for": NOON, "args": {"days": 3},
        "attempt": 1, "attempts_allowed": 3, "timeout_s": 30.0, "backoff_s": 10.0, **changes,
    }  # fmt: skip
    return Claimed(**values)


def done(work: Callable[[Progress], Json], rows: Rows | None = None, **changes: Any) -> Ending:
    rows = rows or Rows()
    return attempt(
        claimed(**changes),
        work,
        rows=rows,
        worker="me",
        tail=Tail(),
        random=0.5,  # type: ignore[arg-type]
    )


def raising(error: BaseException) -> Callable[[Progress], Json]:
    def work(_: Progress) -> Json:
        raise error

    return work


def test_a_result_is_a_success() -> None:
    rows = Rows()

    assert done(lambda _: {"found": 3}, rows) == Ending(state=State.SUCCEEDED, result={"found": 3})
    assert [(worker, ending.state) for worker, ending, _ in rows.ended] == [("me", State.SUCCEEDED)]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (UnavailableError("no answer"), Ending(state=State.QUEUED, error="UnavailableError: no answer", wait_s=7.5)),
        (ValueError("odd"), Ending(state=State.QUEUED, error="ValueError: odd", wait_s=7.5)),
        (ConfigurationError("a typo"), Ending(state=State.FAILED, error="ConfigurationError: a typo")),
        (FindingError("3 bad", {"n": 3}), Ending(state=State.FAILED, error="3 bad", result={"n": 3})),
        (KeyboardInterrupt(), Ending(state=State.FAILED, error="stopped by hand")),
    ],
)
def test_an_error_says_whether_trying_again_helps(error: BaseException, expected: Ending) -> None:
    assert done(raising(error)) == expected


def test_the_last_attempt_is_the_last() -> None:
    assert done(raising(UnavailableError("no")), attempt=3) == Ending(state=State.FAILED, error="UnavailableError: no")


@pytest.mark.parametrize(("count", "least_s", "most_s"), [(1, 5, 10), (2, 10, 20), (4, 40, 80), (50, 1800, 3600)])
def test_waits_double_up_to_an_hour_with_jitter(count: int, least_s: float, most_s: float) -> None:
    waits = []
    for random in (0.0, 0.5, 0.999999):
        ending = attempt(
            claimed(attempt=count, attempts_allowed=100), raising(UnavailableError("no")), rows=Rows(),  # type: ignore[arg-type]
            worker="me", tail=Tail(), random=random,
        )  # fmt: skip
        waits.append(ending.wait_s or 0.0)

    assert waits[0] == least_s
    assert least_s < waits[1] < waits[2] <= most_s


def test_the_time_of_an_attempt_ends() -> None:
    ending = done(lambda _: time.sleep(30) or {}, timeout_s=0.1)

    assert (ending.state, ending.error) == (State.QUEUED, "took longer than 0 s")


def test_a_job_that_swallows_the_end_of_its_time_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performing, "AGAIN_S", 0.05)
    swallowed = []

    def work(_: Progress) -> Json:
        for _try in range(3):
            try:
                time.sleep(30)
            except BaseException as error:  # noqa: BLE001  as bad code does
                swallowed.append(error)
        time.sleep(30)
        return {}

    assert done(work, timeout_s=0.1).state is State.QUEUED
    assert len(swallowed) == 3


def test_a_job_that_ignores_the_end_of_its_time_is_ended_with_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performing, "IGNORED_S", 0.1)
    rows, left = Rows(), []

    def work(_: Progress) -> Json:
        while not left:
            with suppress(BaseException):
                time.sleep(0.05)
        return {}

    attempt(claimed(timeout_s=0.1), work, rows=rows, worker="me", tail=Tail(), random=0.5, leave=left.append)  # type: ignore[arg-type]

    assert left == [performing.EXIT_IGNORED]
    assert rows.ended[0][1] == Ending(state=State.QUEUED, error="took longer than 0 s, and ignored its end", wait_s=7.5)


def test_a_stopped_worker_gives_its_run_back_at_no_cost() -> None:
    def work(_: Progress) -> Json:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
        return {}

    ending = done(work)

    assert ending == Ending(state=State.QUEUED, error="the worker was stopped", wait_s=0.0, is_free=True)


def test_signals_are_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)
    done(lambda _: {})

    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_end_is_written_through_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performing, "END_PAUSE_S", 0.0)
    rows = Rows(failures=[UnavailableError("PostgreSQL is away")] * 200)
    done(lambda _: {}, rows)

    assert len(rows.ended) == 1


def test_what_postgresql_will_never_take_is_not_offered_for_minutes() -> None:
    rows = Rows(failures=[ConfigurationError("no"), ConfigurationError("no")])
    done(lambda _: {}, rows)

    assert len(rows.failures) == 1


def test_the_start_and_the_end_are_logged_with_inputs_and_outcome() -> None:
    with capture_logs() as lines:
        done(lambda _: {"found": 0})

    started, ended = lines
    assert (started["event"], started["args"], started["attempt"]) == ("run.started", {"days": 3}, 1)
    assert started["scheduled_for"] == NOON.isoformat()
    assert (ended["event"], ended["outcome"], ended["result"]) == ("run.ended", "succeeded", {"found": 0})


def test_a_result_that_json_cannot_say_is_said_all_the_same() -> None:
    odd = done(lambda _: {(1, 2): float("nan"), "nul": "\0"})
    found = done(raising(FindingError("bad", {"x": {3}})))

    assert odd.result == {"(1, 2)": "nan", "nul": "?"}
    assert found.result == {"x": [3]}


@pytest.mark.parametrize("result", [None, [1], "text"])
def test_a_result_that_is_no_mapping_is_a_failure(result: Any) -> None:
    ending = done(lambda _: result)

    assert (ending.state, ending.error) == (
        State.FAILED, f"the job returned {type(result).__name__}, which is no mapping",
    )  # fmt: skip


def test_a_long_result_is_not_all_in_the_log() -> None:
    with capture_logs() as lines:
        ending = done(lambda _: {"text": "x" * 100_000})

    assert len(str(ending.result)) > 100_000
    assert len(str(lines[-1])) < 3000


def test_a_failed_attempt_is_logged_with_when_it_is_tried_again() -> None:
    with capture_logs() as lines:
        done(raising(UnavailableError("no")))

    assert (lines[-1]["outcome"], lines[-1]["again_in_s"], lines[-1]["log_level"]) == ("queued", 7.5, "warning")


def test_credentials_are_in_no_error() -> None:
    ending = done(raising(ValueError("postgresql://me:hush@db/x token=hush2 " + "y" * 9000)))

    assert ending.error is not None
    assert "hush" not in ending.error
    assert len(ending.error) <= performing.LONGEST_ERROR


def test_progress_is_said_with_the_next_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performing, "BEAT_S", 0.01)
    rows, seen = Rows(), threading.Event()

    def work(progress: Progress) -> Json:
        progress(3, 4, "days")
        while {"done": 3, "total": 4, "what": "days"} not in rows.beats:
            seen.wait(0.01)
        return {}

    assert done(work, rows).state is State.SUCCEEDED


def test_the_last_lines_of_a_log_are_kept_and_long_ones_are_cut() -> None:
    tail = Tail()
    for number in range(100):
        tail.keep(f"{number} " + "x" * 5000)

    lines = tail.text().splitlines()
    assert lines[0].startswith("40 ")
    assert {len(line) for line in lines} == {performing.LONGEST_LINE}


def test_answers_of_an_exchange_push_nothing_out_of_the_last_lines() -> None:
    tail = Tail()
    tail.keep('{"event": "backfill.gap"}')
    for _ in range(100):
        tail.keep('{"event": "fetch.succeeded"}')

    assert tail.text() == '{"event": "backfill.gap"}'
