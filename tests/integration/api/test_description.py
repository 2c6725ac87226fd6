"""The api keeps to its own description, whatever is thrown at it (https://schemathesis.readthedocs.io).

Every operation, with what is allowed and with what is not, at every edge of every parameter, and from answer to answer
along the links of the description; with a token, without one where one is needed, and where none is set.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
import schemathesis
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events

from deploy.databases import free_port
from nightdesk.serving import SERVER
from services.api.app import compose
from tests.alerting.processes import Alerter
from tests.conftest import Database
from tests.integration.api import conftest

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]

TOKEN = "open sesame"
PHASES = {"examples", "coverage", "fuzzing", "stateful"}

# What a description cannot say: /health answers 503 where no service runs, and rightly so; a range of time has bounds,
# and must not end before it begins; which text is a regular expression; which jobs the
# schedule has; which instruments and traders are recorded, what fits a column, how many days a report has.
UNSAYABLE = {
    "/health": {"not_a_server_error": {"enabled": False}},
    "/bars": {"positive_data_acceptance": {"enabled": False}},
    "/silences": {"positive_data_acceptance": {"enabled": False}},
    "/runs": {"positive_data_acceptance": {"enabled": False}},
    **{
        path: {"positive_data_acceptance": {"enabled": False}}
        for path in ("/instruments", "/traders", "/orders", "/reports/trades")
    },
}
GUARDED = {
    "/symbols", "/ticks/latest", "/bars", "/gaps", "/alerts", "/alerts/{alert_id}", "/alerts/{alert_id}/ack",
    "/silences", "/silences/{silence_id}", "/runs", "/runs/{run_id}", "/instruments", "/traders", "/orders",
    "/reports/trades",
    "/reports", "/reports/daily/{day}", "/reports/daily/{day}/charts/{name}.svg", "/reports/weekly/{day}",
    "/reports/logs/{day}", "/reports/logs/{day}/{fingerprint}",
}  # fmt: skip


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application as it is served."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, **SERVER))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def api(database: Database, alerter: Alerter, token: str | None) -> Iterator[str]:
    """Serve the api over a real database, beside a real alerter and a real scheduler."""
    changes = {} if token is None else {"api_token": SecretStr(token), "session_secret": SecretStr("pepper")}
    with served(conftest.a_scheduler(database)) as scheduler:
        neighbours = conftest.beside(alerter, scheduler)
        with served(compose(conftest.settings(database, **neighbours, **changes), CollectorRegistry())) as address:
            yield address


def settings(address: str, headers: dict[str, str], max_examples: int) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "base-url": address,
            "headers": headers,
            "generation": {"max-examples": max_examples, "mode": "all", "database": "none", "deterministic": True},
            "operations": [{"include-path": path, "checks": checks} for path, checks in UNSAYABLE.items()],
        }
    )


def description(address: str) -> dict[str, Any]:
    """The description that is served."""
    raw = requests.get(f"{address}/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10).json()
    assert isinstance(raw, dict)
    return raw


class Run:
    """What the engine did and found."""

    def __init__(
        self,
        address: str,
        *,
        headers: dict[str, str],
        max_examples: int = 12,
        described: dict[str, Any] | None = None,
    ) -> None:
        raw = described or description(address)
        schema = schemathesis.openapi.from_dict(raw, config=settings(address, headers, max_examples))
        self.paths = set(raw["paths"])
        self.phases: set[str] = set()
        self.statuses: dict[str, set[int]] = {path: set() for path in raw["paths"]}
        self.problems: list[str] = []
        for event in engine.from_schema(schema).execute():
            self._take(event)

    def _take(self, event: events.EngineEvent) -> None:
        if isinstance(event, events.ScenarioFinished):
            self._scenario(event)
        elif isinstance(event, events.NonFatalError):
            self.problems.append(f"{event.label}: {event.value!r}"[:500])
        elif isinstance(event, events.FatalError):
            raise event.exception

    def _scenario(self, event: events.ScenarioFinished) -> None:
        recorder = event.recorder
        if recorder.interactions:
            self.phases.add(event.phase.value)
        for case_id, interaction in recorder.interactions.items():
            if interaction.response is not None:
                self.statuses[recorder.cases[case_id].value.path].add(interaction.response.status_code)
        for case_id, checks in recorder.checks.items():
            case = recorder.cases[case_id].value
            self.problems += [
                f"{case.method} {case.path} {case.query}: {check.name}: {check.failure_info.failure}"[:500]
                for check in checks
                if check.status is Status.FAILURE and check.failure_info is not None
            ]


def test_without_a_token_set_every_operation_is_as_described(seeded: Database, alerter: Alerter) -> None:
    with api(seeded, alerter, None) as address:
        run = Run(address, headers={})

    assert run.problems == []
    assert run.phases >= PHASES
    assert all(statuses & {200, 201, 202} for path, statuses in run.statuses.items() if path != "/health")
    assert {path for path, statuses in run.statuses.items() if 422 in statuses} >= {
        "/bars", "/gaps", "/ticks/latest", "/alerts", "/silences",
    }  # fmt: skip


def test_with_the_token_every_operation_is_as_described(seeded: Database, alerter: Alerter) -> None:
    with api(seeded, alerter, TOKEN) as address:
        run = Run(address, headers={"Authorization": f"Bearer {TOKEN}"})

    assert run.problems == []
    assert all(statuses & {200, 201, 202} for path, statuses in run.statuses.items() if path != "/health")


def test_without_the_token_what_needs_one_is_refused_as_described(seeded: Database, alerter: Alerter) -> None:
    with api(seeded, alerter, TOKEN) as address:
        run = Run(address, headers={"Authorization": "Bearer guess"}, max_examples=4)

    assert not [problem for problem in run.problems if "positive_data_acceptance" not in problem]
    for path in GUARDED:
        assert run.statuses[path] <= {401, 405}
        assert 401 in run.statuses[path]


def test_a_description_that_is_not_kept_is_noticed(seeded: Database, alerter: Alerter) -> None:
    with api(seeded, alerter, None) as address:
        raw: dict[str, Any] = requests.get(f"{address}/openapi.json", timeout=10).json()
        raw["components"]["schemas"]["Symbol"]["properties"]["shard"] = {"type": "string"}
        raw["paths"] = {"/symbols": raw["paths"]["/symbols"]}
        del raw["paths"]["/symbols"]["get"]["responses"]["200"]["links"]
        schema = schemathesis.openapi.from_dict(raw, config=settings(address, {}, 2))
        found = [event for event in engine.from_schema(schema).execute() if isinstance(event, events.ScenarioFinished)]

    assert any(event.status is Status.FAILURE for event in found)
