"""How fast a channel may be used: a token bucket, and the pauses that the other side asks for. Pure.

Its seconds are those of any clock that nobody sets, as an event loop's.
"""

from typing import Final

BURST: Final = 3.0
"""Messages that may go at once after a quiet time."""


class Bucket:
    """A bucket of ``BURST`` messages that refills with so many a minute."""

    def __init__(self, *, per_minute: float) -> None:
        self._rate = per_minute / 60
        self._left = BURST
        self._at_s = 0.0
        self._closed_until_s = 0.0

    def spend(self, now_s: float) -> float:
        """Take one message out and return the seconds to wait before it may be sent."""
        passed_s = max(0.0, now_s - self._at_s)
        self._left = min(BURST, self._left + passed_s * self._rate) - 1
        self._at_s = now_s
        return max(0.0, -self._left / self._rate, self._closed_until_s - now_s)

    def close(self, seconds: float, now_s: float) -> None:
        """Let nothing pass for so long: the other side said so."""
        self._closed_until_s = max(self._closed_until_s, now_s + seconds)
