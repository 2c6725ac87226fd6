"""An alerter that is killed again and again, its unreliable channels, and a person who acknowledges now and then."""

import contextlib
import os
import signal
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Final, TypeAlias

import requests

from tests.alerting.account import Arrival, Telling
from tests.alerting.processes import Alerter
from tests.channel_server import ChannelServer, Received, Reply, hang, limited, ok, status

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
watch: {every: 0.3s, resolve_after: 1s, unreachable_after: 30s}
"""
"""Nothing is damped and no channel stands in for another: each channel has to get all that is meant for it."""

RESOLVE_AFTER_S: Final = 1.0
READY_LIMIT_S: Final = 60.0
EVENT_LIMIT_S: Final = 6.0
"""How long to wait for the event that a kill aims at; then it strikes anyway."""

START_S: Final = 2.5
"""About how long a start takes, until it is known."""

UPTIME_S: Final = 6.0
PAUSE_S: Final = (0.5, 3.0)
"""How long the person does nothing, from and to."""

LOOK_S: Final = 0.02
REPLIES: Final = 50_000
PAGE: Final = 200


class Channels:
    """Three servers that take most of what comes, refuse some of it for now, and are slow now and then."""

    HOOK: Final = "/hook"
    SLACK: Final = "/slack"
    PAGER: Final = "/pager"

    def __init__(self, random: Random) -> None:
        self._server = ChannelServer()
        self._replies: dict[str, Sequence[Reply]] = {}
        for path in (self.HOOK, self.SLACK, self.PAGER):
            self._replies[path] = random.choices(*_MOODS, k=REPLIES)
            self._server.script(path, *self._replies[path], ok())

    def __enter__(self) -> "Channels":
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    def environ(self) -> dict[str, str]:
        """Return the variables that lead the alerter here."""
        return {
            "WEBHOOK_URL": f"{self._server.url}{self.HOOK}",
            "WEBHOOK_SECRET": "secret-of-the-hook",
            "SLACK_WEBHOOK_URL": f"{self._server.url}{self.SLACK}",
            "PAGER_URL": f"{self._server.url}{self.PAGER}",
            "PAGER_SECRET": "secret-of-the-pager",
        }

    def taken(self, path: str) -> list[Received]:
        """Return the requests that were whole and answered with success, even to somebody who was dead by then."""
        came = zip(self._server.requests(path), self._replies[path], strict=False)
        return [
            one for one, reply in came if reply.status < 300 and len(one.body) == int(one.headers["Content-Length"])
        ]

    def wait_for_request(self, within_s: float, *, held: bool) -> None:
        """Return with the next request; with the next that is held for a while, if so wanted; or after so long."""
        until_s = time.monotonic() + within_s
        with contextlib.suppress(AssertionError):  # none came
            while (left_s := until_s - time.monotonic()) > 0:
                came = self._server.wait_for(len(self._server.requests()) + 1, left_s)
                if not held or self._is_held(came):
                    return

    def _is_held(self, came: Sequence[Received]) -> bool:
        path = came[-1].path
        before = sum(one.path == path for one in came) - 1
        return self._replies[path][before].hang_s > 0


def _is_whole(received: Received) -> bool:
    return len(received.body) == int(received.headers["Content-Length"])


_MOODS: Final = (
    (ok(), status(500), limited(1), hang(0.4), hang(1.5)),
    (86, 4, 2, 5, 3),
)
"""Answers, and how many of a hundred are of each kind."""


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
        self.channels = Channels(Random(f"{seed}-{name}-channels"))
        environ = self.channels.environ() | {"PYTHONPATH": str(without_calendars(directory))}
        self.alerter = Alerter(directory / name, prometheus_url, POLICY, environ)
        self.kills: dict[str, int] = dict.fromkeys(AIMS, 0)
        self.starts_s: list[float] = []
        """How long each start took that was left to end, until it was known what fires."""

        self._started_s = 0.0
        self.acknowledged: set[int] = set()
        """The alerts whose acknowledgement was answered."""

        self.findings: list[str] = []

    def suffer(self, kills: int, deadline_s: float) -> None:
        """Be killed so often, and started again at once each time; the last time it goes on."""
        for _ in range(kills):
            if time.monotonic() > deadline_s:
                self.findings.append(f"{self.name}: not killed {kills} times in the time there was")
                break
            aim = self._random.choice(list(AIMS))
            AIMS[aim](self, self._random)
            if self.alerter.ended() is not None:
                self.findings.append(f"{self.name}: it ended by itself: {self.alerter.text()[-2000:]}")
            os.killpg(self.alerter.pid, signal.SIGKILL)  # with what it started, as when a container dies
            self.alerter.kill()
            self.kills[aim] += 1
            self._start()

    def acknowledge(self, over: threading.Event) -> None:
        """Acknowledge what arrived last, again and again, until it is over."""
        random = Random(f"{self._random.random()}")
        while not over.wait(random.uniform(*PAUSE_S)):
            arrived = self.channels.taken(Channels.HOOK)[-1:]
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

    def is_calm(self) -> bool:
        """Return whether nothing fires and nothing waits to be delivered."""
        with contextlib.suppress(requests.RequestException):
            waits = self.alerter.health()["outbox"]["facts"]["waiting"]
            return not waits and not self.alerter.get("/alerts?firing=true")["alerts"]
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


Aim: TypeAlias = Callable[[Victim, Random], None]
"""Waits, after a start, for the moment to kill."""


def at_any_time(victim: Victim, random: Random) -> None:
    """Some time after it began to work."""
    victim.await_ready()
    time.sleep(random.uniform(0, UPTIME_S))


def at_its_start(victim: Victim, random: Random) -> None:
    """Anywhere in its start: imports, its file, its first questions."""
    time.sleep(random.uniform(0, victim.start_s()))


def as_it_reads_up(victim: Victim, random: Random) -> None:
    """As it has just read what it missed: about when it decides on that and writes it down."""
    victim.await_log("alerts.read_up", EVENT_LIMIT_S)
    time.sleep(random.uniform(0, 0.05))


def as_it_decides(victim: Victim, random: Random) -> None:
    """As it has just written down what to tell."""
    victim.await_log("notification.created", EVENT_LIMIT_S)
    time.sleep(random.uniform(0, 0.02))


def after_an_arrival(victim: Victim, random: Random) -> None:
    """As a message has just arrived: about when it takes note of that."""
    victim.await_ready()
    time.sleep(random.uniform(0, 2))
    victim.channels.wait_for_request(EVENT_LIMIT_S, held=False)
    time.sleep(random.uniform(0, 0.02))


def while_a_request_is_held(victim: Victim, random: Random) -> None:
    """While a slow channel has not answered yet."""
    victim.await_ready()
    victim.channels.wait_for_request(EVENT_LIMIT_S, held=True)
    time.sleep(random.uniform(0, 0.4))


AIMS: Final[Mapping[str, Aim]] = {
    "any": at_any_time,
    "start": at_its_start,
    "read-up": as_it_reads_up,
    "decision": as_it_decides,
    "arrival": after_an_arrival,
    "held": while_a_request_is_held,
}


def without_calendars(directory: Path) -> Path:
    """Return a path for Python without exchange calendars: each start would compute some, and nothing asks them."""
    path = directory / "python"
    path.mkdir(parents=True, exist_ok=True)
    (path / "exchange_calendars.py").write_text('raise ImportError("not needed")', encoding="utf-8")
    return path


def arrival_of(received: Received) -> Arrival:
    """Return what a webhook's request says."""
    said = received.json
    told = tuple(
        Telling(
            alert_id=one["alert_id"],
            labels=frozenset(one["labels"].items()),
            started_s=one["started_s"],
            ended_s=one["ended_s"],
        )
        for one in said["alerts"]
    )
    return Arrival(notification_id=said["notification_id"], kind=said["kind"], at_s=received.wall_s, told=told)


def unix_s(text: str) -> float:
    """Return the Unix time of an ISO 8601 text."""
    return datetime.fromisoformat(text).timestamp()
