"""The person: reads what arrives and acknowledges it by the number that stands there, unless an incident forbids it."""

import contextlib
import threading
import time
from collections.abc import Iterable
from typing import Final

import requests

from tests.chaos.simulator import TIMEOUT_S
from tests.night.incidents import Incident
from tests.night.reading import Told
from tests.night.scene import AbortedError, Scene

READS_S: Final = 3.0
"""How long after a message arrived."""


class Person:
    """Acknowledges in a thread of its own, between entering and leaving."""

    def __init__(self, scene: Scene, incidents: Iterable[Incident]) -> None:
        self._scene = scene
        self._incidents = tuple(incidents)
        self._done: set[int] = set()
        self.acknowledged_s: dict[str, float] = {}
        """By incident: when it was first acknowledged, Unix seconds."""
        self._goes = threading.Event()
        self._thread = threading.Thread(target=self._run, name="person", daemon=True)

    def __enter__(self) -> "Person":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._goes.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._goes.wait(0.5):
            for told in self._scene.mail.told():
                number = told.number
                if number is None or number in self._done or time.time() < told.at_s + READS_S:
                    continue
                with contextlib.suppress(requests.RequestException, AbortedError):  # the api may be away: look again
                    self._look_after(told, number)

    def _look_after(self, told: Told, number: int) -> None:
        about = [one for one in self._incidents if one.words.search(told.text)]
        if not told.is_delivered or not about or not all(one.acknowledges for one in about):
            return
        url = f"{self._scene.stack.url('api')}/alerts/{number}/ack"
        requests.post(url, json={"by": "the person"}, timeout=TIMEOUT_S).raise_for_status()
        self._done.add(number)
        for one in about:
            self.acknowledged_s.setdefault(one.name, time.time())
