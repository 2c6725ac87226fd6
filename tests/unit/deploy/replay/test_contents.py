import json

import pytest

from deploy.replay.contents import NOTES, contents_of, snapshot_symbols
from nightdesk.errors import ConfigurationError
from nightdesk.ticks import Kind
from services.collector.feeds import CODECS


def binance(*streams: str) -> list[str]:
    return [json.dumps({"stream": stream, "data": {}}) for stream in streams]


def test_every_codec_can_be_replayed() -> None:
    assert set(NOTES) == set(CODECS)


def test_binance_streams_name_symbols_and_kinds() -> None:
    contents = contents_of("binance", binance("nknusdt@trade", "lrcbtc@bookTicker", "lrcbtc@aggTrade"))

    assert list(contents.symbols) == ["NKNUSDT", "LRCBTC"]
    assert contents.kinds == {Kind.TRADE, Kind.QUOTE, Kind.AGG_TRADE}


def test_binance_klines_name_their_interval() -> None:
    assert contents_of("binance", binance("nknusdt@kline_5m")).options == {"kline_interval": "5m"}


def test_binance_changes_of_a_book_need_a_snapshot_and_its_partial_form_needs_none() -> None:
    assert list(contents_of("binance", binance("a@depth@100ms", "b@depth")).snapshots) == ["A", "B"]

    partial = contents_of("binance", binance("a@depth20@100ms"))
    assert (dict(partial.snapshots), partial.options) == ({}, {"dialect": "partial"})


def test_coinbase_messages_name_their_product() -> None:
    types = ("subscriptions", "snapshot", "l2update", "last_match", "ticker", "heartbeat")
    frames = [json.dumps({"type": name, "product_id": "BTC-USD"}) for name in types]

    contents = contents_of("coinbase", frames)

    assert list(contents.symbols) == ["BTC-USD"]
    assert contents.kinds == {Kind.TRADE, Kind.QUOTE, Kind.DEPTH}


@pytest.mark.parametrize("name", ["cmd", "channel", "type"])
def test_tickdb_pushes_are_read_in_every_dialect(name: str) -> None:
    nested = json.dumps({name: "ticker", "data": {"symbol": "AAPL.US"}})
    flat = json.dumps({name: "trade", "symbol": "NVDA.US"})

    contents = contents_of("tickdb", [json.dumps({"cmd": "pong"}), nested, flat])

    assert list(contents.symbols) == ["AAPL.US", "NVDA.US"]
    assert contents.kinds == {Kind.TRADE, Kind.QUOTE}


def test_a_message_that_cannot_be_read_is_left_for_the_collector_to_reject() -> None:
    assert list(contents_of("binance", ["{", "[1]", *binance("a@trade")]).symbols) == ["A"]


def test_a_recording_of_another_exchange_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="none of its 2 messages is one of codec coinbase's"):
        contents_of("coinbase", binance("a@trade", "b@trade"))


def test_snapshots_are_known_by_the_symbol_they_were_asked_for() -> None:
    urls = [
        "https://x/api/v3/depth?symbol=NKNUSDT&limit=1000",
        "https://x/api/v3/depth?limit=5&symbol=abc",
        "https://x",
    ]

    assert snapshot_symbols(urls) == {"NKNUSDT", "ABC"}
