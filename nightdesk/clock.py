"""The time, as an argument."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

WallNs: TypeAlias = Callable[[], int]
"""Unix time in nanoseconds; may step back."""

MonotonicNs: TypeAlias = Callable[[], int]
"""Nanoseconds since an arbitrary moment; never steps back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The two clocks a service needs: one to say when, one to say how long."""

    wall_ns: WallNs = time.time_ns
    monotonic_ns: MonotonicNs = time.monotonic_ns

    def monotonic_s(self) -> float:
        """Return the monotonic clock in seconds."""
        return self.monotonic_ns() / 1e9
