"""Shards and keys are part of what is stored: they never change."""

from hypothesis import given
from hypothesis import strategies as st

from nightdesk.shards import consumer_name, position_key, shard_of, stream_key


def test_a_symbols_shard_is_the_same_in_every_release() -> None:
    assert {symbol: shard_of(symbol, 8) for symbol in ("BTCUSDT", "ETHUSDT", "AAPL.US", "BTC-USD")} == {
        "BTCUSDT": 3,
        "ETHUSDT": 4,
        "AAPL.US": 1,
        "BTC-USD": 0,
    }


@given(st.text(), st.integers(1, 99))
def test_every_symbol_has_a_shard(symbol: str, shards: int) -> None:
    assert 0 <= shard_of(symbol, shards) < shards


def test_a_shards_keys_stay_together_on_a_cluster() -> None:
    assert stream_key("binance", 7) == "ticks:{binance:07}"
    assert position_key("binance", 7) == "position:{binance:07}"
    assert consumer_name("store", "binance", 7) == "store/binance/07"
