"""Channels that mostly work: they take most of what comes, refuse some of it for now, and are slow now and then."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from random import Random
from types import TracebackType
from typing import Final

from tests.alerting.account import Arrival, Telling
from tests.channel_server import ChannelServer, Received, Reply, hang, limited, ok, status

REPLIES: Final = 50_000

MOODS: Final = (
    (ok(), status(500), limited(1), hang(0.4), hang(1.5)),
    (86, 4, 2, 5, 3),
)
"""Answers, and how many of a hundred are of each kind."""


HOOK: Final = "/hook"
SLACK: Final = "/slack"
PAGER: Final = "/pager"


class Channels:
    """Two webhooks and a Slack, each with its answers, in their order."""

    def __init__(self, replies: Mapping[str, Sequence[Reply]]) -> None:
        self._replies = replies
        self._server = ChannelServer()
        for path, answers in replies.items():
            self._server.script(path, *answers)

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
            "WEBHOOK_URL": f"{self._server.url}{HOOK}",
            "WEBHOOK_SECRET": "secret-of-the-hook",
            "SLACK_WEBHOOK_URL": f"{self._server.url}{SLACK}",
            "PAGER_URL": f"{self._server.url}{PAGER}",
            "PAGER_SECRET": "secret-of-the-pager",
        }

    def taken(self, path: str) -> list[Received]:
        """Return the requests that were whole and answered with success, even to somebody who was dead by then."""
        came = zip(self._server.requests(path), self._replies[path], strict=False)
        return [one for one, reply in came if reply.status < 300 and _is_whole(one)]

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


def moods(random: Random) -> dict[str, list[Reply]]:
    """Return answers for each channel, more than will be needed."""
    return {path: random.choices(*MOODS, k=REPLIES) for path in (HOOK, SLACK, PAGER)}


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


def _is_whole(received: Received) -> bool:
    return len(received.body) == int(received.headers["Content-Length"])
