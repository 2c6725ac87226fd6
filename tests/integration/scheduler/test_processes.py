"""The real scheduler and the real workers, through kills and outages."""

import json
import os
import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from nightdesk.errors import UnavailableError
from tests.integration.scheduler.desk import ENTRIES, Desk, eventually, running

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with running(tmp_path_factory.mktemp("source")) as one:
        yield one


def lines(desk: Desk, event: str, run_id: int) -> list[dict[str, object]]:
    """What both workers logged of a run."""
    found = []
    for name in ("jobs-1", "jobs-2"):
        for text in desk.log(name).splitlines():
            with suppress(ValueError):
                line = json.loads(text)
                if line.get("event") == event and line.get("run_id") == run_id:
                    found.append(line)
    return found


def test_a_file_and_a_line_are_a_job(desk: Desk) -> None:
    run_id = desk.ask("once", "a", seconds=0.1)

    assert eventually(lambda: desk.over([run_id]))
    state, attempts, result, log, error = desk.run(run_id, "state", "attempts", "result", "log", "error")
    assert (state, attempts, error) == ("succeeded", 1, None)
    assert result["key"] == "a"
    assert "effects.here" in log
    assert "hush" not in log
    (started,), (ended,) = lines(desk, "run.started", run_id), lines(desk, "run.ended", run_id)
    assert started["args"] == {"key": "a", "seconds": 0.1}
    assert (ended["outcome"], ended["result"]) == ("succeeded", result)


def test_both_workers_and_the_processes_of_runs_log_to_one_file_every_line_whole(desk: Desk) -> None:
    run_ids = [desk.ask("once", f"file-{number}", seconds=0.1) for number in range(4)]
    assert eventually(lambda: desk.over(run_ids))
    (file,) = (desk.stack.layout.log_files / "jobs").glob(f"jobs-{socket.gethostname()}.jsonl")
    found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    assert {line["service"] for line in found} == {"jobs"}
    assert [line["event"] for line in found].count("jobs.starting") >= 2
    ended = [line["run_id"] for line in found if line["event"] == "run.ended"]
    assert all(ended.count(run_id) == 1 for run_id in run_ids)


def test_every_way_to_end_is_in_the_row(desk: Desk) -> None:
    asked = {
        what: desk.ask(f"quick_{place % ENTRIES}", f"way-{what}", do=what)
        for place, what in enumerate(["odd", "huge", "flaky", "find"])
    }
    assert eventually(lambda: desk.over(list(asked.values())))
    odd, huge, flaky, found = (desk.run(asked[what], "state", "attempts", "result", "error") for what in asked)

    assert odd[:2] == ("succeeded", 1)
    assert odd[2] == {"nan": "nan", "nul": "?", "set": [1], "(1, 2)": "<class 'object'>"}
    assert huge[0] == "succeeded"
    assert huge[2]["too_large_bytes"] > 5_000_000
    assert flaky[:2] == ("succeeded", 3)
    assert found == ("failed", 1, {"wrong": 3}, "3 are wrong")


def test_what_raises_is_tried_again_and_then_failed(desk: Desk) -> None:
    run_id = desk.ask("brief", "raises", do="raise")

    assert eventually(lambda: desk.over([run_id]))
    state, attempts, error = desk.run(run_id, "state", "attempts", "error")
    assert (state, attempts) == ("failed", 2)
    assert error.startswith("ValueError: it raises ? ?")
    assert "hush" not in error


def test_a_job_that_hangs_is_ended(desk: Desk) -> None:
    run_id = desk.ask("brief", "hangs", do="hang")

    assert eventually(lambda: desk.over([run_id]))
    assert desk.run(run_id, "state", "attempts", "error") == ("failed", 2, "took longer than 2 s")


def test_a_job_that_swallows_everything_is_ended_too(desk: Desk) -> None:
    run_id = desk.ask("brief", "swallows", do="swallow")

    assert eventually(lambda: desk.over([run_id]))
    assert desk.run(run_id, "state", "attempts", "error") == (
        "failed", 2, "took longer than 2 s, and ignored its end",
    )  # fmt: skip
    assert eventually(lambda: desk.horses() == [])


def test_a_stopped_worker_gives_its_run_back_and_the_other_does_it(desk: Desk) -> None:
    run_id = desk.ask("once", "stopped", seconds=8)
    began = "SELECT 1 FROM effects WHERE run_id = %s AND what = 'began'"
    assert eventually(lambda: bool(desk.sql(began, run_id)))
    (worker,) = desk.run(run_id, "worker")
    pid = int(worker.split(":")[1])
    for name in ("jobs-1", "jobs-2"):
        if pid in children(desk.stack.pid(name)):
            desk.signal(name, signal.SIGTERM)

    assert eventually(lambda: desk.over([run_id]))
    assert desk.run(run_id, "state", "attempts") == ("succeeded", 1)
    assert len(desk.sql(began, run_id)) == 2


def children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def test_a_dead_workers_run_is_taken_back_within_a_minute(desk: Desk) -> None:
    run_id = desk.ask("quick_0", "dead", seconds=20)
    assert eventually(lambda: desk.state(run_id) == "running")
    time.sleep(1)
    (worker,) = desk.run(run_id, "worker")
    os.kill(int(worker.split(":")[1]), signal.SIGKILL)
    began_s = time.monotonic()

    assert eventually(lambda: desk.state(run_id) != "running")
    assert time.monotonic() - began_s < 90  # 45 s of silence, and what a busy machine adds
    assert eventually(lambda: desk.over([run_id]))
    assert desk.run(run_id, "state", "attempts") == ("succeeded", 2)


def test_a_queue_that_was_emptied_is_filled_again(desk: Desk) -> None:
    for name in ("jobs-1", "jobs-2"):
        desk.signal(name, signal.SIGSTOP)
    asked = [desk.ask(f"quick_{place}", "emptied") for place in range(ENTRIES)]
    with desk.redis() as redis:
        assert eventually(lambda: redis.llen("rq:queue:nightdesk") >= ENTRIES)
        redis.flushall()
    for name in ("jobs-1", "jobs-2"):
        desk.signal(name, signal.SIGCONT)

    assert eventually(lambda: desk.over(asked))
    assert {desk.state(run_id) for run_id in asked} == {"succeeded"}


@pytest.mark.parametrize("database", ["redis", "postgres"])
def test_databases_may_go_and_come_back(desk: Desk, database: str) -> None:
    asked = [desk.ask(f"quick_{place}", f"{database}-away", seconds=5) for place in range(ENTRIES)]
    assert eventually(lambda: bool(desk.sql("SELECT 1 FROM effects WHERE key = %s", f"{database}-away")))
    desk.stack.kill(database, signal.SIGINT if database == "postgres" else signal.SIGKILL)

    assert eventually(lambda: answered(desk, asked))
    assert {desk.state(run_id) for run_id in asked} == {"succeeded"}


def answered(desk: Desk, asked: list[int]) -> bool:
    try:
        return desk.over(asked)
    except psycopg.OperationalError:
        return False


def test_gaps_start_runs(desk: Desk) -> None:
    desk.sql("INSERT INTO gaps (symbol_id, kind, cause, state) VALUES (1, 1, 'disconnect', 'open')")

    done = "SELECT 1 FROM runs WHERE job = 'filling' AND origin = 'gap' AND state = 'succeeded'"
    assert eventually(lambda: bool(desk.sql(done)))


def test_twenty_callers_with_one_key_get_one_run(desk: Desk) -> None:
    body = {"job": "once", "idempotency_key": "race", "args": {"key": "race"}}
    together = threading.Barrier(20)
    answers: list[tuple[int, object]] = []

    def ask() -> None:
        together.wait()
        answers.append(desk.post(body))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(answers) == 20
    assert {status for status, _ in answers} == {202}
    assert len({json.dumps(answer) for _, answer in answers}) == 1


def test_whoever_is_killed_whenever_no_run_is_lost_or_done_twice_for_nothing(desk: Desk) -> None:
    chance = random.Random(6)
    asked: list[int] = []
    killed: Counter[str] = Counter()
    end_s = time.monotonic() + 30
    while time.monotonic() < end_s:
        asked += [desk.ask(f"quick_{place}", f"kill-{len(asked)}", seconds=chance.random() * 2) for place in range(2)]
        asked += [desk.ask(f"quick_{place + 2}", f"kill-{len(asked)}") for place in range(2)]
        time.sleep(2 + 5 * chance.random())
        victim = chance.choice(["scheduler", "jobs-1", "jobs-2", "run", "run"])
        with suppress(UnavailableError, ProcessLookupError):
            if victim != "run":
                desk.stack.kill(victim)
                killed[victim] += 1
            elif horses := desk.horses():
                os.kill(chance.choice(horses), signal.SIGKILL)
                killed[victim] += 1

    assert eventually(lambda: desk.over(asked), 400)
    rows = desk.sql("SELECT run_id, state, attempts FROM runs WHERE run_id = ANY(%s)", asked)
    effects = Counter(
        {
            (run_id, what): count
            for run_id, what, count in desk.sql("SELECT run_id, what, count(*) FROM effects GROUP BY 1, 2")
        }
    )
    assert {state for _, state, _ in rows} == {"succeeded"}, killed
    for run_id, _, attempts in rows:
        assert 1 <= effects[run_id, "ended"] <= attempts
        assert effects[run_id, "began"] <= attempts
    again = sum(attempts > 1 for *_, attempts in rows)
    assert again <= 2 * sum(killed.values())


def test_the_minutes_of_it_all_took_place_or_say_why_not(desk: Desk) -> None:
    rows = desk.sql("SELECT scheduled_for, state, reason FROM runs WHERE job = 'minutely' ORDER BY 1")
    times = [at for at, _, _ in rows]

    assert {(after - before).total_seconds() for before, after in pairwise(times)} == {60.0}
    assert all(reason for _, state, reason in rows if state in {"missed", "skipped"})


def test_the_metrics_say_it_all(desk: Desk) -> None:
    # A worker that was killed by another test is replaced, and the scheduler looks at Redis now and then.
    assert eventually(lambda: "nightdesk_job_workers 2.0" in desk.metrics())
    text = desk.metrics()

    for line in (
        'nightdesk_job_runs_total{name="brief",state="failed"}',
        'nightdesk_job_last_success_timestamp_seconds{name="quick_0"}',
        'nightdesk_job_next_run_timestamp_seconds{name="minutely"}',
        'nightdesk_job_missed_total{name="minutely"}',
    ):
        assert line in text
