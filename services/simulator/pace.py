"""How much is due: rates turned into whole events, time cut into steps."""

from collections.abc import Iterator

from services.simulator.candles import MINUTE_MS


class Due:
    """Turns a rate into whole events and carries the rest."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = 0.0

    def take(self, per_s: float, span_ms: int) -> int:
        """Return how many events are due after another ``span_ms`` at ``per_s`` a second."""
        self._rest += per_s * span_ms
        whole, self._rest = divmod(self._rest, 1000.0)
        return int(whole)


def steps(from_ms: int, to_ms: int, longest_ms: int) -> Iterator[tuple[int, int]]:
    """Yield consecutive spans of at most ``longest_ms`` milliseconds, none across a full minute."""
    while from_ms < to_ms:
        minute_ends_ms = from_ms - from_ms % MINUTE_MS + MINUTE_MS
        end_ms = min(to_ms, from_ms + longest_ms, minute_ends_ms)
        yield from_ms, end_ms
        from_ms = end_ms


def multiples_between(from_ms: int, to_ms: int, every_ms: int) -> bool:
    """Return whether a multiple of ``every_ms`` lies after ``from_ms`` and at or before ``to_ms``."""
    return to_ms // every_ms > from_ms // every_ms
