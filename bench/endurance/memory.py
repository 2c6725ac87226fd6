"""The memory of every process of a desk, looked at again and again in a thread of its own."""

import threading
import time
from dataclasses import dataclass, field
from typing import Final

from bench.desk import processes
from bench.desk.desks import Desk
from bench.desk.processes import Usage

EVERY_S: Final = 2.0
FAMILY_EVERY: Final = 15
"""Looks after which the families are listed anew: a database makes children whenever it likes."""


@dataclass(slots=True)
class Series:
    """What one process held at which moments (seconds of the monotonic clock)."""

    service: str
    command: str
    process_id: int
    times_s: list[float] = field(default_factory=list)
    private_mb: list[float] = field(default_factory=list)
    shared_mb: list[float] = field(default_factory=list)

    def add(self, now_s: float, used: Usage) -> None:
        """Note one look."""
        self.times_s.append(now_s)
        self.private_mb.append(used.private_bytes / 1e6)
        self.shared_mb.append(used.shared_bytes / 1e6)

    def since(self, begin_s: float) -> "Series":
        """Return what was noted from a moment on."""
        first = next((at for at, time_s in enumerate(self.times_s) if time_s >= begin_s), len(self.times_s))
        return Series(
            self.service, self.command, self.process_id,
            self.times_s[first:], self.private_mb[first:], self.shared_mb[first:],
        )  # fmt: skip


class Memory:
    """Looks from ``start`` to ``stop``."""

    def __init__(self, desk: Desk) -> None:
        self._mains = desk.main_processes()
        self._series: dict[int, Series] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._ended.set()
        self._thread.join()

    def series(self) -> list[Series]:
        """Return what was noted of every process, by service."""
        return sorted(self._series.values(), key=lambda one: (one.service, one.process_id))

    def _run(self) -> None:
        looks = 0
        while True:
            if looks % FAMILY_EVERY == 0:
                self._find()
            looks += 1
            now_s = time.monotonic()
            for process_id, series in list(self._series.items()):
                used = processes.usage(process_id)
                if used is not None:
                    series.add(now_s, used)
            if self._ended.wait(EVERY_S):
                return

    def _find(self) -> None:
        for service, mains in self._mains.items():
            for one in (one for main in mains for one in processes.family(main)):
                if one not in self._series:
                    self._series[one] = Series(service, processes.command_of(one), one)
