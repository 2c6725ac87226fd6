"""Binance's language: documented messages, and books that stay the exchange's."""

from math import isnan

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightdesk.errors import CodecError, ConfigurationError
from nightdesk.ticks import NO_TIME, AggTrade, Depth, Event, EventName, Kind, Kline, Quote, Side, Trade
from services.collector.codec import Alive, Codec, Fatal, Fetch, Reason, Rollover
from services.collector.feeds.binance import BUFFERED_CHANGES
from tests.unit.services.collector.feeds.documented import (
    NOW_NS,
    agg_trade,
    binance,
    book_ticker,
    change,
    combined,
    fetches,
    kline,
    only,
    snapshot,
    text,
    trade,
)

ACK = text({"result": None, "id": 1})


def depth_codec(**fields: object) -> Codec:
    return binance(kinds=frozenset({Kind.DEPTH}), **fields)


def test_a_trade_of_a_buying_maker_was_sold_by_its_taker() -> None:
    ticks, controls = binance().receive(trade(12345), NOW_NS)

    at_ns = 1_700_000_000_000_000_000
    assert ticks == (Trade("BTCUSDT", 12345, 0.001, 100.0, Side.SELL, at_ns, NOW_NS),)
    assert controls == ()


def test_an_aggregate_trade_is_a_kind_of_its_own() -> None:
    ticks, _ = binance().receive(agg_trade(7), NOW_NS)

    at_ns = 1_700_000_000_000_000_000
    assert ticks == (AggTrade("BTCUSDT", 7, 100, 105, 0.001, 100.0, Side.BUY, at_ns, NOW_NS),)


def test_a_quote_has_no_time_of_the_exchange() -> None:
    ticks, _ = binance().receive(book_ticker(), NOW_NS)

    assert ticks == (Quote("BTCUSDT", 400900217, 25.3519, 31.21, 25.3652, 40.66, NO_TIME, NOW_NS),)


def test_a_quote_of_price_zero_says_that_the_side_is_empty() -> None:
    ((quote,), _) = binance().receive(book_ticker(b="0.00000000", B="0.00000000"), NOW_NS)

    assert isnan(quote.bid_price)
    assert isnan(quote.bid_size)
    assert quote.ask_price == 25.3652


def test_a_kline_is_closed_once_the_exchange_says_so() -> None:
    codec = binance()
    ((open_kline,), _) = codec.receive(kline(), NOW_NS)
    ((closed_kline,), _) = codec.receive(kline(x=True), NOW_NS)

    assert isinstance(open_kline, Kline)
    assert (open_kline.interval, open_kline.open, open_kline.high, open_kline.trades) == ("1m", 0.001, 0.0025, 100)
    assert (open_kline.open_ns, open_kline.close_ns) == (1_700_000_000_000_000_000, 1_700_000_059_999_000_000)
    assert not open_kline.closed
    assert closed_kline.closed


def test_a_partial_book_takes_its_symbol_from_the_stream() -> None:
    codec = depth_codec(dialect="partial", depth_levels=1)
    raw = combined("btcusdt@depth5@100ms", msgspec.Raw(snapshot(160, bids=[["9", "1"], ["10", "2"]])))
    ((tick,), _) = codec.receive(raw, NOW_NS)

    assert (tick.symbol, tick.sequence, tick.bids, tick.asks) == ("BTCUSDT", 160, [10.0, 2.0], [11.0, 2.0])


def test_contiguous_trades_break_nothing() -> None:
    codec = binance()
    ticks = [tick for trade_id in (5, 6, 7) for tick in codec.receive(trade(trade_id), NOW_NS)[0]]

    assert [tick.trade_id for tick in ticks] == [5, 6, 7]


@pytest.mark.parametrize(("message", "kind"), [(trade, Kind.TRADE), (agg_trade, Kind.AGG_TRADE)])
def test_a_jump_of_ids_is_a_break_before_the_trade(message, kind) -> None:  # noqa: ANN001
    codec = binance()
    codec.receive(message(5), NOW_NS)
    (event, tick), _ = codec.receive(message(9), NOW_NS + 1)

    assert isinstance(event, Event)
    assert (event.name, event.kind, event.from_id, event.to_id) == (EventName.SEQUENCE_BREAK, kind, 6, 8)
    assert (event.symbol, event.since_ns, event.received_ns) == ("BTCUSDT", NOW_NS, NOW_NS + 1)
    assert tick.received_ns == NOW_NS + 1


@pytest.mark.parametrize("message", [trade, agg_trade])
def test_a_repeated_or_late_trade_is_passed_on_for_the_store_to_judge(message) -> None:  # noqa: ANN001
    codec = binance()
    counts = [len(codec.receive(message(trade_id), NOW_NS)[0]) for trade_id in (5, 5, 4, 6)]

    assert counts == [1, 1, 1, 1]


def test_a_connection_subscribes_by_messages_and_is_confirmed_by_answers() -> None:
    codec = binance(kinds=frozenset({Kind.TRADE, Kind.KLINE}))

    assert codec.url() == "wss://ws.example/stream"
    (opening,) = codec.opening()
    assert msgspec.json.decode(opening) == {
        "method": "SUBSCRIBE",
        "params": ["btcusdt@trade", "btcusdt@kline_1m"],
        "id": 1,
    }
    assert not codec.ready()
    assert codec.receive(ACK, NOW_NS) == ((), (Alive(),))
    assert codec.ready()


def test_many_streams_open_with_few_messages() -> None:
    symbols = [f"S{number}USDT" for number in range(1024)]
    opening = binance(*symbols, kinds=frozenset({Kind.TRADE})).opening()

    assert len(opening) <= 5
    assert sum(len(msgspec.json.decode(message)["params"]) for message in opening) == 1024


def test_more_streams_than_a_connection_takes_are_a_mistake_of_the_configuration() -> None:
    symbols = [f"S{number}USDT" for number in range(513)]

    with pytest.raises(ConfigurationError, match=r"1026 streams .* Binance allows 1024"):
        binance(*symbols, kinds=frozenset({Kind.TRADE, Kind.QUOTE}))


@pytest.mark.parametrize(
    "fields",
    [{"kline_interval": "7m"}, {"dialect": "cmd"}, {"dialect": "partial", "depth_levels": 21}],
)
def test_what_the_exchange_does_not_know_is_a_mistake_of_the_configuration(fields: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="feed binance"):
        binance(**fields)


@pytest.mark.parametrize(
    "raw",
    [
        text({"e": "serverShutdown", "E": 1}),
        combined("!serverShutdown", {"e": "serverShutdown", "E": 1}),
    ],
)
def test_a_shutdown_notice_asks_for_a_rollover(raw: bytes) -> None:
    _, controls = binance().receive(raw, NOW_NS)

    assert isinstance(only(controls), Rollover)


@pytest.mark.parametrize(
    "raw",
    [
        text({"code": 2, "msg": "Invalid request"}),
        text({"error": {"code": 2, "msg": "Invalid request"}, "id": 1}),
        text({"id": 1, "code": 2, "msg": "Invalid request"}),
    ],
)
def test_a_refused_subscription_is_fatal_and_says_why(raw: bytes) -> None:
    _, controls = binance().receive(raw, NOW_NS)

    assert only(controls) == Fatal("Binance refuses: 2 Invalid request")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", Reason.NOT_JSON),
        (b"\xff\xfe", Reason.NOT_JSON),
        (trade(1)[:-20], Reason.NOT_JSON),
        (b'{"a":' * 100_000, Reason.NOT_JSON),
        (b"[]", Reason.WRONG_SHAPE),
        (trade(1, p="twelve"), Reason.WRONG_SHAPE),
        (trade(1, p="NaN"), Reason.WRONG_SHAPE),
        (trade(1, p="-1"), Reason.WRONG_SHAPE),
        (trade(1, q="Infinity"), Reason.WRONG_SHAPE),
        (trade(2**63), Reason.WRONG_SHAPE),
        (trade(1, T=2**60), Reason.WRONG_SHAPE),
        (trade(1, m=None), Reason.WRONG_SHAPE),
        (trade(1, s="ETHUSDT"), Reason.UNKNOWN_SYMBOL),
        (combined("ethusdt@trade", {}), Reason.UNKNOWN_SYMBOL),
        (combined("btcusdt@forceOrder", {}), Reason.UNKNOWN_TYPE),
        (combined("btcusdt@kline_7m", {}), Reason.UNKNOWN_TYPE),
        (combined("btcusdt@trade_7", {}), Reason.UNKNOWN_TYPE),
        (combined("btcusdt@depth20_7@100ms", {}), Reason.UNKNOWN_TYPE),
        (combined("!miniTicker", {}), Reason.UNKNOWN_TYPE),
        (text({"e": "balanceUpdate"}), Reason.UNKNOWN_TYPE),
        (b"{}", Reason.UNKNOWN_TYPE),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(raw: bytes, reason: Reason) -> None:
    with pytest.raises(CodecError) as refused:
        binance().receive(raw, NOW_NS)

    assert refused.value.reason == reason


def test_a_message_with_its_keys_in_another_order_reads_the_same() -> None:
    data = msgspec.json.decode(trade(5))["data"]

    assert binance().receive(text({"data": data, "stream": "btcusdt@trade"}), NOW_NS) == binance().receive(
        trade(5), NOW_NS
    )


def test_a_confirmed_book_asks_for_its_snapshot_even_when_nothing_changes() -> None:
    codec = depth_codec()
    _, controls = codec.receive(ACK, NOW_NS)
    (fetch,) = fetches(controls)

    assert fetch == Fetch("BTCUSDT", "https://rest.example/api/v3/depth?symbol=BTCUSDT&limit=1000", weight=50)
    assert not codec.ready()
    ((_, tick), _) = codec.fetched(fetch.key, snapshot(160), NOW_NS)
    assert (tick.sequence, tick.bids, tick.asks, tick.exchange_ns) == (160, [10.0, 1.0], [11.0, 2.0], NO_TIME)
    assert codec.ready()


def test_a_book_says_from_when_it_is_the_exchanges() -> None:
    codec = depth_codec()
    codec.receive(change(1, 5), NOW_NS)
    ((event, tick), _) = codec.fetched("BTCUSDT", snapshot(5), NOW_NS + 1)

    assert (event.name, event.symbol, event.kind) == (EventName.SYNCHRONISED, "BTCUSDT", Kind.DEPTH)
    assert event.received_ns == tick.received_ns == NOW_NS + 1


def test_the_snapshot_is_asked_for_once() -> None:
    codec = depth_codec()
    asked = [fetches(codec.receive(raw, NOW_NS)[1]) for raw in (change(1, 2), ACK, change(3, 4))]

    assert [len(fetch) for fetch in asked] == [1, 0, 0]


def test_changes_wait_for_the_snapshot_and_those_it_holds_are_dropped() -> None:
    codec = depth_codec()
    codec.receive(change(1, 5, bids=[["9.0", "9"]]), NOW_NS)
    codec.receive(change(6, 10, bids=[["10.0", "5"]]), NOW_NS)
    ((_, tick), _) = codec.fetched("BTCUSDT", snapshot(7), NOW_NS)

    assert (tick.sequence, tick.bids) == (10, [10.0, 5.0])
    ((tick,), _) = codec.receive(change(11, 12, bids=[["10.0", "0"]]), NOW_NS)
    assert (tick.sequence, tick.bids, tick.exchange_ns) == (12, [], 1_700_000_000_002_000_000)
    assert isnan(tick.pressure_ratio)


def test_a_snapshot_older_than_the_first_change_is_asked_for_again() -> None:
    codec = depth_codec()
    _, (asked,) = codec.receive(change(10, 12), NOW_NS)
    ticks, controls = codec.fetched("BTCUSDT", snapshot(5), NOW_NS)

    assert (ticks, controls) == ((), (asked,))
    assert not codec.ready()
    ((_, tick), _) = codec.fetched("BTCUSDT", snapshot(9), NOW_NS)
    assert tick.sequence == 12


def test_a_missing_change_is_a_break_and_a_new_snapshot() -> None:
    codec = depth_codec()
    codec.receive(change(1, 5), NOW_NS)
    codec.fetched("BTCUSDT", snapshot(5), NOW_NS)
    codec.receive(change(6, 6), NOW_NS + 1)
    (event,), controls = codec.receive(change(9, 11, bids=[["10.0", "4"]]), NOW_NS + 2)

    assert (event.name, event.kind) == (EventName.SEQUENCE_BREAK, Kind.DEPTH)
    assert (event.from_id, event.to_id, event.since_ns) == (7, 8, NOW_NS + 1)
    assert len(fetches(controls)) == 1
    assert not codec.ready()
    ((_, tick), _) = codec.fetched("BTCUSDT", snapshot(10), NOW_NS)
    assert (tick.sequence, tick.bids) == (11, [10.0, 4.0])


def test_a_change_missing_while_the_snapshot_is_on_its_way_is_a_break_too() -> None:
    codec = depth_codec()
    codec.receive(change(1, 5), NOW_NS)
    (event,), controls = codec.receive(change(8, 9), NOW_NS)

    assert (event.from_id, event.to_id) == (6, 7)
    assert fetches(controls) == []
    _, (again,) = codec.fetched("BTCUSDT", snapshot(5), NOW_NS)
    assert isinstance(again, Fetch)
    ((_, tick), _) = codec.fetched("BTCUSDT", snapshot(8), NOW_NS)
    assert tick.sequence == 9


def test_a_repeated_change_says_only_that_the_symbol_lives() -> None:
    codec = depth_codec()
    codec.receive(change(1, 5), NOW_NS)
    codec.fetched("BTCUSDT", snapshot(5), NOW_NS)

    assert codec.receive(change(4, 5, bids=[["1.0", "1"]]), NOW_NS) == ((), (Alive("BTCUSDT"),))


def test_waiting_changes_are_bounded() -> None:
    codec = depth_codec()
    for last in range(1, BUFFERED_CHANGES + 11):
        codec.receive(change(last, last), NOW_NS)

    assert codec.fetched("BTCUSDT", snapshot(5), NOW_NS)[0] == ()
    assert len(codec.fetched("BTCUSDT", snapshot(10), NOW_NS)[0]) == 2


def test_an_answer_to_no_question_is_refused() -> None:
    with pytest.raises(CodecError) as refused:
        binance(kinds=frozenset({Kind.TRADE})).fetched("BTCUSDT", snapshot(1), 1)
    assert refused.value.reason == Reason.UNKNOWN_SYMBOL


def test_a_second_answer_changes_nothing() -> None:
    codec = depth_codec()
    codec.receive(change(1, 5), NOW_NS)
    codec.fetched("BTCUSDT", snapshot(5), NOW_NS)

    assert codec.fetched("BTCUSDT", snapshot(3), NOW_NS) == ((), (Alive("BTCUSDT"),))


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", text({"code": -1003, "msg": "Too many requests"})])
def test_an_answer_that_is_no_snapshot_is_refused(body: bytes) -> None:
    codec = depth_codec()
    codec.receive(change(1, 5), NOW_NS)

    with pytest.raises(CodecError):
        codec.fetched("BTCUSDT", body, NOW_NS)


class Exchange:
    """The truth: a book, and what it has sent so far."""

    def __init__(self) -> None:
        self.sides: tuple[dict[str, str], dict[str, str]] = ({}, {})
        self.last = 0

    def change(self, side: int, price: int, size: int, ids: int) -> bytes:
        """Change one level and return the message that says so."""
        level = (f"{price}.50", f"{size}.0")
        self.sides[side][level[0]] = level[1]
        first, self.last = self.last + 1, self.last + ids
        return change(first, self.last, **{("bids", "asks")[side]: [level]})

    def snapshot(self) -> bytes:
        """Return the book as REST answers it now."""
        bids, asks = ([level for level in side.items() if level[1] != "0.0"] for side in self.sides)
        return snapshot(self.last, bids=bids, asks=asks)

    def top(self, side: int) -> list[float]:
        """Return the best ten levels, flat."""
        levels = [(float(price), float(size)) for price, size in self.sides[side].items() if float(size)]
        return [number for level in sorted(levels, reverse=side == 0)[:10] for number in level]


STEPS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(1, 15), st.integers(0, 3), st.integers(1, 4), st.booleans()),
    min_size=1,
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, delays=st.lists(st.integers(0, 5), max_size=60))
def test_whatever_is_lost_and_however_late_snapshots_are_the_book_becomes_the_exchanges(steps, delays) -> None:  # noqa: ANN001
    exchange, codec, waiting, last = Exchange(), depth_codec(), [], None
    late = iter(delays)

    def take(received) -> None:  # noqa: ANN001
        nonlocal last
        ticks, controls = received
        assert ticks or controls
        last = next((tick for tick in ticks if isinstance(tick, Depth)), last)
        waiting.extend([(next(late, 0), exchange.snapshot()) for _ in fetches(controls)])

    take(codec.receive(ACK, NOW_NS))
    for side, price, size, ids, is_lost in steps:
        raw = exchange.change(side, price, size, ids)
        if not is_lost:
            take(codec.receive(raw, NOW_NS))
        ready = [body for left, body in waiting if left <= 0]
        waiting = [(left - 1, body) for left, body in waiting if left > 0]
        for body in ready:
            take(codec.fetched("BTCUSDT", body, NOW_NS))
    take(codec.receive(exchange.change(0, 1, 1, 1), NOW_NS))
    while waiting:
        bodies, waiting = [body for _, body in waiting], []
        for body in bodies:
            take(codec.fetched("BTCUSDT", body, NOW_NS))

    assert codec.ready()
    assert last is not None
    assert (last.sequence, last.bids, last.asks) == (exchange.last, exchange.top(0), exchange.top(1))
