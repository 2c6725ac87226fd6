"""An event loop whose time passes at once: when nothing is left to do, the clock jumps to the next timer.

Waiting times are then exact facts that a test can assert, and a day passes in milliseconds. For tests without real
sockets, threads or processes.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from nightdesk.clock import Clock

T = TypeVar("T")

EPOCH_NS = 1_700_000_000_000_000_000


class _Jumping(selectors.DefaultSelector):
    """Never waits: tells the loop how long it would have waited."""

    jumped_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("everything waits and no timer is set: nothing will ever happen")
        if not ready and timeout:
            self.jumped_s += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.jumped_s

    def clock(self) -> Clock:
        """Return clocks that follow this loop's time."""
        return Clock(
            wall_ns=lambda: EPOCH_NS + int(self.time() * 1e9),
            monotonic_ns=lambda: int(self.time() * 1e9),
        )


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)


def clock() -> Clock:
    """Return the clock of the running virtual loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.clock()
