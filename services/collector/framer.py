"""Turn one shard's ticks into frames.

By count or by age, whichever comes first, so that a quiet market still flows.
"""

from collections.abc import Callable

from nightdesk.ticks import Tick


class Framer:
    """Collect one shard's ticks until they make a frame."""

    def __init__(self, *, max_ticks: int, max_age_ns: int) -> None:
        self._max_ticks = max_ticks
        self._max_age_ns = max_age_ns
        self._open: list[Tick] = []
        self.add: Callable[[Tick], None] = self._open.append
        """Take one tick. The list's own method: it runs once for every tick that comes."""

    def __len__(self) -> int:
        return len(self._open)

    def full(self) -> list[list[Tick]]:
        """Return the frames that what is open makes by count."""
        limit, frames = self._max_ticks, []
        while len(self._open) >= limit:
            frames.append(self._open[:limit])
            del self._open[:limit]
        return frames

    def due(self, now_ns: int) -> list[Tick] | None:
        """Return the open frame once its first tick is ``max_age_ns`` old, by the clock that stamped the tick.

        A clock that was set back makes the age negative; the frame is then due at once rather than late.
        """
        if self._open and not 0 <= now_ns - self._open[0].received_ns < self._max_age_ns:
            return self.close()
        return None

    def close(self) -> list[Tick] | None:
        """Return whatever is open as a frame."""
        if not self._open:
            return None
        ticks = self._open[:]
        self._open.clear()
        return ticks
