"""What a session counts, and how it appears in the metrics."""

from prometheus_client import CollectorRegistry

from nightdesk.ticks import Event, EventName, Kind, Quote, Trade
from services.collector.tally import REASONS, SessionMetrics, Tally


def a_tally() -> tuple[Tally, CollectorRegistry]:
    registry = CollectorRegistry()
    return Tally("f", ["A", "B"], ["mute", "closed"], SessionMetrics(registry)), registry


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"nightdesk_{name}", {"feed": "f", **labels})


def a_break(kind: Kind) -> Event:
    return Event("A", EventName.SEQUENCE_BREAK, kind, 1, 2, 0, "", 0)


def test_every_label_is_there_before_anything_happens() -> None:
    _, registry = a_tally()

    assert value(registry, "feed_disconnects_total", cause="mute") == 0
    assert all(value(registry, "feed_rejected_total", reason=reason) == 0 for reason in REASONS)
    assert all(value(registry, "feed_ticks_total", kind=kind.label) == 0 for kind in Kind)
    assert value(registry, "symbol_silent", symbol="B") == 0
    assert value(registry, "feed_connected") == 0


def test_ticks_are_counted_by_kind_and_symbols_keep_their_last_time() -> None:
    tally, registry = a_tally()
    tally.count([Trade("A", 1, 1.0, 1.0, 1, 0, 5_000_000_000), Quote("A", 1, 1.0, 1.0, 2.0, 1.0, 0, 6_000_000_000)])
    tally.flush()

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
    assert tally.last_tick_ns["A"] == 0


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
