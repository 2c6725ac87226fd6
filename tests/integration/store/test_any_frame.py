"""Whatever a stream carries, a turn stores it or keeps it aside; it never fails."""

import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightdesk import frames
from nightdesk.ticks import AggTrade, Depth, Event, Kline, Quote, Tick, Trade
from tests.integration.store.conftest import NOW_NS, Desk, a_depth, a_kline, a_quote, a_trade, an_agg_trade, an_event

pytestmark = [pytest.mark.integration, pytest.mark.slow]

symbols = st.one_of(st.sampled_from(["BTCUSDT", "ETHUSDT", ""]), st.text(max_size=5))
ids = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-2, 30))
times = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.sampled_from([0, NOW_NS]), st.integers(0, 10**9).map(NOW_NS.__add__)
)
numbers = st.floats(width=64)
bits = st.integers(-128, 127)
levels = st.integers(0, 3).flatmap(lambda count: st.lists(numbers, min_size=2 * count, max_size=2 * count))
kinds = st.integers(0, 255)

ticks: st.SearchStrategy[Tick] = st.one_of(
    st.builds(Trade, symbols, ids, numbers, numbers, bits, times, times),
    st.builds(AggTrade, symbols, ids, ids, ids, numbers, numbers, bits, times, times),
    st.builds(Quote, symbols, ids, numbers, numbers, numbers, numbers, times, times),
    st.builds(Depth, symbols, ids, levels, levels, numbers, numbers, times, times),
    st.builds(
        Kline, symbols, st.text(max_size=3), times, times, numbers, numbers, numbers, numbers, numbers, ids,
        st.booleans(), times, times,
    ),
    st.builds(
        Event, symbols, st.sampled_from(["connected", "disconnected", "announced", "sequence_break", "odd"]),
        st.one_of(kinds, st.integers(0, 6)), ids, ids, times, st.text(max_size=10), times,
    ),
)  # fmt: skip


@settings(
    max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(ticks, max_size=8), min_size=1, max_size=3))
def test_any_ticks_a_frame_can_hold_are_committed(desk: Desk, turn: list[list[Tick]]) -> None:
    desk.commit(*turn)


def test_frames_damaged_anywhere_are_committed_or_kept_aside(desk: Desk) -> None:
    chance = random.Random(1)
    whole = frames.encode(
        [a_trade(1), a_quote(2), a_depth(3), an_agg_trade(4), a_kline(5.0), an_event("connected"), a_trade(2)]
    )
    for _ in range(60):
        damaged = []
        for _ in range(5):
            data = bytearray(whole)
            for _ in range(chance.randint(1, 3)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            damaged.append(bytes(data[: chance.choice((len(data), chance.randrange(len(data) + 1)))]))
        desk.commit(*damaged)

    assert desk.one("SELECT count(*) FROM quarantine") > 0
    assert desk.done[-1].oldest_ns.keys() <= {"simulator"}
    assert time.time_ns() > 0
