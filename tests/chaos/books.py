"""Are the last stored quote and depth of every symbol the exchange's own book?

Conflation may leave out what lies between, never the last: a market that stopped has told how its books stand.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

DEPTH_LEVELS: Final = 10
PRESSURE_LEVELS: Final = 5
TOLERANCE: Final = 1e-9
"""Of the figures that are computed from prices and sizes; prices and sizes themselves are exact."""

ARRIVAL_LIMIT_S: Final = 30.0
LOOK_S: Final = 0.1

Side: TypeAlias = Sequence[float]
"""Price, size, price, size, best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueBook:
    """The exchange's book as of its change ``sequence``: the best levels of each side, flat."""

    sequence: int
    bids: Side
    asks: Side

    @property
    def spread(self) -> float:
        """Best ask less best bid."""
        return self.asks[0] - self.bids[0]

    @property
    def pressure_ratio(self) -> float:
        """The bid size over the ask size of the best levels."""
        sizes = slice(1, 2 * PRESSURE_LEVELS, 2)
        return sum(self.bids[sizes]) / sum(self.asks[sizes])


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDepth:
    """A row of ``depths``."""

    sequence: int | None
    bids: Side
    asks: Side
    spread: float | None
    pressure_ratio: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredQuote:
    """A row of ``quotes``: ``bid`` and ``ask`` are price and size."""

    sequence: int | None
    bid: Side
    ask: Side


def true_book(answer: Mapping[str, Any], levels: int = DEPTH_LEVELS) -> TrueBook:
    """Read ``/sim/book``, whose prices and sizes are text."""
    sides = {name: [float(one) for level in answer[name][:levels] for one in level] for name in ("bids", "asks")}
    return TrueBook(sequence=int(answer["last_update_id"]), **sides)


def depth_findings(symbol: str, truth: TrueBook, stored: StoredDepth | None) -> list[str]:
    """Return where the last stored depth is not the book."""
    if stored is None:
        return [f"{symbol}: no depth is stored"]
    found = []
    if stored.sequence != truth.sequence:
        found.append(f"the last depth is of change {stored.sequence}, the book of {truth.sequence}")
    found += _side_findings("bids", truth.bids, stored.bids) + _side_findings("asks", truth.asks, stored.asks)
    found += _figure_findings("spread", truth.spread, stored.spread)
    found += _figure_findings("pressure ratio", truth.pressure_ratio, stored.pressure_ratio)
    return [f"{symbol}: {one}" for one in found]


def quote_findings(symbol: str, truth: TrueBook, stored: StoredQuote | None) -> list[str]:
    """Return where the last stored quote is not the top of the book."""
    if stored is None:
        return [f"{symbol}: no quote is stored"]
    found = []
    if stored.sequence != truth.sequence:
        found.append(f"the last quote is of change {stored.sequence}, the book of {truth.sequence}")
    found += _side_findings("bid", truth.bids[:2], stored.bid) + _side_findings("ask", truth.asks[:2], stored.ask)
    return [f"{symbol}: {one}" for one in found]


def _side_findings(name: str, truth: Side, stored: Side) -> list[str]:
    if len(stored) != len(truth):
        return [f"{len(stored) // 2} {name} are stored, the book has {len(truth) // 2}"]
    for level in range(0, len(truth), 2):
        ours, theirs = tuple(stored[level : level + 2]), tuple(truth[level : level + 2])
        if ours != theirs:
            return [f"{name}: level {level // 2 + 1} is {ours}, the book has {theirs}"]
    return []


def _figure_findings(name: str, truth: float, stored: float | None) -> list[str]:
    if stored is not None and abs(stored - truth) <= TOLERANCE * max(1.0, abs(truth)):
        return []
    return [f"{name} is {stored}, the book makes {truth}"]


class Exchange(Protocol):
    """Whoever knows the true books."""

    def book(self, symbol: str) -> Mapping[str, Any]:
        """Return what ``/sim/book`` answers."""

    def symbols(self) -> Sequence[str]:
        """Return the symbols with a book that somebody listens to."""


class Store(Protocol):
    """Whoever knows what is stored."""

    def last_depths(self) -> Mapping[str, StoredDepth]:
        """Return the last depth of every symbol."""

    def last_quotes(self) -> Mapping[str, StoredQuote]:
        """Return the last quote of every symbol."""


def check(exchange: Exchange, store: Store, limit_s: float = ARRIVAL_LIMIT_S) -> list[str]:
    """Wait until the books of a stopped market have arrived, and return where they did not."""
    truths = {symbol: true_book(exchange.book(symbol)) for symbol in exchange.symbols()}
    deadline_s = time.monotonic() + limit_s
    while found := _findings(truths, store):
        if time.monotonic() > deadline_s:
            break
        time.sleep(LOOK_S)
    return found


def _findings(truths: Mapping[str, TrueBook], store: Store) -> list[str]:
    depths, quotes = store.last_depths(), store.last_quotes()
    return [
        one
        for symbol, truth in truths.items()
        for one in (
            *depth_findings(symbol, truth, depths.get(symbol)),
            *quote_findings(symbol, truth, quotes.get(symbol)),
        )
    ]
