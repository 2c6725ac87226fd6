"""Under pressure keep the latest quote and depth of each symbol, and every trade."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from nightdesk.ticks import KIND_OF, Depth, Kind, Quote, Tick

CONFLATED: Final = frozenset({Quote, Depth})


class Conflation:
    """Holds the latest quote and depth of each symbol until they are flushed; counts what newer ones replaced."""

    def __init__(self) -> None:
        self._latest: dict[tuple[str, type], Tick] = {}
        self._left_out: Counter[Kind] = Counter()

    def through(self, ticks: Sequence[Tick]) -> list[Tick]:
        """Return the ticks that go on at once; keep quotes and depths back."""
        now = []
        for tick in ticks:
            if tick.__class__ in CONFLATED:
                self._keep(tick)
            else:
                now.append(tick)
        return now

    def flush(self) -> tuple[list[Tick], Counter[Kind]]:
        """Return the latest of each, in the order received, and how many of each kind were left out meanwhile."""
        latest, left_out = sorted(self._latest.values(), key=_received), self._left_out
        self._latest, self._left_out = {}, Counter()
        return latest, left_out

    def _keep(self, tick: Tick) -> None:
        key = (tick.symbol, tick.__class__)
        if key in self._latest:
            self._left_out[KIND_OF[tick.__class__]] += 1
        self._latest[key] = tick


def _received(tick: Tick) -> int:
    return tick.received_ns
