"""What may still be asked of an exchange this minute: one budget for everyone who asks the same host.

Time is an argument. A budget never sleeps: it says how long the caller has to wait.
"""

from typing import Final

WINDOW_S: Final = 60.0


class RateBudget:
    """The weight one host allows a minute, spent half at once and half steadily.

    A bucket that holds half of ``weight_per_minute`` and refills with the other half never spends more than the whole
    in any minute, wherever the exchange starts to count.
    """

    def __init__(self, *, weight_per_minute: float, now_s: float) -> None:
        """Start full; ``now_s`` is on the monotonic clock, as every ``now_s`` after it."""
        self._capacity = weight_per_minute / 2
        self._rate = self._capacity / WINDOW_S
        self._left = self._capacity
        self._at_s = now_s
        self._closed_until_s = now_s

    def spend(self, weight: float, now_s: float) -> float:
        """Take ``weight`` out and return the seconds to wait before the call it pays for."""
        self._left = min(self._capacity, self._left + (now_s - self._at_s) * self._rate) - weight
        self._at_s = now_s
        return max(0.0, -self._left / self._rate, self._closed_until_s - now_s)

    def close(self, seconds: float, now_s: float) -> None:
        """Let nobody ask for ``seconds``: the exchange said so."""
        self._closed_until_s = max(self._closed_until_s, now_s + seconds)
