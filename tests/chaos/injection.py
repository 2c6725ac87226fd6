"""What a fault is: a function that does the harm and says when, and what may be lost by it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from tests.chaos.ids import NONE, Ids, ids_of
from tests.chaos.simulator import Connection, Market, Simulator
from tests.chaos.stacks import Stack

FORGIVEN_S: Final = 1.0
"""Of what was received before a collector died, the last second may be missing: open frames and unread buffers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """A fault that struck at ``at_s`` (Unix seconds).

    ``cuts_connection`` says that it ended the collector or its socket: the only case in which trades may be missing,
    and then in the ledger.
    """

    at_s: float
    cuts_connection: bool = False


Inject: TypeAlias = Callable[[Stack, Simulator], Injected]


def losable(injected: Injected, market: Market, trades_per_s: Mapping[str, float]) -> dict[str, Ids]:
    """Return the ids of each symbol that the ledger may hold after a fault.

    From the last id sent to the connection that was cut, less one second, to the one before the first id sent to the
    next connection; up to the end of the market while there is no next one.
    """
    cut = _cut(injected, market)
    if cut is None:
        return {}
    windows = {}
    for symbol, last in cut.last.items():
        resumed = market.resumed_at(symbol, injected.at_s)
        until = market.last[symbol] if resumed is None else resumed - 1
        windows[symbol] = ids_of([(last + 1 - int(FORGIVEN_S * trades_per_s.get(symbol, 0.0)), until)])
    return {symbol: window for symbol, window in windows.items() if window != NONE}


def _cut(injected: Injected, market: Market) -> Connection | None:
    """The connection that was open when the fault struck."""
    if not injected.cuts_connection:
        return None
    open_then = [
        one
        for one in market.connections
        if one.since_s < injected.at_s and (one.closed_s is None or one.closed_s >= injected.at_s)
    ]
    return max(open_then, key=lambda one: one.since_s, default=None)
