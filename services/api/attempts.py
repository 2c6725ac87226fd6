"""Wrong tokens, counted by who brought them: after too many within a minute nobody looks at another of theirs."""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

MAX_WRONG: Final = 10
WITHIN_S: Final = 60.0
MAX_KNOWN: Final = 10_000
"""So many are remembered, the latest; who knows more addresses than that is not held up by counting."""


class Attempts:
    """Remembers when wrong tokens came."""

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, who: str) -> float:
        """Return for how long this one's tokens are not looked at; 0 when they are."""
        times = self._wrong.get(who, deque())
        if len(times) < MAX_WRONG:
            return 0.0
        return max(0.0, times[0] + WITHIN_S - self._monotonic_s())

    def failed(self, who: str) -> None:
        """Take note of a wrong one."""
        self._wrong.setdefault(who, deque(maxlen=MAX_WRONG)).append(self._monotonic_s())
        self._wrong.move_to_end(who)
        if len(self._wrong) > MAX_KNOWN:
            self._wrong.popitem(last=False)
