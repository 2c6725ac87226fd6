"""An alerter that is killed again and again, and a person who acknowledges now and then."""

import contextlib
import os
import signal
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, Final

import requests

from tests.alerting.account import Arrival
from tests.alerting.channels import HOOK, Channels, arrival_of, moods
from tests.alerting.processes import Alerter

POLICY: Final = """
channels:
  hook: {kind: webhook, per_minute: 600}
  slack: {kind: slack, per_minute: 600}
  pager: {kind: webhook, url: PAGER_URL, secret: PAGER_SECRET, per_minute: 600}
page:
  steps:
    - {channels: [hook, slack]}
    - {after: 3s, channels: [pager]}
  repeat: 4s
  interval: 0s
group_by: [alertname, feed]
flapping: {episodes: 100, within: 1s, hold: 0s}
digest: {at: ["00:00"], channels: [hook]}
failover_after: 1h
watch: {every: 0.3s, resolve_after: 1s, settle_after: 0s, unreachable_after: 30s}
"""
"""Nothing is damped and no channel stands in for another: each channel has to get all that is meant for it."""

RESOLVE_AFTER_S: Final = 1.0
READY_LIMIT_S: Final = 60.0
START_S: Final = 2.5
"""About how long a start takes, until it is known."""

PAUSE_S: Final = (0.5, 3.0)
"""How long the person does nothing, from and to."""

LOOK_S: Final = 0.02
PAGE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the alerter itself says at the end, by number: alerts acknowledged, messages made, messages delivered."""

    acknowledged_s: Mapping[int, float]
    created_s: Mapping[int, float]
    delivered: Mapping[str, frozenset[int]]
    """By channel."""


class Victim:
    """One alerter with a state and channels of its own."""

    def __init__(self, name: str, directory: Path, prometheus_url: str, seed: str) -> None:
        self.name = name
        self._random = Random(f"{seed}-{name}")
        self._person = Random(f"{seed}-{name}-person")
        self.channels = Channels(moods(Random(f"{seed}-{name}-channels")))
        environ = self.channels.environ() | {"PYTHONPATH": str(without_calendars(directory))}
        self.alerter = Alerter(directory / name, prometheus_url, POLICY, environ)
        self.kills: list[tuple[float, str]] = []
        """When it was killed, Unix seconds, and what that aimed at."""

        self.starts_s: list[float] = []
        """How long each start took that was left to end, until it was known what fires."""

        self._started_s = 0.0
        self.acknowledged: set[int] = set()
        """The alerts whose acknowledgement was answered."""

        self.findings: list[str] = []

    def suffer(self, kills: int, aims: Mapping[str, Callable[["Victim", Random], None]], deadline_s: float) -> None:
        """Be killed so often, at the moments of these aims, and started again at once; the last time it goes on."""
        for _ in range(kills):
            if time.monotonic() > deadline_s:
                self.findings.append(f"{self.name}: not killed {kills} times in the time there was")
                break
            aim = self._random.choice(list(aims))
            aims[aim](self, self._random)
            if self.alerter.ended() is not None:
                self.findings.append(f"{self.name}: it ended by itself: {self.alerter.text()[-2000:]}")
            os.killpg(self.alerter.pid, signal.SIGKILL)  # with what it started, as when a container dies
            self.alerter.kill()
            self.kills.append((time.time(), aim))
            self._start()

    def acknowledge(self, over: threading.Event) -> None:
        """Acknowledge what arrived last, again and again, until it is over."""
        while not over.wait(self._person.uniform(*PAUSE_S)):
            arrived = self.channels.taken(HOOK)[-1:]
            firing = [told.alert_id for one in arrived for told in arrival_of(one).told if told.ended_s is None]
            with contextlib.suppress(requests.RequestException):  # dead at the moment: nobody knows what became of it
                for number in firing[:1]:
                    done = self.alerter.post(f"/alerts/{number}/ack", {"by": "person"})
                    self.acknowledged.update(done["alerts"])

    def begin(self) -> None:
        """Start it and return once it knows what fires."""
        self._start()
        self.await_ready()

    def start_s(self) -> float:
        """Return how long a start takes."""
        return statistics.median(self.starts_s) if self.starts_s else START_S

    def await_ready(self) -> None:
        """Wait until it knows what fires, and note how long that took since it was started."""
        while time.monotonic() - self._started_s < READY_LIMIT_S:
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{self.alerter.url}/readyz", timeout=2).status_code == 200:
                    self.starts_s.append(time.monotonic() - self._started_s)
                    return
            time.sleep(LOOK_S)
        self.findings.append(f"{self.name}: not ready {READY_LIMIT_S:.0f} s after a start")

    def await_log(self, event: str, within_s: float) -> None:
        """Wait until it logs an event, or for so long."""
        until_s = time.monotonic() + within_s
        with self.alerter.log.open("rb") as log:
            log.seek(0, 2)
            while time.monotonic() < until_s and event.encode() not in log.read():
                time.sleep(LOOK_S)

    def is_calm(self, since_s: float) -> bool:
        """Return whether it has asked since then, Unix seconds, nothing fires and nothing waits to be delivered."""
        with contextlib.suppress(requests.RequestException):
            has_asked = self.alerter.metric("nightdesk_watch_last_good_timestamp_seconds") > since_s
            waits = self.alerter.health()["outbox"]["facts"]["waiting"]
            return has_asked and not waits and not self.alerter.get("/alerts?firing=true")["alerts"]
        return False

    def arrivals(self, path: str) -> list[Arrival]:
        """Return what one of the two webhooks took, in its order."""
        return [arrival_of(one) for one in self.channels.taken(path)]

    def evidence(self) -> Evidence:
        """Return what the alerter says of the whole run."""
        alerts = self._all("alerts", "alert_id")
        told = self._all("notifications", "notification_id")
        acknowledged = {one["alert_id"]: one["acknowledged_at"] for one in alerts if one["acknowledged_at"]}
        return Evidence(
            acknowledged_s={number: unix_s(at) for number, at in acknowledged.items()},
            created_s={one["notification_id"]: unix_s(one["created_at"]) for one in told},
            delivered={
                channel: frozenset(
                    one["notification_id"]
                    for one in told
                    for delivery in one["deliveries"]
                    if (delivery["channel"], delivery["state"]) == (channel, "delivered")
                )
                for channel in ("hook", "slack", "pager")
            },
        )

    def _start(self) -> None:
        self._started_s = time.monotonic()
        self.alerter.start()

    def _all(self, what: str, number: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        before = ""
        while page := self.alerter.get(f"/{what}?limit={PAGE}{before}")[what]:
            found += page
            before = f"&before={page[-1][number]}"
        return found


def without_calendars(directory: Path) -> Path:
    """Return a path for Python without exchange calendars: each start would compute some, and nothing asks them."""
    path = directory / "python"
    path.mkdir(parents=True, exist_ok=True)
    (path / "exchange_calendars.py").write_text('raise ImportError("not needed")', encoding="utf-8")
    return path


def unix_s(text: str) -> float:
    """Return the Unix time of an ISO 8601 text."""
    return datetime.fromisoformat(text).timestamp()
