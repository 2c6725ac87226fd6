"""The frame format, by examples and by properties."""

import contextlib
import gc
import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightdesk import frames
from nightdesk.errors import FrameError
from nightdesk.ticks import NO_ID, AggTrade, Depth, Event, Kind, Kline, Quote, Tick, Trade

I64 = st.integers(min_value=-(2**63), max_value=2**63 - 1)
PRICES = st.floats(allow_nan=True, allow_infinity=False)
NAMES = st.text(max_size=20)
LEVELS = st.lists(st.tuples(PRICES, PRICES), max_size=4).map(lambda pairs: [one for pair in pairs for one in pair])
SIDES = st.sampled_from([-1, 0, 1])

TICKS: st.SearchStrategy[Tick] = st.one_of(
    st.builds(Trade, NAMES, I64, PRICES, PRICES, SIDES, I64, I64),
    st.builds(AggTrade, NAMES, I64, I64, I64, PRICES, PRICES, SIDES, I64, I64),
    st.builds(Quote, NAMES, I64, PRICES, PRICES, PRICES, PRICES, I64, I64),
    st.builds(Depth, NAMES, I64, LEVELS, LEVELS, PRICES, PRICES, I64, I64),
    st.builds(Kline, NAMES, NAMES, I64, I64, PRICES, PRICES, PRICES, PRICES, PRICES, I64, st.booleans(), I64, I64),
    st.builds(Event, NAMES, NAMES, st.integers(0, 6), I64, I64, I64, NAMES, I64),
)


def a_trade(trade_id: int = 7) -> Trade:
    return Trade("BTCUSDT", trade_id, 65_000.5, 0.25, 1, 1_700_000_000_000_000_000, 1_700_000_000_000_000_123)


@given(st.lists(TICKS, min_size=1, max_size=30))
def test_decoding_gives_back_what_was_encoded_in_the_same_order(ticks: list[Tick]) -> None:
    assert repr(frames.decode(frames.encode(ticks)).ticks()) == repr(ticks)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_frame_or_a_frame_error(data: bytes) -> None:
    with contextlib.suppress(FrameError):
        frames.decode(data).ticks()


@given(st.lists(TICKS, min_size=1, max_size=8), st.data())
def test_a_flipped_byte_never_raises_anything_but_a_frame_error(ticks: list[Tick], data: st.DataObject) -> None:
    frame = bytearray(frames.encode(ticks))
    place = data.draw(st.integers(0, len(frame) - 1))
    frame[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(FrameError):
        frames.decode(bytes(frame)).ticks()


@given(st.lists(TICKS, min_size=1, max_size=8), st.data())
def test_a_frame_cut_short_is_refused(ticks: list[Tick], data: st.DataObject) -> None:
    frame = frames.encode(ticks)
    with pytest.raises(FrameError):
        frames.decode(frame[: data.draw(st.integers(0, len(frame) - 1))])


def test_columns_are_typed_and_name_the_symbol() -> None:
    frame = frames.decode(frames.encode([a_trade(7), a_trade(8)]))

    trades = frame.columns[Kind.TRADE]
    assert trades["trade_id"].tolist() == [7, 8]
    assert trades["price"].dtype == "<f8"
    assert [frame.names[place] for place in trades["symbol"]] == ["BTCUSDT", "BTCUSDT"]


def test_depth_levels_are_flat_behind_their_counts() -> None:
    one = Depth("BTCUSDT", 1, [10.0, 1.0, 9.0, 2.0], [11.0, 3.0], 1.0, math.nan, 0, 5)
    depth = frames.decode(frames.encode([one])).columns[Kind.DEPTH]

    assert depth["bid_count"].tolist() == [2]
    assert depth["ask_count"].tolist() == [1]
    assert depth["levels"].tolist() == [10.0, 1.0, 9.0, 2.0, 11.0, 3.0]


def test_the_order_between_kinds_survives() -> None:
    ticks: list[Tick] = [
        Quote("BTCUSDT", NO_ID, 1.0, 1.0, 2.0, 1.0, 0, 1),
        a_trade(),
        Quote("BTCUSDT", NO_ID, 1.5, 1.0, 2.0, 1.0, 0, 2),
    ]
    assert frames.decode(frames.encode(ticks)).ticks() == ticks


def test_a_frame_of_another_version_is_refused_by_its_number() -> None:
    frame = bytearray(frames.encode([a_trade()]))
    frame[0] = 9
    with pytest.raises(FrameError, match="version 9"):
        frames.decode(bytes(frame))


def test_a_name_longer_than_the_format_allows_is_cut_not_refused() -> None:
    event = Event("", "disconnected", 0, NO_ID, NO_ID, 0, "x" * 70_000, 1)
    [read] = frames.decode(frames.encode([event])).ticks()
    assert isinstance(read, Event)
    assert len(read.cause) == frames.MAX_NAME_BYTES


@pytest.mark.parametrize("trade_id", [2**63, -(2**63) - 1])
def test_an_id_beyond_64_bits_is_refused_as_a_frame_error(trade_id: int) -> None:
    with pytest.raises(FrameError, match="does not fit"):
        frames.encode([a_trade(trade_id)])


def test_encoding_frames_of_any_size_leaves_nothing_behind() -> None:
    def encode_each_size(times: int) -> int:
        for size in list(range(1, 21)) * times:
            frames.encode([a_trade(number) for number in range(size)])
        return sys.getallocatedblocks()

    gc.disable()
    try:
        before = encode_each_size(150)  # some lists of the interpreter are full by then
        after = encode_each_size(100)
    finally:
        gc.enable()

    assert after - before < 200
