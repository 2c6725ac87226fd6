"""Coinbase Exchange's language."""

from math import isnan

import msgspec
import pytest

from nightdesk.errors import CodecError, ConfigurationError
from nightdesk.ticks import NO_ID, NO_TIME, Event, EventName, Kind, Quote, Side, Trade
from services.collector.codec import Alive, Codec, Fatal, Reason, Send
from services.collector.feeds.coinbase import RENEWAL_NS
from tests.unit.services.collector.feeds.documented import (
    NOW_NS,
    coinbase,
    heartbeat,
    l2update,
    level2,
    match,
    only,
    text,
    ticker,
)

ACK = text({"type": "subscriptions", "channels": [{"name": "matches", "product_ids": ["BTC-USD"]}]})
AT_NS = 1_415_348_367_028_459_000  # 2014-11-07T08:19:27.028459Z


def synchronised() -> Codec:
    codec = coinbase()
    codec.receive(ACK, NOW_NS)
    codec.receive(level2(), NOW_NS)
    return codec


def test_the_taker_took_the_other_side_than_the_makers() -> None:
    codec = coinbase()
    ((bought,), _) = codec.receive(match(10, side="sell"), NOW_NS)
    ((sold,), _) = codec.receive(match(11, side="buy"), NOW_NS)

    assert bought == Trade("BTC-USD", 10, 400.23, 5.23512, Side.BUY, AT_NS, NOW_NS)
    assert sold.side == Side.SELL


def test_the_last_match_is_a_trade_and_where_the_ids_start_from() -> None:
    codec = coinbase()
    ((baseline,), _) = codec.receive(match(10, type="last_match"), NOW_NS)
    (event, tick), _ = codec.receive(match(13), NOW_NS + 1)

    assert baseline.trade_id == 10
    assert (event.name, event.from_id, event.to_id) == (EventName.SEQUENCE_BREAK, 11, 12)
    assert (event.kind, event.since_ns) == (Kind.TRADE, NOW_NS)
    assert tick.trade_id == 13


def test_a_repeated_or_late_trade_is_passed_on_for_the_store_to_judge() -> None:
    codec = coinbase()
    counts = [len(codec.receive(match(trade_id), NOW_NS)[0]) for trade_id in (5, 5, 4, 6)]

    assert counts == [1, 1, 1, 1]


def test_a_ticker_is_a_quote() -> None:
    ticks, _ = coinbase().receive(ticker(), NOW_NS)

    at_ns = 1_666_222_102_061_769_000
    assert ticks == (Quote("BTC-USD", 37475248783, 1285.04, 0.4, 1285.27, 1.9, at_ns, NOW_NS),)


def test_a_ticker_of_the_older_feed_has_prices_without_sizes() -> None:
    data = msgspec.json.decode(ticker())
    del data["best_bid_size"], data["best_ask_size"]
    ((quote,), _) = coinbase().receive(text(data), NOW_NS)

    assert quote.bid_price == 1285.04
    assert isnan(quote.bid_size)
    assert isnan(quote.ask_size)


def test_a_side_quoted_at_zero_is_empty() -> None:
    ((quote,), _) = coinbase().receive(ticker(best_bid="0", sequence=None), NOW_NS)

    assert isnan(quote.bid_price)
    assert isnan(quote.bid_size)
    assert quote.sequence == NO_ID


def test_a_book_starts_with_its_snapshot_and_follows_the_changes() -> None:
    codec = coinbase()
    ((event, first), _) = codec.receive(level2(), NOW_NS)
    ((second,), _) = codec.receive(
        l2update(("buy", "10101.10", "0.00000000"), ("buy", "10100.5", "2"), ("sell", "10102.55", "1.5")), NOW_NS
    )

    assert (event.name, event.symbol, event.kind) == (EventName.SYNCHRONISED, "BTC-USD", Kind.DEPTH)
    assert (first.bids, first.asks, first.exchange_ns) == ([10101.10, 0.4505414], [10102.55, 0.57753524], NO_TIME)
    assert (second.bids, second.asks) == ([10100.5, 2.0], [10102.55, 1.5])
    assert second.sequence == NO_ID
    assert second.exchange_ns == 1_659_626_705_010_758_000


def test_a_heartbeat_proves_life() -> None:
    assert coinbase().receive(heartbeat(20), NOW_NS) == ((), (Alive("BTC-USD"),))


def test_a_heartbeat_announces_what_was_not_received_once() -> None:
    codec = coinbase()
    codec.receive(match(10), NOW_NS)
    (event,), controls = codec.receive(heartbeat(12), NOW_NS + 1)

    assert isinstance(event, Event)
    assert (event.name, event.kind, event.from_id, event.to_id) == (EventName.ANNOUNCED, Kind.TRADE, 11, 12)
    assert (event.since_ns, event.received_ns) == (NOW_NS, NOW_NS + 1)
    assert controls == (Alive("BTC-USD"),)
    assert codec.receive(heartbeat(12), NOW_NS)[0] == ()
    assert len(codec.receive(heartbeat(13), NOW_NS)[0]) == 1


@pytest.mark.parametrize("last_trade_id", [0, 9, 10])
def test_a_heartbeat_that_names_nothing_new_announces_nothing(last_trade_id: int) -> None:
    codec = coinbase()
    codec.receive(match(10), NOW_NS)

    assert codec.receive(heartbeat(last_trade_id), NOW_NS) == ((), (Alive("BTC-USD"),))


def test_one_message_subscribes_to_everything_and_to_the_heartbeat() -> None:
    codec = coinbase("BTC-USD", "ETH-USD")

    assert codec.url() == "wss://ws.example"
    assert msgspec.json.decode(only(codec.opening())) == {
        "type": "subscribe",
        "product_ids": ["BTC-USD", "ETH-USD"],
        "channels": ["matches", "ticker", "level2_batch", "heartbeat"],
    }


def test_a_connection_is_ready_once_confirmed_and_with_every_book() -> None:
    codec = coinbase("BTC-USD", "ETH-USD")
    codec.receive(ACK, NOW_NS)
    codec.receive(level2(), NOW_NS)
    assert not codec.ready()

    codec.receive(level2(product_id="ETH-USD"), NOW_NS)
    assert codec.ready()


def test_an_error_is_fatal_and_says_why() -> None:
    raw = text({"type": "error", "message": "Failed to subscribe", "reason": "BTC-USX is not a valid product"})
    _, controls = coinbase().receive(raw, NOW_NS)

    assert only(controls) == Fatal("Coinbase refuses: Failed to subscribe BTC-USX is not a valid product")


def test_a_kind_that_is_not_sent_is_a_mistake_of_the_configuration() -> None:
    with pytest.raises(ConfigurationError, match="Coinbase sends no kline"):
        coinbase(kinds=frozenset({Kind.TRADE, Kind.KLINE}))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", Reason.NOT_JSON),
        (match(1)[:-20], Reason.NOT_JSON),
        (b"{}", Reason.WRONG_SHAPE),
        (text({"type": "received", "order_id": "1"}), Reason.UNKNOWN_TYPE),
        (match(1, side="long"), Reason.WRONG_SHAPE),
        (match(1, price="0"), Reason.WRONG_SHAPE),
        (match(1, time="yesterday"), Reason.WRONG_SHAPE),
        (match(1, time="2014-13-07T08:19:27.028459Z"), Reason.WRONG_SHAPE),
        (match(1, time=7), Reason.WRONG_SHAPE),
        (match(1, product_id="DOGE-USD"), Reason.UNKNOWN_SYMBOL),
        (l2update(("hold", "1", "1")), Reason.WRONG_SHAPE),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(raw: bytes, reason: Reason) -> None:
    with pytest.raises(CodecError) as refused:
        coinbase().receive(raw, NOW_NS)

    assert refused.value.reason == reason


@pytest.mark.parametrize("raw", [l2update()[:-9], l2update(("buy", "x", "1")), level2(bids=[["1"]])])
def test_an_unreadable_change_puts_every_book_in_doubt_and_asks_for_snapshots(raw: bytes) -> None:
    codec = synchronised()
    with pytest.raises(CodecError):
        codec.receive(raw, NOW_NS)
    (event,), controls = codec.receive(heartbeat(0), NOW_NS)

    assert (event.name, event.kind, event.symbol) == (EventName.SEQUENCE_BREAK, Kind.DEPTH, "BTC-USD")
    requests = [msgspec.json.decode(control.text) for control in controls if isinstance(control, Send)]
    assert [(request["type"], request["channels"]) for request in requests] == [
        ("unsubscribe", ["level2_batch"]),
        ("subscribe", ["level2_batch"]),
    ]
    assert not codec.ready()
    codec.receive(level2(), NOW_NS)
    assert codec.ready()


def test_a_change_that_follows_an_unreadable_one_shows_no_book() -> None:
    codec = synchronised()
    with pytest.raises(CodecError):
        codec.receive(b"garbage", NOW_NS)
    (event,), _ = codec.receive(l2update(("buy", "1", "1")), NOW_NS)

    assert event.name == EventName.SEQUENCE_BREAK
    assert codec.receive(l2update(("buy", "1", "1")), NOW_NS) == ((), (Alive("BTC-USD"),))


def test_books_that_do_not_come_are_asked_for_again_after_a_while() -> None:
    codec = synchronised()
    with pytest.raises(CodecError):
        codec.receive(b"garbage", NOW_NS)
    asked = [
        any(isinstance(control, Send) for control in codec.receive(l2update(("buy", "1", "1")), NOW_NS + after)[1])
        for after in (0, 1, RENEWAL_NS, RENEWAL_NS + 1)
    ]

    assert asked == [True, False, True, False]


def test_a_message_about_something_else_leaves_the_books_alone() -> None:
    codec = synchronised()
    for raw in (text({"type": "status"}), match(1, price="x"), ticker(best_bid="x")):
        with pytest.raises(CodecError):
            codec.receive(raw, NOW_NS)

    assert codec.receive(heartbeat(0), NOW_NS) == ((), (Alive("BTC-USD"),))
    assert codec.ready()
