"""The scheduler keeps to its own description, whatever is asked; with the token, a wrong one and none."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from fastapi import FastAPI

from tests.conftest import Database
from tests.integration.api.conftest import RUNS_TOKEN, a_scheduler
from tests.integration.api.test_description import Run, served

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture
def scheduler(database: Database) -> FastAPI:
    return a_scheduler(database)


@pytest.fixture
def address(scheduler: FastAPI) -> Iterator[str]:
    with served(scheduler) as one:
        yield one


def ask(address: str, body: Any, token: str = RUNS_TOKEN) -> requests.Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return requests.post(f"{address}/runs", data=data, headers=headers, timeout=10)


def test_every_operation_is_as_described(scheduler: FastAPI, address: str) -> None:
    headers = {"Authorization": f"Bearer {RUNS_TOKEN}"}
    found = Run(address, headers=headers, max_examples=60, described=scheduler.openapi())

    assert found.problems == []
    assert {202, 422} <= found.statuses["/runs"]
    assert not {status for status in found.statuses["/runs"] if status >= 500}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guess"}])
def test_nobody_asks_without_the_token(scheduler: FastAPI, address: str, headers: dict[str, str]) -> None:
    found = Run(address, headers=headers, max_examples=4, described=scheduler.openapi())

    assert found.statuses["/runs"] <= {400, 401, 405, 422}
    assert 401 in found.statuses["/runs"]


def test_a_run_is_asked_for_once_by_its_key(address: str, database: Database) -> None:
    body = {"job": "restore_day", "args": {"day": "2026-03-08"}, "idempotency_key": "k"}
    first, second = ask(address, body), ask(address, body)

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    with database.connect() as connection:
        rows = connection.execute("SELECT job, task, origin, state, args FROM runs WHERE origin = 'request'").fetchall()
    assert rows in (
        [("restore_day", "restore_day", "request", state, {"day": "2026-03-08"})] for state in ("expected", "queued")
    )


def test_a_key_is_not_for_something_else(address: str) -> None:
    ask(address, {"job": "restore_day", "idempotency_key": "k"})
    other = ask(address, {"job": "restore_day", "idempotency_key": "k", "args": {"day": "2026-03-08"}})

    assert other.status_code == 409
    assert other.json()["errors"][0]["field"] == "idempotency_key"


def test_a_job_that_is_not_there_is_named_with_those_there_are(address: str) -> None:
    answer = ask(address, {"job": "no_such_job"})

    assert answer.status_code == 422
    assert "the schedule has no no_such_job; it has " in answer.text
    assert "backfill_gaps" in answer.text


@pytest.mark.parametrize(
    "args", [b'{"x": NaN}', b'{"x": -Infinity}', b'{"x": "\\u0000"}', b'{"x": "\\ud800"}', b'{"\\u0000": 1}']
)
def test_what_the_database_cannot_hold_is_refused(address: str, args: bytes) -> None:
    answer = ask(address, b'{"job": "restore_day", "args": ' + args + b"}")

    assert answer.status_code == 422
    assert "hold what the database cannot" in answer.text


def test_without_the_database_the_caller_is_told_to_ask_again(database: Database) -> None:
    gone = Database(server=database.server, name="no_such_database")
    with served(a_scheduler(gone)) as address:
        answer = ask(address, {"job": "restore_day", "idempotency_key": "k"})

    assert answer.status_code == 503
