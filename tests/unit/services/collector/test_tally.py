"""What a session counts, and how it appears in the metrics."""

from math import nan

from prometheus_client import CollectorRegistry

from nightdesk.exchanges.rest import Outcome
from nightdesk.ticks import NO_TIME, AggTrade, Event, EventName, Kind, Quote, Tick, Trade
from services.collector.tally import REASONS, SessionMetrics, Tally


def a_tally() -> tuple[Tally, CollectorRegistry]:
    registry = CollectorRegistry()
    return Tally("f", {"A": "24/7", "B": "XNYS"}, ["mute", "closed"], SessionMetrics(registry)), registry


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"nightdesk_{name}", {"feed": "f", **labels})


def a_trade(price: float, *, symbol: str = "A", at_ns: int = 5_000_000_000) -> Trade:
    return Trade(symbol, 1, price, 1.0, 1, 0, at_ns)


def a_quote(bid: float, ask: float, *, symbol: str = "A", at_ns: int = 6_000_000_000) -> Quote:
    return Quote(symbol, 1, bid, 1.0, ask, 1.0, 0, at_ns)


def after(*batches: list[Tick]) -> CollectorRegistry:
    tally, registry = a_tally()
    for batch in batches:
        tally.count(batch)
        tally.flush()
    return registry


def a_break(kind: Kind) -> Event:
    return Event("A", EventName.SEQUENCE_BREAK, kind, 1, 2, 0, "", 0)


def test_every_label_is_there_before_anything_happens() -> None:
    _, registry = a_tally()

    assert value(registry, "feed_disconnects_total", cause="mute") == 0
    assert all(value(registry, "feed_rejected_total", reason=reason) == 0 for reason in REASONS)
    assert all(value(registry, "feed_ticks_total", kind=kind.label) == 0 for kind in Kind)
    assert value(registry, "symbol_silent", symbol="B") == 0
    assert value(registry, "symbol_heard", symbol="B") == 0
    assert all(value(registry, "exchange_answers_total", outcome=outcome) == 0 for outcome in Outcome)
    assert value(registry, "feed_connected") == 0


def test_ticks_are_counted_by_kind_and_symbols_keep_their_last_time() -> None:
    registry = after([a_trade(1.0), a_quote(1.0, 2.0)])

    assert value(registry, "feed_ticks_total", kind="trade") == 1
    assert value(registry, "feed_ticks_total", kind="quote") == 1
    assert value(registry, "symbol_last_tick_timestamp_seconds", symbol="A") == 6
    assert value(registry, "symbol_last_tick_timestamp_seconds", symbol="B") is None


def test_a_second_flush_adds_nothing() -> None:
    tally, registry = a_tally()
    tally.messages, tally.bytes = 3, 300
    tally.reject("not_json")
    tally.flush()
    tally.flush()

    assert value(registry, "feed_messages_total") == 3
    assert value(registry, "feed_bytes_total") == 300
    assert value(registry, "feed_rejected_total", reason="not_json") == 1


def test_breaks_are_counted_by_kind_and_are_no_sign_of_the_symbol() -> None:
    tally, registry = a_tally()
    tally.count([a_break(Kind.DEPTH), a_break(Kind.DEPTH)])
    tally.flush()

    assert value(registry, "feed_sequence_breaks_total", kind="depth") == 2
    assert tally.last_tick_ns("A") == NO_TIME


def test_a_reason_nobody_foresaw_makes_no_new_label() -> None:
    tally, registry = a_tally()
    tally.reject("surprise-4711")
    tally.flush()

    assert value(registry, "feed_rejected_total", reason="other") == 1
    assert value(registry, "feed_rejected_total", reason="surprise-4711") is None


def test_connections_and_their_ends_are_counted() -> None:
    tally, registry = a_tally()
    tally.opened()
    assert value(registry, "feed_connected") == 1
    tally.ended("mute")

    assert value(registry, "feed_connected") == 0
    assert value(registry, "feed_connects_total") == 1
    assert value(registry, "feed_disconnects_total", cause="mute") == 1


def test_a_symbol_says_which_calendar_it_keeps() -> None:
    _, registry = a_tally()

    assert value(registry, "symbol_info", symbol="A", calendar="24/7") == 1
    assert value(registry, "symbol_info", symbol="B", calendar="XNYS") == 1


def test_the_last_trades_price_and_the_last_quotes_spread_are_kept_by_symbol() -> None:
    registry = after(
        [a_trade(10.0), a_trade(11.0), a_trade(7.0, symbol="B")],
        [a_quote(9.0, 12.0), a_trade(12.0), a_quote(9.0, 9.5)],
    )

    assert value(registry, "symbol_last_price", symbol="A") == 12
    assert value(registry, "symbol_last_price", symbol="B") == 7
    assert value(registry, "symbol_spread", symbol="A") == 0.5
    assert value(registry, "symbol_spread", symbol="B") is None


def test_a_quote_without_one_side_changes_no_spread() -> None:
    registry = after([a_quote(9.0, 9.5)], [a_quote(nan, 9.5)])

    assert value(registry, "symbol_spread", symbol="A") == 0.5


def test_aggregate_trades_have_a_price_where_there_are_no_others() -> None:
    aggregate = AggTrade("A", 1, 1, 2, 20.0, 1.0, 1, 0, 5)

    assert value(after([aggregate]), "symbol_last_price", symbol="A") == 20
    assert value(after([a_trade(10.0), aggregate]), "symbol_last_price", symbol="A") == 10


def test_a_symbol_was_heard_once_it_gave_a_sign_of_life() -> None:
    tally, registry = a_tally()
    tally.heard("A")

    assert value(registry, "symbol_heard", symbol="A") == 1
    assert value(registry, "symbol_heard", symbol="B") == 0


def test_answers_are_counted_by_what_became_of_them() -> None:
    tally, registry = a_tally()
    tally.answered(Outcome.RATE_LIMITED)

    assert value(registry, "exchange_answers_total", outcome="rate_limited") == 1
