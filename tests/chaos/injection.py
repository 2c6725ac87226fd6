"""What a fault is: a function that does the harm and says when, and what may be lost by it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from tests.chaos.ids import NONE, Ids, ids_of
from tests.chaos.simulator import Market, Simulator
from tests.chaos.stacks import Stack

FORGIVEN_S: Final = 1.0
"""Of what was received before a collector died, the last second may be missing: open frames and unread buffers."""

CLOCK_S: Final = 0.01
"""The simulator's clock counts milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """A fault; recovery is measured from ``at_s`` (Unix seconds).

    ``cuts_s`` are the moments at which it ended the collector or its socket: only then may trades be missing, and
    then in the ledger.
    """

    at_s: float
    cuts_s: tuple[float, ...] = ()


Inject: TypeAlias = Callable[[Stack, Simulator], Injected]


def losable(injected: Injected, market: Market, trades_per_s: Mapping[str, float]) -> dict[str, Ids]:
    """Return the ids of each symbol that the ledger may hold after a fault.

    For each cut, from the last id sent to the connection that was open then, less one second, to the one before the
    first id sent to the next connection; up to the end of the market while there is no next one.
    """
    windows: dict[str, Ids] = {}
    for cut_s in injected.cuts_s:
        for symbol, last in _last_sent(market, cut_s).items():
            resumed = market.resumed_at(symbol, cut_s)
            until = market.last[symbol] if resumed is None else resumed - 1
            window = (last + 1 - int(FORGIVEN_S * trades_per_s.get(symbol, 0.0)), until)
            windows[symbol] = ids_of([*windows.get(symbol, NONE), window])
    return windows


def _last_sent(market: Market, cut_s: float) -> Mapping[str, int]:
    """The last ids sent to the connection that was open at that moment, which ended with it."""
    open_then = [
        one
        for one in market.connections
        if one.since_s < cut_s and (one.closed_s is None or one.closed_s >= cut_s - CLOCK_S)
    ]
    return max(open_then, key=lambda one: one.since_s).last if open_then else {}
