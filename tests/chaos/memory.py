"""Memory stays flat: what each collector and worker holds when all is calm, before a fault and after it, and the peak.

Python gives the system little back of what a burst of work took, so a process may keep one turn's worth (a worker reads
2 MB of frames at a time, which take about 100 MB on their way). What it must not do is keep more after each fault, or
what grew with the length of an outage. So two things are looked at for every process that lived through a fault: what
it held after everything was drained over what it held before the fault, and over what it held when it was first calm.
"""

import itertools
import threading
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from nightdesk.errors import UnavailableError
from tests.chaos.stacks import Stack, resident_bytes

SERVICES: Final = ("collector", "worker")
EVERY_S: Final = 0.25
FIND_EVERY: Final = 20
"""Looks between two questions who runs."""

GROWTH_LIMIT_MB: Final = 128.0
"""One turn of a worker and the buffers of a collector, with room; an hour's outage makes gigabytes."""


class Process(NamedTuple):
    """One process of a service."""

    service: str
    process_id: int


Held = Mapping[Process, float]
"""What each process holds, in megabytes."""


def growths_mb(before: Held, after: Held) -> dict[Process, float]:
    """Return how much more each process holds that lived through it all."""
    return {one: after[one] - held for one, held in before.items() if after.get(one)}


def growth_findings(growths: Mapping[Process, float], *, since: str = "over the fault") -> list[str]:
    """Return which processes grew more than they may, in words."""
    return [
        f"{one.service} (process {one.process_id}) grew by {growth:.0f} MB {since}"
        for one, growth in growths.items()
        if growth > GROWTH_LIMIT_MB
    ]


def grown(growths: Mapping[Process, float]) -> str:
    """Return in words what each process that lived through a fault grew by."""
    each = ", ".join(f"{one.service} {growth:+.1f} MB" for one, growth in sorted(growths.items()))
    return f"memory: {each or 'no process lived through it'}"


class Memory:
    """Looks at resident memory in a thread of its own, from ``start`` to ``stop``."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        self._processes: list[Process] = []
        self._peak_bytes = 0
        self._first: dict[Process, float] = {}
        self._last: dict[Process, float] = {}

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._ended.set()
        self._thread.join()

    def held_mb(self) -> dict[Process, float]:
        """Return what each process holds now; asked for when all is calm."""
        held = {one: resident_bytes(one.process_id) / 1e6 for one in self._find()}
        for one, megabytes in held.items():
            self._first.setdefault(one, megabytes)
        self._last |= held
        return held

    def growths_mb(self) -> dict[Process, float]:
        """Return how much more each process held when it was last asked for than when it was first."""
        return growths_mb(self._first, self._last)

    def take_peak_mb(self) -> float:
        """Return the peak since the last time, in megabytes, and begin anew."""
        peak, self._peak_bytes = self._peak_bytes, 0
        return peak / 1e6

    def _run(self) -> None:
        for look in itertools.count():
            if self._ended.wait(EVERY_S):
                return
            held = [resident_bytes(one.process_id) for one in self._processes]
            self._peak_bytes = max(self._peak_bytes, sum(held))
            # Seldom, or when someone is missing: asking an engine costs more than looking.
            if look % FIND_EVERY == 0 or 0 in held or not _all_there(self._processes):
                self._processes = self._find()

    def _find(self) -> list[Process]:
        try:
            return [Process(service, one) for service in SERVICES for one in self._stack.process_ids(service)]
        except UnavailableError:
            return []


def _all_there(found: Iterable[Process]) -> bool:
    return {one.service for one in found} == set(SERVICES)
