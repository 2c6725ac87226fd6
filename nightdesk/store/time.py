"""The database's time: what decides which days are stored, whatever the clock of the machine a worker runs on says."""

from nightdesk.clock import MonotonicNs, WallNs


class DatabaseTime:
    """The time as the database said it last, and what passed since; the worker's own until it said any."""

    def __init__(self, *, wall_ns: WallNs, monotonic_ns: MonotonicNs) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._behind_ns: int | None = None

    def said(self, now_ns: int) -> None:
        """Take note of what the database says it is, Unix time in nanoseconds."""
        self._behind_ns = now_ns - self._monotonic_ns()

    def now_ns(self) -> int:
        """Return the Unix time in nanoseconds."""
        return self._wall_ns() if self._behind_ns is None else self._monotonic_ns() + self._behind_ns
