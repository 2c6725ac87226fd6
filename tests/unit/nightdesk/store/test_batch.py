"""Frames become columns grouped by symbol, and what cannot be stored is left out with its reason."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightdesk import frames
from nightdesk.errors import FrameError
from nightdesk.store.batch import HIGHEST_ID, Batch, Origin, Source, gather, read
from nightdesk.ticks import Depth, Event, Kind, Kline, Tick, Trade

LOW_NS, HIGH_NS = 1_000, 2_000
IDS = {"B": 1, "A": 2, "C": 70_000}


def a_trade(symbol: str = "A", trade_id: int = 1, *, exchange_ns: int = 1_500, received_ns: int = 1_600) -> Trade:
    return Trade(symbol, trade_id, 1.0, 1.0, 1, exchange_ns, received_ns)


def a_batch(*turn: list[Tick]) -> Batch:
    sources = []
    for number, ticks in enumerate(turn):
        payload = frames.encode(ticks)
        frame, _ = read(payload)
        numbered = np.array([IDS.get(name, 0) for name in frame.names], dtype=np.int32)
        origin = Origin(feed="f", shard=0, entry_id=f"1-{number}", payload=payload)
        sources.append(Source(origin=origin, frame=frame, symbol_ids=numbered))
    return gather(sources, low_ns=LOW_NS, high_ns=HIGH_NS)


@given(st.lists(st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, max_size=10), min_size=1, max_size=4))
def test_rows_are_sorted_by_symbol_and_within_it_by_arrival(turn: list[list[str]]) -> None:
    order = iter(range(1000))
    sent = [[a_trade(symbol, next(order)) for symbol in frame] for frame in turn]
    group = a_batch(*sent).groups[Kind.TRADE]

    expected = sorted((IDS[one.symbol], one.trade_id) for frame in sent for one in frame)
    columns = group.columns
    assert list(zip(columns["symbol_id"].tolist(), columns["trade_id"].tolist(), strict=True)) == expected
    assert [
        (symbol, set(columns["symbol_id"][rows].tolist())) for symbol, rows in group.slices()
    ] == [(symbol, {symbol}) for symbol in group.symbols]  # fmt: skip


def test_the_exchanges_time_decides_and_else_the_receive_time() -> None:
    group = a_batch([a_trade(exchange_ns=1_500), a_trade(exchange_ns=0, received_ns=1_700)]).groups[Kind.TRADE]

    assert group.columns["time_ns"].tolist() == [1_500, 1_700]


@pytest.mark.parametrize(
    ("tick", "reason"),
    [
        (a_trade(exchange_ns=LOW_NS - 1), "outside_retention"),
        (a_trade(exchange_ns=HIGH_NS), "future_time"),
        (a_trade(trade_id=HIGHEST_ID + 1), "id_out_of_range"),
        (Trade("A", 2, 1.0, 2e18, 1, 1_500, 1_600), "value_out_of_range"),
        (Trade("A", 2, -2e18, 1.0, 1, 1_500, 1_600), "value_out_of_range"),
    ],
)
def test_a_tick_that_cannot_be_stored_is_refused_alone(tick: Trade, reason: str) -> None:
    batch = a_batch([a_trade(trade_id=7)], [tick, a_trade(trade_id=8)])

    assert [(one.origin.entry_id, one.reason) for one in batch.refusals] == [("1-1", reason)]
    assert batch.groups[Kind.TRADE].columns["trade_id"].tolist() == [7, 8]


def test_one_refusal_stands_for_all_ticks_of_a_frame_with_one_reason() -> None:
    batch = a_batch([a_trade(exchange_ns=1), a_trade(exchange_ns=2)])

    assert [one.error for one in batch.refusals] == ["trade: oldest of 2: 1970-01-01T00:00:00.000000001Z"]
    assert Kind.TRADE not in batch.groups


def test_levels_stay_with_their_rows_when_rows_are_sorted_and_left_out() -> None:
    def a_depth(symbol: str, first: float, count: int, exchange_ns: int = 1_500) -> Depth:
        return Depth(symbol, 1, [first] * 2 * count, [-first] * 2, 0.0, 0.0, exchange_ns, 1_600)

    batch = a_batch([a_depth("A", 1.0, 1), a_depth("B", 2.0, 3), a_depth("B", 3.0, 2, exchange_ns=1)])

    columns = batch.groups[Kind.DEPTH].columns
    assert columns["levels"][columns["first_level"]].tolist() == [2.0, 1.0]
    assert columns["bid_count"].tolist() == [3, 1]


def test_only_an_event_may_name_no_symbol() -> None:
    assert read(frames.encode([Event("", "connected", 0, -1, -1, 0, "why", 1), a_trade("A")]))[1] == {"A"}
    with pytest.raises(FrameError, match="a trade names no symbol"):
        read(frames.encode([a_trade("")]))


@pytest.mark.parametrize(("symbol", "interval"), [("A" * 256, "1m"), ("A", "1" * 256)])
def test_a_name_that_is_too_long_for_a_key_is_no_frame(symbol: str, interval: str) -> None:
    kline = Kline(symbol, interval, 1_000, 1_001, 1.0, 1.0, 1.0, 1.0, 1.0, 1, False, 0, 1_500)

    with pytest.raises(FrameError, match="longer than 255 bytes"):
        read(frames.encode([kline]))
