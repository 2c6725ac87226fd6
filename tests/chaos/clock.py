"""Run a module by a wall clock that can be set: ``clock.py -m services.collector``.

SIGUSR1 sets it back by a minute, SIGUSR2 puts it right. The monotonic clock goes on, as it does on a real machine.
Only the tests run services like this; it stands alone, so that it works in a container that knows nothing of them.
"""

import runpy
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Final

STEP_NS: Final = 60 * 1_000_000_000

true_time_ns = time.time_ns


class Clock:
    """Tells the time, less ``behind_ns``."""

    def __init__(self) -> None:
        self.behind_ns = 0

    def time_ns(self) -> int:
        """Return Unix time in nanoseconds."""
        return true_time_ns() - self.behind_ns

    def time(self) -> float:
        """Return Unix time in seconds."""
        return self.time_ns() / 1e9

    def set_back(self, _number: int, _frame: FrameType | None) -> None:
        """Lose a minute."""
        self.behind_ns += STEP_NS

    def put_right(self, _number: int, _frame: FrameType | None) -> None:
        """Make up for it."""
        self.behind_ns = 0


def main() -> None:
    """Set the clock up before anything else looks at it, then run the module."""
    clock = Clock()
    time.time_ns = clock.time_ns
    time.time = clock.time
    signal.signal(signal.SIGUSR1, clock.set_back)
    signal.signal(signal.SIGUSR2, clock.put_right)
    sys.path[0] = str(Path.cwd())
    del sys.argv[:2]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
