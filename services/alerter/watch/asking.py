"""Asking Prometheus from the event loop: the waiting is done in a thread of its own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from services.alerter.alerts import Episode
from services.alerter.policy import Watching
from services.alerter.watch.prometheus import Prometheus, Snapshot

T = TypeVar("T")


class Asking:
    """What the watcher asks; each call raises UnavailableError."""

    def __init__(self, prometheus: Prometheus, watching: Watching, thread: ThreadPoolExecutor) -> None:
        self._prometheus = prometheus
        self._watching = watching
        self._thread = thread

    async def snapshot(self) -> Snapshot:
        """Return what fires now."""
        return await self._in_thread(partial(self._prometheus.snapshot, self._watching.watchdog))

    async def episodes(self, since_s: float, until_s: float) -> Sequence[Episode]:
        """Return what fired between two moments."""
        ask = partial(
            self._prometheus.episodes,
            since_s,
            until_s,
            apart_s=max(self._watching.resolve_after, APART_S),
            watchdog=self._watching.watchdog,
        )
        return await self._in_thread(ask)

    async def words(self) -> Mapping[str, Mapping[str, str]]:
        """Return every rule's annotations, as they are written, by its name."""
        return await self._in_thread(self._prometheus.words)

    async def _in_thread(self, ask: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, ask)


APART_S = 12.0
"""Two evaluations and a bit: samples further apart belong to two episodes."""
