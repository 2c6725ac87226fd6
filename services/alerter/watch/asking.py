"""Asking Prometheus from the event loop: the waiting is done in a thread of its own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar

from services.alerter.alerts import Episode
from services.alerter.policy import Watching
from services.alerter.watch.prometheus import EVALUATIONS_APART, Prometheus, Snapshot

T = TypeVar("T")


class Asking:
    """What the watcher asks; each call raises UnavailableError."""

    def __init__(self, prometheus: Prometheus, watching: Watching, thread: Executor) -> None:
        self._prometheus = prometheus
        self._watching = watching
        self._thread = thread

    async def snapshot(self) -> Snapshot:
        """Return what fires now."""
        return await self._in_thread(partial(self._prometheus.snapshot, self._watching.watchdog))

    async def episodes(self, since_s: float, until_s: float) -> Sequence[Episode]:
        """Return what fired between two moments."""
        return await self._in_thread(partial(self._episodes, since_s, until_s))

    async def words(self) -> Mapping[str, Mapping[str, str]]:
        """Return every rule's annotations, as they are written, by its name."""
        return await self._in_thread(self._prometheus.words)

    def _episodes(self, since_s: float, until_s: float) -> Sequence[Episode]:
        intervals_s = self._prometheus.intervals()
        slowest_s = max(intervals_s.values(), default=0.0)

        def apart_s(rule: str) -> float:
            return max(self._watching.resolve_after, EVALUATIONS_APART * intervals_s.get(rule, slowest_s))

        return self._prometheus.episodes(since_s, until_s, apart_s=apart_s, watchdog=self._watching.watchdog)

    async def _in_thread(self, ask: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, ask)
