"""Everything that arrived at the scripted servers, and whether it reached anybody."""

import threading
import time
from collections.abc import Callable
from typing import Final

from tests.channel_server import SUCCESS, ChannelServer, Received, Reply, ok
from tests.night import reading
from tests.night.reading import Told

SLACK_PATH: Final = "/slack"
PUSHOVER_PATH: Final = "/pushover/1/messages.json"
RECEIPTS_PATH: Final = "/pushover/1/receipts"
NOT_ACKNOWLEDGED: Final = ok(b'{"status":1,"acknowledged":0,"expired":0}')
ACKNOWLEDGED: Final = ok(b'{"status":1,"acknowledged":1,"expired":0}')


class Mailbox:
    """Reads what one server of channels received."""

    def __init__(self, server: ChannelServer) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._failing: list[tuple[float, float]] = []
        self._fails_from_s: float | None = None
        self._read: list[Told] = []
        self._seen = 0
        server.script(SLACK_PATH, SUCCESS["slack"])
        server.script(PUSHOVER_PATH, SUCCESS["pushover"])
        server.script(RECEIPTS_PATH, NOT_ACKNOWLEDGED)

    @property
    def url(self) -> str:
        """The server's address."""
        return self._server.url

    def told(self) -> list[Told]:
        """Return what arrived so far, in the order it came."""
        with self._lock:
            received = self._server.requests()
            for one in received[self._seen :]:
                if one.path.startswith(SLACK_PATH):
                    self._read.append(reading.slack(one.json, one.wall_s, is_delivered=not self._failed(one)))
                elif one.path.startswith(PUSHOVER_PATH):
                    self._read.append(reading.pushover(one.json, one.wall_s))
            self._seen = len(received)
            return list(self._read)

    def fail_slack(self, reply: Reply) -> Callable[[], None]:
        """Let Slack answer so from now on; return what mends it."""
        with self._lock:
            self._fails_from_s = time.time()
        self._server.script(SLACK_PATH, reply)
        return self._mend_slack

    def answer_phone(self) -> None:
        """Acknowledge on the phone whatever it rings for."""
        self._server.script(RECEIPTS_PATH, ACKNOWLEDGED)

    def leave_phone(self) -> None:
        """Acknowledge nothing more."""
        self._server.script(RECEIPTS_PATH, NOT_ACKNOWLEDGED)

    def _mend_slack(self) -> None:
        self._server.script(SLACK_PATH, SUCCESS["slack"])
        with self._lock:
            if self._fails_from_s is not None:
                self._failing.append((self._fails_from_s, time.time()))
            self._fails_from_s = None

    def _failed(self, request: Received) -> bool:
        if self._fails_from_s is not None and request.wall_s >= self._fails_from_s:
            return True
        return any(from_s <= request.wall_s <= until_s for from_s, until_s in self._failing)
