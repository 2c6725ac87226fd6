"""What the desk says of itself while a part of it is stopped, and afterwards."""

import pytest
import requests

from tests.e2e.stack import Desk, eventually

pytestmark = pytest.mark.e2e


def test_a_worker_that_stopped_is_named_and_its_return_is_noticed(desk: Desk) -> None:
    desk.compose("stop", "worker")
    try:
        health = desk.wait_until("down", within_s=60)
        assert {"worker", "consumers/simulator"} & {
            part["part"] for part in health["parts"] if part["status"] == "down"
        }
        assert requests.get(f"{desk.url('api')}/health", timeout=10).status_code == 503
        eventually(
            desk.health,
            lambda health: health["bottleneck"]["part"] == "worker",
            within_s=30,
            what="the worker is named as the bottleneck",
        )
    finally:
        desk.compose("start", "worker")
    desk.wait_until("ok")


def test_without_its_database_the_api_says_so_and_comes_back(desk: Desk) -> None:
    api = desk.url("api")
    desk.compose("stop", "postgres")
    try:
        answer = requests.get(f"{api}/symbols", timeout=10)
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert requests.get(f"{api}/livez", timeout=10).status_code == 200
        health = desk.wait_until("down", within_s=60)
        assert "database" in {part["part"] for part in health["parts"] if part["status"] == "down"}
    finally:
        desk.compose("start", "postgres")
    desk.wait_until("ok")
    assert requests.get(f"{api}/symbols", timeout=10).status_code == 200
