"""The alerter stopped or killed while it is being asked: what it answered is safe, and no answer is a fault."""

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.alerting.processes import POSTING, Alerter, running

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(180)]

POLICY = """
channels: {slack: {kind: slack}}
page: {steps: [{channels: [slack]}], repeat: 1h}
routes: [{match: {alertname: Notification}, to: log}]
digest: {at: ["00:00"], channels: [slack]}
watch: {every: 0.2s, resolve_after: 1s, settle_after: 0s, unreachable_after: 1s}
"""
CLIENTS = 4


@pytest.fixture
def alerter(tmp_path: Path) -> Iterator[Alerter]:
    one = Alerter(tmp_path, "http://127.0.0.1:9", POLICY, {})
    with running(one):
        one.begin()
        yield one


class Askers:
    """Clients that post one message after the other, each once, and note what they were answered."""

    def __init__(self, alerter: Alerter) -> None:
        self._alerter = alerter
        self._ending = threading.Event()
        self._pool = ThreadPoolExecutor(CLIENTS)
        self.accepted: set[str] = set()
        self.statuses: set[int] = set()

    def __enter__(self) -> "Askers":
        self._tasks = [self._pool.submit(self._ask, f"client {number}") for number in range(CLIENTS)]
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for task in self._tasks:
            task.result()
        self._pool.shutdown()

    def _ask(self, name: str) -> None:
        for number in range(100_000):
            if self._ending.is_set():
                return
            title = f"{name}, message {number}"
            try:
                answer = requests.post(
                    f"{self._alerter.url}/notifications",
                    json={"level": "info", "title": title, "dedup_key": title},
                    headers={"Authorization": f"Bearer {POSTING}"},
                    timeout=20,
                )
            except requests.RequestException:
                self._ending.wait(0.05)
                continue
            self.statuses.add(answer.status_code)
            if answer.status_code == 202:
                self.accepted.add(title)


def kept(alerter: Alerter) -> list[str]:
    """Return the title of everything that was said, as often as it is known."""
    found: list[str] = []
    before = ""
    while True:
        page = alerter.get(f"/alerts?limit=500{before}")
        found += [one["labels"]["title"] for one in page["alerts"] if one["name"] == "Notification"]
        if page["next"] is None:
            return found
        before = f"&before={page['next']}"


def test_what_was_answered_before_a_kill_is_there_after_it_once(alerter: Alerter) -> None:
    with Askers(alerter) as askers:
        for _ in range(3):
            time.sleep(1.5)
            alerter.kill()
            alerter.begin()

    said = kept(alerter)
    assert askers.accepted
    assert askers.accepted <= set(said)
    assert len(said) == len(set(said))


def test_who_asks_while_it_stops_is_answered_or_not_but_never_with_a_fault(alerter: Alerter) -> None:
    with Askers(alerter) as askers:
        time.sleep(1.5)
        alerter.stop()

    assert '"event": "alerter.stopped"' in alerter.text()
    assert askers.statuses == {202}
    assert "request.failed" not in alerter.text()
    assert "Traceback" not in alerter.text()
    alerter.begin()
    assert askers.accepted <= set(kept(alerter))


def test_an_interrupt_is_a_stop(alerter: Alerter) -> None:
    alerter.send(signal.SIGINT)
    while alerter.ended() is None:
        time.sleep(0.02)

    assert '"event": "alerter.stopped"' in alerter.text()
