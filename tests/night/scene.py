"""What an incident may touch: the desk, the exchange, the understudy, the mail, the clocks."""

import contextlib
import re
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import requests

from nightdesk.errors import NightdeskError, UnavailableError
from tests.chaos.simulator import TIMEOUT_S, Simulator
from tests.night import reading, week
from tests.night.disguise import Clock
from tests.night.mailbox import Mailbox
from tests.night.reading import Told
from tests.night.stack import ALERTER, NightStack
from tests.night.understudy import Understudy

LOOK_S: Final = 0.2


class AbortedError(NightdeskError):
    """The week is given up."""


class Moments:
    """What happened when, for those that wait for it."""

    def __init__(self) -> None:
        self._at_s: dict[str, float] = {}

    def note(self, name: str, at_s: float) -> None:
        """Say when something happened, Unix seconds."""
        self._at_s[name] = at_s

    def get(self, name: str) -> float | None:
        """Return when it happened; None while it has not."""
        return self._at_s.get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything there is; methods that wait raise AbortedError once the week is given up."""

    stack: NightStack
    simulator: Simulator
    understudy: Understudy
    mail: Mailbox
    clock: Clock
    moments: Moments = field(default_factory=Moments)
    ends: threading.Event = field(default_factory=threading.Event)

    def passed_s(self) -> float:
        """Return how many seconds of the week have passed."""
        return self.clock.passed_s(time.time())

    def pause(self, seconds: float) -> None:
        """Wait."""
        if self.ends.wait(max(0.0, seconds)):
            raise AbortedError("the week was given up")

    def until(self, passed_s: float) -> None:
        """Wait until so many seconds of the week have passed."""
        self.pause(passed_s - self.passed_s())

    def wait_for(self, happened: Callable[[], bool], limit_s: float) -> bool:
        """Look until it happened; False when it did not in time. What does not answer has not happened."""
        deadline_s = time.monotonic() + limit_s
        while time.monotonic() < deadline_s:
            with contextlib.suppress(UnavailableError, requests.RequestException):
                if happened():
                    return True
            self.pause(LOOK_S)
        return False

    def wait_told(self, words: re.Pattern[str], *, from_s: float, limit_s: float) -> Told | None:
        """Return the first message with these words that was delivered from a moment on; None when none comes."""
        self.wait_for(lambda: self.first_told(words, from_s) is not None, limit_s)
        return self.first_told(words, from_s)

    def first_told(self, words: re.Pattern[str], from_s: float) -> Told | None:
        """Return the first message with these words that was delivered from a moment on, if there is one."""
        return reading.first(self.mail.told(), words, from_s=from_s)

    def post(self, title: str, text: str, **fields: str) -> float:
        """Post a critical message as a strategy would, and return when, Unix seconds."""
        token = self.stack.secret(ALERTER, "notifications-token")
        body: dict[str, Any] = {"level": "critical", "title": title, "text": text, "fields": fields}
        at_s = time.time()
        answer = requests.post(
            f"{self.stack.url(ALERTER)}/notifications",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_S,
        )
        answer.raise_for_status()
        return at_s

    def say(self, text: str) -> None:
        """Report progress, by both clocks."""
        passed_s = self.passed_s()
        # in one write: many speak at once
        sys.stderr.write(f"{passed_s:7.1f} s  {week.written(self.clock.week.simulated_s(passed_s))}  {text}\n")
