"""What a dry run promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightdesk.admission import Interval
from nightdesk.exchanges.binance import BinanceHistory
from nightdesk.exchanges.tickdb import TickdbHistory
from nightdesk.ticks import Kind
from services.jobs.backfill.estimate import estimate, seconds
from services.jobs.backfill.intervals import joined, within, without
from services.jobs.backfill.ledger import LedgerGap


def a_gap(missing: list[Interval] | None, minutes: int = 1) -> LedgerGap:
    return LedgerGap(
        gap_id=1, symbol_id=1, feed="f", symbol="S", shard=0, kind=Kind.TRADE, missing=missing, from_us=0,
        to_us=minutes * 60 * 10**6, opened_us=0, cause="",
    )  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 5_000)), min_size=1, max_size=8))
def test_pages_are_counted_as_they_will_be_asked(spans: list[tuple[int, int]]) -> None:
    missing = joined((low, low + length) for low, length in spans)
    pages, pending = 0, missing
    while pending:
        pages += 1
        pending = without(pending, (pending[0][0], pending[0][0] + 999))

    planned = estimate(a_gap(missing), BinanceHistory("https://x.example"))

    assert (planned.requests, planned.weight) == (pages, 25 * pages)
    assert within(missing, (0, 10**6)) == missing


def test_a_gap_in_time_alone_may_need_all_its_candles() -> None:
    assert estimate(a_gap(None, minutes=2500), TickdbHistory("https://x.example")).requests == 4


@pytest.mark.parametrize(("weight", "lasts_s"), [(0, 0), (1500, 0), (1525, 1), (3000, 60)])
def test_what_is_over_the_burst_takes_its_time(weight: float, lasts_s: float) -> None:
    assert seconds(weight, 3000) == lasts_s
