"""What filling would ask for, before anything is asked. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nightdesk.exchanges.history import MINUTE_NS, History
from services.jobs.backfill.intervals import size, without
from services.jobs.backfill.ledger import LedgerGap

ROWS_A_PAGE: Final = 1000
"""What every exchange here gives in one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """At most: ids to store, requests and their weight."""

    ids: int
    requests: int
    weight: float


def estimate(gap: LedgerGap, history: History) -> Estimate:
    """Return what a gap takes if the exchange has everything; candles where it has nothing by id."""
    wanted = gap.missing or ()
    request = history.ticks(gap.kind, gap.symbol, (wanted[0][0], wanted[-1][1])) if wanted else None
    if request is not None:
        pages = _pages(wanted)
        return Estimate(ids=size(wanted), requests=pages, weight=pages * request.weight)
    minutes = (gap.to_us - gap.from_us) * 1000 // MINUTE_NS + 2
    pages = 1 + -(-minutes // history.candles_a_page)
    candle = history.candles(gap.symbol, gap.from_us * 1000, gap.to_us * 1000)
    return Estimate(ids=0, requests=pages, weight=pages * candle.weight)


def seconds(weight: float, weight_per_minute: float) -> float:
    """Return how long the budget makes so much weight take, when it is full at the beginning."""
    return max(0.0, weight - weight_per_minute / 2) / (weight_per_minute / 120)


def _pages(wanted: Sequence[tuple[int, int]]) -> int:
    pages, pending = 0, list(wanted)
    while pending:
        low = pending[0][0]
        run = (pending[0][1] - low) // ROWS_A_PAGE
        pages += max(1, run)
        pending = without(pending, (low, low + max(1, run) * ROWS_A_PAGE - 1))
    return pages
