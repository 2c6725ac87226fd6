"""What a fault is: a function that does the harm and says when, and what may be lost by it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tests.chaos.ids import NONE, Ids, ids_of
from tests.chaos.simulator import Connection, Market, Simulator
from tests.chaos.stacks import Stack

FORGIVEN_S: Final = 1.0
"""Of what was received before a collector or its socket died, the last second may be missing: open frames and unread
buffers."""

CLOCK_S: Final = 0.01
"""The simulator's clock counts milliseconds."""


RECOVERY_LIMIT_S: Final = 90.0


def nothing() -> tuple[str, ...]:
    """Do nothing, and find nothing wrong."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """A fault that struck; recovery is measured from ``at_s`` (Unix seconds), its end where it lasts.

    Only where it ended the collector or its socket may trades be missing, and then in the ledger: at the moments
    ``cuts_s``, or wherever a connection ended within one of the spans ``cut_within_s``. ``unread`` are the last trade
    ids that were sent to a collector before it was made to stop reading; what came later may be missing with the cut.
    """

    at_s: float
    cuts_s: tuple[float, ...] = ()
    cut_within_s: tuple[tuple[float, float], ...] = ()
    unread: Mapping[str, int] = field(default_factory=dict)
    withheld: bool = False
    """The exchange kept trades to itself: those that it sent to nobody are missing, exactly."""
    repeated: int | None = None
    """How many trades the exchange sent a second time: so many admission drops, exactly."""
    disordered: int = 0
    """So many trades the exchange itself sent after a later one, repeats included: consumers see them as they came."""
    received_late: int = 0
    """So many rows were received after the one with the next higher id, because of that or of the clock."""
    receipts_overlap: bool = False
    """Receive times need not rise: the collector's clock went back, or one connection took over from another, of which
    each read at its own pace."""
    quarantined: int = 0
    """Rows that the fault put into the quarantine, exactly."""
    then: Callable[[], tuple[str, ...]] = nothing
    """Done after the recovery, still under load: wake who was stopped. Returns what is wrong, in words."""
    recovery_limit_s: float = RECOVERY_LIMIT_S
    wrong: tuple[str, ...] = ()
    """What the fault itself found wrong while it lasted, in words."""
    notes: tuple[str, ...] = ()
    """What it did, in figures worth printing."""


Inject: TypeAlias = Callable[[Stack, Simulator], Injected]


def losable(injected: Injected, market: Market, trades_per_s: Mapping[str, float]) -> dict[str, Ids]:
    """Return the ids of each symbol that the ledger may hold after a fault.

    For each connection that the fault ended, from the last id sent to it, less one second, to the one before the first
    id sent to the next connection; up to the end of the market while there is no next one.
    """
    windows: dict[str, Ids] = {}
    for cut in _ended(injected, market):
        for symbol, last in cut.last.items():
            low = min(last, injected.unread.get(symbol, last)) + 1 - int(FORGIVEN_S * trades_per_s.get(symbol, 0.0))
            resumed = market.resumed_at(symbol, cut)
            until = market.last[symbol] if resumed is None else resumed - 1
            windows[symbol] = ids_of([*windows.get(symbol, NONE), (low, until)])
    if injected.withheld:
        for symbol in market.symbols:
            windows[symbol] = ids_of([*windows.get(symbol, NONE), *market.withheld(symbol)])
    return windows


def _ended(injected: Injected, market: Market) -> Iterator[Connection]:
    """The connections that the fault ended."""
    for cut_s in injected.cuts_s:
        open_then = [one for one in market.connections if one.since_s < cut_s and not _closed_before(one, cut_s)]
        if open_then:
            yield max(open_then, key=lambda one: one.since_s)
    for from_s, until_s in injected.cut_within_s:
        for one in market.connections:
            if one.closed_s is not None and from_s - CLOCK_S <= one.closed_s <= until_s + CLOCK_S:
                yield one


def _closed_before(connection: Connection, moment_s: float) -> bool:
    return connection.closed_s is not None and connection.closed_s < moment_s - CLOCK_S
