"""The most memory the collector and the workers held together."""

import threading
from typing import Final

from nightdesk.errors import UnavailableError
from tests.chaos.stacks import Stack, resident_bytes

SERVICES: Final = ("collector", "worker")
EVERY_S: Final = 0.25


class Memory:
    """Looks at resident memory in a thread of its own, from ``start`` to ``stop``."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        self._process_ids: list[int] = []
        self._complete = False
        self._peak_bytes = 0

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._ended.set()
        self._thread.join()

    def take_peak_mb(self) -> float:
        """Return the peak since the last time, in megabytes, and begin anew."""
        peak, self._peak_bytes = self._peak_bytes, 0
        return peak / 1e6

    def _run(self) -> None:
        while not self._ended.wait(EVERY_S):
            held = [resident_bytes(one) for one in self._process_ids]
            self._peak_bytes = max(self._peak_bytes, sum(held))
            if not self._complete or 0 in held:
                self._find()

    def _find(self) -> None:
        """Ask who runs only when someone is missing: asking a Docker engine costs more than looking."""
        try:
            found = [self._stack.process_ids(service) for service in SERVICES]
        except UnavailableError:
            found = []
        self._complete = bool(found) and all(found)
        self._process_ids = [one for process_ids in found for one in process_ids]
