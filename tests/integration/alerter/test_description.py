"""The alerter keeps to its own description, whatever is thrown at it; with the right token, a wrong one and none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alerting.processes import CONTROL, POSTING, Alerter, running
from tests.channel_server import ChannelServer
from tests.integration.api.test_description import PHASES, Run

pytestmark = [pytest.mark.integration, pytest.mark.slow]

POLICY = """
channels:
  hook: {kind: webhook, per_minute: 600}
page: {steps: [{channels: [hook]}], repeat: 1h, interval: 0s}
digest: {at: ["00:00"], channels: [hook]}
watch: {every: 0.2s, resolve_after: 1s, settle_after: 0s, unreachable_after: 1s}
"""
"""Prometheus is nowhere, which is an alert of its own a second after the start."""

CONTROLLED = {
    "/alerts", "/alerts/{alert_id}", "/alerts/{alert_id}/ack", "/silences", "/silences/{silence_id}",
    "/channels",
}  # fmt: skip
TEST = "/test"
"""Takes the token of the api and that of jobs."""

READ = {"/alerts", "/alerts/{alert_id}", "/silences"}
"""What jobs may read of it, for the reports; what else these paths take is not for them."""

REFUSED = {400, 401, 405, 422}
"""A body that is no JSON is seen to be none before anybody asks for a token."""


@pytest.fixture
def alerter(tmp_path: Path) -> Iterator[Alerter]:
    with ChannelServer() as server:
        secrets = {"WEBHOOK_URL": f"{server.url}/hook", "WEBHOOK_SECRET": "secret-of-the-hook"}
        one = Alerter(tmp_path, "http://127.0.0.1:9", POLICY, secrets)
        with running(one):
            one.begin()
            one.post("/notifications", {"level": "critical", "title": "the strategy stopped itself"}, token=POSTING)
            yield one
            assert one.ended() is None
            assert one.health()["watch"]


def run(alerter: Alerter, token: str | None, max_examples: int = 12) -> Run:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return Run(alerter.url, headers=headers, max_examples=max_examples)


def test_with_the_token_of_the_api_every_operation_is_as_described(alerter: Alerter) -> None:
    found = run(alerter, CONTROL)

    assert found.problems == []
    assert found.phases >= PHASES
    assert all(found.statuses[path] & {200, 201} for path in CONTROLLED | {"/notifications", TEST})
    assert {path for path, statuses in found.statuses.items() if 422 in statuses} >= {"/alerts", "/silences"}
    assert "request.failed" not in alerter.text()


def test_with_the_token_of_jobs_they_may_say_something_and_read_what_fired_as_described_and_no_more(
    alerter: Alerter,
) -> None:
    found = run(alerter, POSTING)

    assert not [problem for problem in found.problems if "positive_data_acceptance" not in problem]
    assert found.statuses["/notifications"] >= {202, 401, 422}
    assert 200 in found.statuses[TEST]
    for path in CONTROLLED - READ:
        assert found.statuses[path] <= REFUSED
    for path in READ:
        assert found.statuses[path] <= REFUSED | {200, 404}


@pytest.mark.parametrize("token", [None, "guess"])
def test_without_a_token_nothing_but_a_links_page_is_open(alerter: Alerter, token: str | None) -> None:
    found = run(alerter, token, max_examples=4)

    assert not [problem for problem in found.problems if "positive_data_acceptance" not in problem]
    for path in CONTROLLED | {"/notifications", TEST}:
        assert found.statuses[path] <= REFUSED
        assert 401 in found.statuses[path]
    assert found.statuses["/ack/{token}"] <= {404, 405, 422}
