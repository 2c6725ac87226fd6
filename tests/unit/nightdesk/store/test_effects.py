"""What a turn changes, worked out without a database."""

import numpy as np
import pytest

from nightdesk import frames
from nightdesk.admission import OpenGaps
from nightdesk.store.batch import Batch, Origin, Source, gather, read
from nightdesk.store.effects import Event, Gap, Key, Mark, apply, causes, events, keys, late, silences
from nightdesk.ticks import NO_ID, EventName, Kind, Quote, Tick, Trade
from nightdesk.ticks import Event as FrameEvent

SYMBOL = 1
TRADES: Key = (SYMBOL, Kind.TRADE)
QUOTES: Key = (SYMBOL, Kind.QUOTE)


def a_trade(trade_id: int, *, at_us: int = 100) -> Trade:
    return Trade("A", trade_id, 10.0, 1.0, 1, at_us * 1000, at_us * 1000)


def a_quote(sequence: int, *, at_us: int = 100) -> Quote:
    return Quote("A", sequence, 1.0, 1.0, 2.0, 1.0, 0, at_us * 1000)


def a_batch(*ticks: Tick) -> Batch:
    payload = frames.encode(ticks)
    frame, _ = read(payload)
    numbered = np.array([SYMBOL if name == "A" else 0 for name in frame.names], dtype=np.int32)
    origin = Origin(feed="f", shard=0, entry_id="1-1", payload=payload)
    return gather([Source(origin=origin, frame=frame, symbol_ids=numbered)], low_ns=0, high_ns=2**62)


def said(
    name: EventName, *, at_us: int, cause: str = "", since_us: int = 0, symbol_id: int = 0, kind: int = 0
) -> Event:
    return Event(
        feed="f", shard=0, symbol_id=symbol_id, name=name, kind=kind, from_id=NO_ID, to_id=NO_ID, since_us=since_us,
        received_us=at_us, cause=cause,
    )  # fmt: skip


def test_only_ids_at_or_below_their_mark_need_the_open_gaps() -> None:
    marks = {TRADES: Mark(mark=10, last_received_us=1)}

    assert late(a_batch(a_trade(11), a_trade(12)), marks) == []
    assert late(a_batch(a_trade(12), a_trade(10)), marks) == [TRADES]
    assert late(a_batch(a_trade(NO_ID)), marks) == []
    assert late(a_batch(a_trade(1)), {}) == []


def test_marks_are_asked_for_in_the_order_in_which_they_are_locked() -> None:
    batch = a_batch(a_quote(1), a_trade(1))

    assert keys(batch, []) == [TRADES, QUOTES]


def test_what_was_announced_for_a_symbol_that_stays_silent_raises_its_mark() -> None:
    batch = a_batch(FrameEvent("A", "announced", Kind.TRADE, NO_ID, 12, 0, "heartbeat", 200_000))
    heard = events(batch)

    assert keys(batch, heard) == [TRADES]
    effects = apply(batch, heard, {TRADES: Mark(mark=10, last_received_us=100)}, {})
    assert effects.marks[TRADES].mark == 12
    assert effects.opened == [Gap(key=TRADES, from_us=100, to_us=200, missing=((11, 12),))]


def test_a_late_trade_is_stored_and_shrinks_its_gap() -> None:
    batch = a_batch(a_trade(5), a_trade(11))
    gaps = {TRADES: OpenGaps.of([(7, 4, 6)])}

    effects = apply(batch, [], {TRADES: Mark(mark=10, last_received_us=1)}, gaps)

    assert effects.shrunken == {7: ((4, 4), (6, 6))}
    assert effects.stored() == {TRADES: 2}
    assert effects.duplicates() == {}


def test_a_turn_of_nothing_but_duplicates_stores_nothing_and_says_so() -> None:
    effects = apply(a_batch(a_trade(5), a_quote(3)), [], {
        TRADES: Mark(mark=10, last_received_us=1), QUOTES: Mark(mark=3, last_received_us=1),
    }, {})  # fmt: skip

    assert effects.ticks == {}
    assert effects.bars is None
    assert effects.duplicates() == {TRADES: 1, QUOTES: 1}


def test_the_neighbours_of_a_gap_bound_it_in_time() -> None:
    effects = apply(
        a_batch(a_trade(11, at_us=200), a_trade(15, at_us=300), a_trade(16, at_us=900)),
        [],
        {TRADES: Mark(mark=10, last_received_us=100)},
        {},
    )

    assert effects.opened == [Gap(key=TRADES, from_us=200, to_us=300, missing=((12, 14),))]


GAP = Gap(key=TRADES, from_us=100, to_us=300, missing=((11, 12),))


@pytest.mark.parametrize(
    ("history", "cause"),
    [
        ([], "sequence break"),
        ([said(EventName.DISCONNECTED, at_us=99, cause="too early")], "sequence break"),
        ([said(EventName.DISCONNECTED, at_us=301, cause="too late")], "sequence break"),
        ([said(EventName.DISCONNECTED, at_us=200, cause="mute")], "disconnected: mute"),
        ([said(EventName.DISCONNECTED, at_us=200)], "disconnected"),
        ([said(EventName.CONNECTED, at_us=200, cause="collector started")], "collector restarted"),
        ([said(EventName.CONNECTED, at_us=200, cause="mute", since_us=90)], "disconnected: mute"),
        (
            [
                said(EventName.DISCONNECTED, at_us=150, cause="code 1006"),
                said(EventName.CONNECTED, at_us=200, cause="code 1006", since_us=90),
            ],
            "disconnected: code 1006",
        ),
        ([said(EventName.SEQUENCE_BREAK, at_us=200, cause="2 ids", symbol_id=SYMBOL, kind=Kind.TRADE)], "2 ids"),
        ([said(EventName.SEQUENCE_BREAK, at_us=200, cause="2 ids", symbol_id=2)], "sequence break"),
        ([said(EventName.SEQUENCE_BREAK, at_us=200, cause="x", symbol_id=SYMBOL, kind=Kind.DEPTH)], "sequence break"),
        ([said(EventName.CONFLATED, at_us=200, cause="conflated")], "sequence break"),
    ],
)
def test_the_cause_is_what_the_feed_said_while_the_gap_came_about(history: list[Event], cause: str) -> None:
    (explained,) = causes([GAP], history)

    assert explained.cause == cause


def test_a_connection_ends_the_silence_of_every_kind_whose_ids_cannot_tell() -> None:
    seen = {
        TRADES: Mark(mark=10, last_received_us=100),
        (2, Kind.TRADE): Mark(mark=None, last_received_us=110, stored=4),
        QUOTES: Mark(mark=7, last_received_us=120),
        (SYMBOL, Kind.KLINE): Mark(mark=None, last_received_us=130),
    }

    gaps = silences(
        said(EventName.CONNECTED, at_us=500, since_us=90, cause="mute"), seen, a_batch(a_quote(8, at_us=400))
    )

    assert gaps == [
        Gap(key=(2, Kind.TRADE), from_us=110, to_us=500, cause="disconnected: mute"),
        Gap(key=QUOTES, from_us=400, to_us=500, cause="disconnected: mute", state="unfillable"),
    ]
