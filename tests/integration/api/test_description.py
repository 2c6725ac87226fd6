"""The api keeps to its own description, whatever is thrown at it (https://schemathesis.readthedocs.io)."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance

from deploy.databases import free_port
from services.api.app import compose
from tests.conftest import Database
from tests.integration.api import conftest

pytestmark = pytest.mark.integration

# What a description cannot say: /health answers 503 where no service runs, and rightly so; a range of time has bounds,
# and must not end before it begins.
UNSAYABLE: dict[str, list[Any]] = {"/health": [not_a_server_error], "/bars": [positive_data_acceptance]}


@pytest.fixture
def address(seeded: Database) -> Iterator[str]:
    port = free_port()
    app = compose(conftest.settings(seeded))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize(
    "path", ["/health", "/livez", "/readyz", "/metrics", "/symbols", "/ticks/latest", "/bars", "/gaps"]
)
def test_answers_are_as_described(address: str, path: str) -> None:
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")

    @settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=schema[path]["GET"].as_strategy())
    def answer(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(base_url=address, excluded_checks=UNSAYABLE.get(path, []))

    answer()
