from collections import defaultdict

import msgspec
import pytest

from bench.market import CHUNK, FIRST_ID, SYMBOLS, Market
from bench.trades import FRAME_TICKS, copy_of_trades, frames_of_trades
from nightdesk import frames

NOW_MS = 1_700_000_000_000


def decoded(market: Market) -> list[dict[str, object]]:
    return [msgspec.json.decode(message)["data"] for message in market.messages(NOW_MS)]


def test_ids_are_contiguous_for_every_symbol_from_chunk_to_chunk() -> None:
    market, ids = Market(), defaultdict(list)
    for data in [*decoded(market), *decoded(market), *decoded(market)]:
        ids[data["s"]].append(data["t"])

    assert set(ids) == set(SYMBOLS)
    for of_symbol in ids.values():
        assert of_symbol == list(range(FIRST_ID, FIRST_ID + 3 * CHUNK // len(SYMBOLS)))


def test_a_trade_has_the_moment_it_is_sent_at() -> None:
    assert {(data["E"], data["T"]) for data in decoded(Market())} == {(NOW_MS, NOW_MS)}


def test_every_message_is_about_170_bytes_in_a_frame_of_its_own() -> None:
    market = Market()
    chunk = market.chunk(NOW_MS)

    assert 165 <= market.message_bytes <= 175
    assert len(chunk) == CHUNK * (4 + market.message_bytes)
    assert chunk[:4] == bytes([0x81, 126, 0, market.message_bytes])


def test_frames_hold_the_trades_as_the_codec_reads_them() -> None:
    made, ticks = frames_of_trades(3)

    assert ticks == 3 * FRAME_TICKS
    assert [frames.decode(frame).rows for frame in made] == [FRAME_TICKS] * 3


def test_a_binary_copy_begins_and_ends_as_postgresql_wants_it() -> None:
    data = copy_of_trades(2)

    assert data.startswith(b"PGCOPY\n\xff\r\n\x00")
    assert data.endswith(b"\xff\xff")


def test_ids_are_contiguous_for_five_hundred_symbols_as_well() -> None:
    market, ids = Market(symbols=[f"S{number:03}USDT" for number in range(500)]), defaultdict(list)
    for data in [*decoded(market), *decoded(market)]:
        ids[data["s"]].append(data["t"])

    assert len(ids) == 500
    assert all(of_symbol == list(range(FIRST_ID, FIRST_ID + 4)) for of_symbol in ids.values())


def test_symbols_that_no_chunk_can_hold_alike_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple"):
        Market(symbols=["AUSDT", "BUSDT", "CUSDT"])
    with pytest.raises(ValueError, match="length"):
        Market(symbols=["AUSDT", "BBUSDT"])
