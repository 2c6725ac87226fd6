"""TickDB's language, in its three dialects."""

from math import isnan
from typing import Any

import msgspec
import pytest

from nightdesk.errors import CodecError, ConfigurationError
from nightdesk.ticks import NO_ID, NO_TIME, Kind, Side, Trade
from services.collector.codec import Alive, Fatal, Reason, Send
from tests.unit.services.collector.feeds.documented import DESK, NOW_NS, only, push, text, tickdb

AT_NS = 1_700_000_000_123_000_000


def a_trade(**changed: Any) -> dict[str, Any]:
    row = {"id": "20950", "price": "553.000", "quantity": "100", "side": "buy", "timestamp": 1700000000123}
    return {**row, **changed}


def test_trades_come_as_a_list() -> None:
    ticks, controls = tickdb().receive(push("trade", trades=[a_trade(), a_trade(id="20951", side="sell")]), NOW_NS)

    assert ticks == [
        Trade("AAPL.US", NO_ID, 553.0, 100.0, Side.BUY, AT_NS, NOW_NS),
        Trade("AAPL.US", NO_ID, 553.0, 100.0, Side.SELL, AT_NS, NOW_NS),
    ]
    assert controls == ()


def test_or_as_one_flat_object() -> None:
    ticks, _ = tickdb().receive(push("trade", price="1252.48", quantity="7", side="sell"), NOW_NS)

    assert ticks == [Trade("AAPL.US", NO_ID, 1252.48, 7.0, Side.SELL, AT_NS, NOW_NS)]


@pytest.mark.parametrize("trade_id", ["20950", "0", 0, "", None, "a-1", str(2**63), "-4"])
def test_an_id_is_no_key_whatever_it_looks_like(trade_id: object) -> None:
    ((tick,), _) = tickdb().receive(push("trade", trades=[a_trade(id=trade_id)]), NOW_NS)

    assert tick.trade_id == NO_ID


def test_a_side_that_is_neither_is_unknown() -> None:
    ((tick,), _) = tickdb().receive(push("trade", trades=[a_trade(side="neutral")]), NOW_NS)

    assert tick.side == Side.UNKNOWN


def test_an_empty_list_of_trades_proves_life() -> None:
    assert tickdb().receive(push("trade", trades=[]), NOW_NS) == ([], (Alive("AAPL.US"),))


@pytest.mark.parametrize(
    ("timestamp", "exchange_ns"),
    [
        (1700000000, 1_700_000_000_000_000_000),
        ("1700000000", 1_700_000_000_000_000_000),
        (1700000000.123, AT_NS),
        ("1700000000.123", AT_NS),
        (1700000000123, AT_NS),
        ("1700000000123", AT_NS),
        (1700000000123.0, AT_NS),
        (0, NO_TIME),
    ],
)
def test_times_are_in_seconds_or_milliseconds_as_numbers_or_text(timestamp: object, exchange_ns: int) -> None:
    ((tick,), _) = tickdb().receive(push("trade", trades=[a_trade(timestamp=timestamp)]), NOW_NS)

    assert tick.exchange_ns == exchange_ns


def test_depth_is_a_snapshot() -> None:
    raw = push("depth", bids=[["43250.00", "0.25"], ["43250.50", "0.125"]], asks=[["43251.00", "0.5"]])
    ((tick,), _) = tickdb(depth_levels=1).receive(raw, NOW_NS)

    assert (tick.bids, tick.asks) == ([43250.5, 0.125], [43251.0, 0.5])
    assert (tick.sequence, tick.exchange_ns) == (NO_ID, AT_NS)
    assert tick.pressure_ratio == 0.75


@pytest.mark.parametrize("empty", [None, [], [["0", "0"]]])
def test_a_side_without_levels_is_empty(empty: object) -> None:
    ((tick,), _) = tickdb().receive(push("depth", bids=empty, asks=[["1", "1"]]), NOW_NS)

    assert tick.bids == []
    assert isnan(tick.spread)


def test_a_ticker_with_bid_and_ask_is_a_quote_without_sizes() -> None:
    ((quote,), _) = tickdb().receive(push("ticker", last_price="1", bid_price="1.1", ask_price="1.2"), NOW_NS)

    assert (quote.bid_price, quote.ask_price, quote.exchange_ns, quote.sequence) == (1.1, 1.2, AT_NS, NO_ID)
    assert isnan(quote.bid_size)
    assert isnan(quote.ask_size)


@pytest.mark.parametrize("fields", [{}, {"bid_price": "0.00", "ask_price": "0.00"}])
def test_a_last_price_alone_proves_life_and_is_no_trade(fields: dict[str, str]) -> None:
    assert tickdb().receive(push("ticker", last_price="1", **fields), NOW_NS) == ((), (Alive("AAPL.US"),))


def test_an_echoed_symbol_may_lack_its_suffix() -> None:
    raw = push("depth", symbol="AAPL", bids=[], asks=[])
    ((tick,), _) = tickdb("AAPL.US", "BTCUSDT").receive(raw, NOW_NS)

    assert tick.symbol == "AAPL.US"


def test_a_bare_symbol_that_is_itself_subscribed_means_itself() -> None:
    raw = push("depth", symbol="AAPL", bids=[], asks=[])
    ((tick,), _) = tickdb("AAPL.US", "AAPL").receive(raw, NOW_NS)

    assert tick.symbol == "AAPL"


@pytest.mark.parametrize("name_at", ["cmd", "channel", "type"])
def test_the_channel_may_be_named_in_three_places(name_at: str) -> None:
    raw = text({name_at: "depth", "data": {"symbol": "AAPL.US", "bids": [], "asks": []}})

    assert len(tickdb().receive(raw, NOW_NS)[0]) == 1


def test_a_push_may_have_no_envelope_but_its_channel() -> None:
    raw = text({"channel": "trade", "symbol": "AAPL.US", "type": "stock", **a_trade()})

    assert tickdb().receive(raw, NOW_NS)[0][0].price == 553.0


def test_the_default_dialect_subscribes_channel_by_channel_and_pings() -> None:
    codec = tickdb("AAPL.US", "700.HK", kinds=frozenset({Kind.TRADE, Kind.DEPTH}))

    assert codec.url() == "wss://ws.example?api_key=k%26y"
    assert [msgspec.json.decode(message) for message in codec.opening()] == [
        {"cmd": "subscribe", "data": {"channel": channel, "symbols": ["AAPL.US", "700.HK"]}}
        for channel in ("trade", "depth")
    ]
    assert codec.keepalive is not None
    assert (codec.keepalive.interval_s, codec.keepalive.text) == (1.0, '{"cmd":"ping"}')


def test_the_older_dialect_subscribes_once_and_answers_pings() -> None:
    codec = tickdb(dialect="params")

    assert msgspec.json.decode(only(codec.opening())) == {
        "cmd": "subscribe",
        "params": {"channels": ["trade", "ticker", "depth"], "symbols": ["AAPL.US"]},
    }
    assert codec.keepalive is None
    assert codec.receive(text({"type": "ping"}), NOW_NS) == ((), (Send('{"type":"pong"}'), Alive()))


def test_the_query_dialect_subscribes_in_its_address() -> None:
    codec = tickdb("AAPL.US", "700.HK", dialect="query", kinds=frozenset({Kind.DEPTH}))

    assert codec.url() == "wss://ws.example?api_key=k%26y&channel=depth&symbol=AAPL.US&symbol=700.HK"
    assert codec.opening() == []
    assert codec.ready()


def test_a_connection_is_ready_once_every_subscription_is_answered() -> None:
    codec = tickdb(kinds=frozenset({Kind.TRADE, Kind.DEPTH}))
    answer = text({"cmd": "subscribe", "code": 0, "message": "success"})
    codec.receive(answer, NOW_NS)
    assert not codec.ready()

    codec.receive(answer, NOW_NS)
    assert codec.ready()


@pytest.mark.parametrize("dialect", ["", "params"])
def test_a_push_confirms_what_was_not_answered(dialect: str) -> None:
    codec = tickdb(dialect=dialect)
    codec.receive(push("ticker", last_price="1"), NOW_NS)

    assert codec.ready()


@pytest.mark.parametrize("code", [1001, 1002, 2001, 2004, 3002, 3003, 3004])
def test_a_refusal_is_fatal_and_says_why(code: int) -> None:
    _, controls = tickdb().receive(text({"cmd": "subscribe", "code": code, "message": "no"}), NOW_NS)

    assert only(controls) == Fatal(f"TickDB refuses subscribe: {code} no")


@pytest.mark.parametrize(
    ("message", "retry_after_s", "limited"),
    [
        ({"code": 3001}, 60.0, True),
        ({"code": 3001, "retry_after": 7}, 7.0, True),
        ({"code": 3001, "retry_after": -7}, 60.0, True),
        ({"code": 5001}, 10.0, False),
    ],
)
def test_what_passes_says_when_to_come_back(message: dict[str, int], retry_after_s: float, limited: bool) -> None:
    _, controls = tickdb().receive(text(message), NOW_NS)

    fatal = only(controls)
    assert isinstance(fatal, Fatal)
    assert (fatal.retry_after_s, fatal.limited) == (retry_after_s, limited)


@pytest.mark.parametrize(
    "raw",
    [
        text({"cmd": "pong", "code": 0, "message": "pong", "data": {"timestamp": 1}}),
        text({"type": "pong"}),
        text({"code": 0, "message": "connected"}),
    ],
)
def test_answers_prove_life(raw: bytes) -> None:
    assert tickdb().receive(raw, NOW_NS) == ((), (Alive(),))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", Reason.NOT_JSON),
        (b"[]", Reason.WRONG_SHAPE),
        (b"{}", Reason.UNKNOWN_TYPE),
        (text({"cmd": "kline", "data": {}}), Reason.UNKNOWN_TYPE),
        (push("trade", trades=[a_trade(price="0")]), Reason.WRONG_SHAPE),
        (push("trade", trades=[a_trade(timestamp="noon")]), Reason.WRONG_SHAPE),
        (push("trade", trades=[a_trade(timestamp=1e300)]), Reason.WRONG_SHAPE),
        (push("trade"), Reason.WRONG_SHAPE),
        (push("depth", symbol="MSFT.US", bids=[], asks=[]), Reason.UNKNOWN_SYMBOL),
        (push("depth", symbol="700", bids=[], asks=[]), Reason.AMBIGUOUS_SYMBOL),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(raw: bytes, reason: Reason) -> None:
    with pytest.raises(CodecError) as refused:
        tickdb("AAPL.US", "700.HK", "700.SZ").receive(raw, NOW_NS)

    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"dialect": "v0"}, "dialect 'v0' is none of cmd, params, query"),
        ({"api_key": ""}, "set TICKDB_API_KEY"),
        ({"kinds": DESK | {Kind.KLINE}}, "TickDB sends no kline"),
    ],
)
def test_a_mistake_of_the_configuration_is_named(fields: dict[str, Any], names: str) -> None:
    with pytest.raises(ConfigurationError, match=names):
        tickdb(**fields)
