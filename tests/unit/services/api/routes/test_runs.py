"""Runs over HTTP."""

import json
from datetime import UTC, datetime
from typing import Any

from tests.unit.services.api.desk import SCHEDULERS_TOKEN, FakeNeighbour, FakeStore, a_client, away, missing

AT = datetime(2026, 11, 5, 3, 40, tzinfo=UTC)


def a_run(run_id: int = 7, **changes: Any) -> dict[str, Any]:
    return {
        "run_id": run_id, "job": "backup", "task": "backup", "scheduled_for": AT, "origin": "schedule",
        "chain": "backup", "after": [], "args": {}, "state": "succeeded", "reason": "", "attempts": 1,
        "attempts_allowed": 3, "overlapped": False, "worker": "a:1", "queued_at": AT, "started_at": AT,
        "finished_at": AT, "duration_s": 2.5, "progress": None, "result": {"rows": 3}, "error": None, "log": "",
        **changes,
    }  # fmt: skip


def test_a_run_has_its_result() -> None:
    store = FakeStore(answers={"runs": [a_run()]})

    run = a_client(store=store).get("/runs/7").json()

    assert (run["state"], run["result"], run["duration_s"]) == ("succeeded", {"rows": 3}, 2.5)
    assert store.asked[-1][1] == {
        "run_id": 7, "job": None, "chain": None, "state": None, "before": None, "limit": 1,
    }  # fmt: skip


def test_a_run_that_there_is_not_is_named() -> None:
    answer = a_client().get("/runs/7")

    assert answer.status_code == 404
    assert answer.json()["errors"][0]["detail"] == "there is no run 7"


def test_a_page_of_runs_names_the_next_one() -> None:
    store = FakeStore(answers={"runs": [a_run(9), a_run(8), a_run(7)]})

    body = a_client(store=store).get("/runs?limit=2&job=backup&state=succeeded").json()

    assert [run["run_id"] for run in body["runs"]] == [9, 8]
    assert body["next"] == 8


def test_runs_can_be_read_while_the_scheduler_is_away() -> None:
    store = FakeStore(answers={"runs": [a_run()]})

    assert a_client(store=store, scheduler=FakeNeighbour(away=True)).get("/runs").status_code == 200


def test_without_the_database_there_is_no_answer() -> None:
    assert a_client(store=away()).get("/runs/7").status_code == 503


def test_a_job_is_started_by_the_scheduler() -> None:
    scheduler = FakeNeighbour({("POST", "/runs"): {"run_id": 12}}, status=202)
    wanted = {"job": "backup", "args": {"keep": 3}, "idempotency_key": "tonight"}

    answer = a_client(scheduler=scheduler).post("/runs", json=wanted)

    assert (answer.status_code, answer.json()) == (202, {"run_id": 12})
    (question,) = scheduler.asked
    assert json.loads(question.body or b"") == wanted
    assert question.headers is not None
    assert question.headers["Authorization"] == f"Bearer {SCHEDULERS_TOKEN}"


def test_what_the_scheduler_refuses_is_said_in_its_words() -> None:
    for status in (409, 422):
        scheduler = FakeNeighbour({("POST", "/runs"): missing("the schedule has no x", status)}, status=status)

        answer = a_client(scheduler=scheduler).post("/runs", json={"job": "x"})

        assert answer.status_code == status
        assert "the schedule has no x" in answer.json()["detail"]


def test_a_scheduler_that_is_away_is_a_503() -> None:
    answer = a_client(scheduler=FakeNeighbour(away=True)).post("/runs", json={"job": "backup"})

    assert answer.status_code == 503
    assert "scheduler" in answer.json()["detail"]


def test_arguments_that_no_database_stores_are_refused() -> None:
    answer = a_client(scheduler=FakeNeighbour()).post("/runs", json={"job": "backup", "args": {"a": "\0"}})

    assert answer.status_code == 422
    assert "NUL" in answer.json()["detail"]


def test_starting_a_job_takes_the_token() -> None:
    assert a_client(token="open sesame").post("/runs", json={"job": "backup"}).status_code == 401


# --- for browsers ---

HTML = {"Accept": "text/html,*/*;q=0.8"}


def test_a_browser_gets_what_ran_and_apart_from_it_what_is_to_come() -> None:
    later = a_run(9, state="expected", job="preflight", result=None, scheduled_for=AT.replace(hour=13))
    store = FakeStore(answers={"runs": [later, a_run(8)], "jobs": [{"job": "backup"}]})

    text = a_client(store=store).get("/runs", headers=HTML).text

    assert "1 to come, the next preflight" in text
    assert text.count("<tr") == 2
    assert "rows 3" in text
    assert "<option>backup</option>" in text


def test_what_is_asked_for_by_its_state_is_in_the_list() -> None:
    store = FakeStore(answers={"runs": [a_run(9, state="expected")]})

    text = a_client(store=store).get("/runs?state=expected", headers=HTML).text

    assert "to come" not in text.partition("<form")[2]
    assert 'href="/runs/9"' in text


def test_a_run_that_failed_is_read_with_its_error_and_its_log() -> None:
    failed = a_run(state="failed", error="<boom> & more", log="line one\nline two", args={"keep": 3}, result=None)

    text = a_client(store=FakeStore(answers={"runs": [failed]})).get("/runs/7", headers=HTML).text

    assert "&lt;boom&gt; &amp; more" in text
    assert "line one\nline two" in text
    assert "&#34;keep&#34;: 3" in text
    assert "live.js" not in text


def test_a_run_under_way_shows_how_far_it_is() -> None:
    running = a_run(state="running", progress={"done": 3, "total": 10, "what": "days"}, finished_at=None, result=None)

    text = a_client(store=FakeStore(answers={"runs": [running]})).get("/runs/7", headers=HTML).text

    assert 'max="10" value="3"' in text
    assert "live.js" in text
