"""Two connections overlap; what goes on has no hole, no duplicate, and keeps its order."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from nightdesk.ticks import NO_ID, NO_TIME, Event, EventName, Kline, Quote, Tick, Trade
from services.collector.book import synchronised
from services.collector.rollover import HOLD_NS, READY_NS, SETTLE_NS, Handover, place_of


def a_trade(trade_id: int, symbol: str = "A", *, exchange_ns: int = 0, received_ns: int = 0) -> Trade:
    return Trade(symbol, trade_id, 1.0, 1.0, 1, exchange_ns, received_ns)


def a_quote(sequence: int, symbol: str = "A", received_ns: int = 0) -> Quote:
    return Quote(symbol, sequence, 1.0, 1.0, 2.0, 1.0, NO_TIME, received_ns)


def a_kline(exchange_ns: int) -> Kline:
    return Kline("A", "1m", 0, 60, 1.0, 1.0, 1.0, 1.0, 1.0, 1, False, exchange_ns, 0)


def an_event() -> Event:
    return Event("A", EventName.SEQUENCE_BREAK, 1, 1, 2, 0, "", 0)


def a_handover() -> Handover:
    return Handover(now_ns=0)


def ids(ticks: list[Tick]) -> list[int]:
    return [tick.trade_id for tick in ticks if isinstance(tick, Trade)]


def test_the_old_connection_is_left_once_it_reached_the_new_ones_first_id() -> None:
    handover = a_handover()
    handover.new([a_trade(5)])
    handover.due(0, ready=True)

    assert not handover.due(SETTLE_NS, ready=True)
    handover.old([a_trade(4)])
    assert not handover.due(SETTLE_NS, ready=True)
    handover.old([a_trade(5)])
    assert handover.due(SETTLE_NS, ready=True)


def test_every_symbol_and_kind_has_to_be_reached() -> None:
    handover = a_handover()
    handover.new([a_trade(5), a_trade(7, "B"), a_quote(9)])
    handover.due(0, ready=True)
    handover.old([a_trade(5), a_quote(9)])
    assert not handover.due(SETTLE_NS, ready=True)
    handover.old([a_trade(8, "B")])

    assert handover.due(SETTLE_NS, ready=True)


def test_two_seconds_are_the_longest_wait() -> None:
    handover = a_handover()
    handover.new([a_trade(5)])
    handover.due(0, ready=True)

    assert not handover.due(HOLD_NS - 1, ready=True)
    assert handover.due(HOLD_NS, ready=True)


def test_both_stay_open_for_a_moment_even_when_nothing_comes() -> None:
    handover = a_handover()
    handover.due(0, ready=True)

    assert not handover.due(SETTLE_NS - 1, ready=True)
    assert handover.due(SETTLE_NS, ready=True)


def test_a_book_synchronised_while_the_old_connection_had_one_is_no_news() -> None:
    news = synchronised("A", received_ns=5)
    for ready, expected in ((True, []), (False, [news])):
        handover = a_handover()
        handover.new([news])
        handover.due(READY_NS, ready=ready)
        assert handover.release()[0] == expected


def test_the_wait_begins_when_the_new_connection_is_ready() -> None:
    handover = a_handover()
    handover.new([a_trade(5)])

    assert not handover.due(READY_NS - 1, ready=False)
    assert not handover.due(READY_NS - 1, ready=True)
    assert handover.due(READY_NS - 1 + HOLD_NS, ready=True)


def test_a_new_connection_that_never_gets_ready_takes_over_at_last() -> None:
    handover = a_handover()

    assert not handover.due(READY_NS, ready=False)
    assert handover.due(READY_NS + SETTLE_NS, ready=False)


def test_what_was_passed_already_is_left_out_of_what_was_held() -> None:
    handover = a_handover()
    handover.new([a_trade(5), a_trade(6), a_trade(7)])
    handover.old([a_trade(4), a_trade(5), a_trade(6)])
    first, remainder = handover.release()

    assert ids(first) == [7]
    assert remainder.over


def test_an_old_connection_that_was_ahead_is_not_repeated_after_the_change() -> None:
    handover = a_handover()
    handover.new([a_trade(5)])
    handover.old([a_trade(5), a_trade(6), a_trade(7)])
    first, remainder = handover.release()

    assert first == []
    assert not remainder.over
    assert ids(remainder.not_passed([a_trade(6), a_trade(7), a_trade(8), a_trade(9)])) == [8, 9]
    assert remainder.over


def test_what_is_held_stays_small_while_the_old_connection_goes_on() -> None:
    handover = a_handover()
    for trade_id in range(1000):
        handover.new([a_trade(trade_id)])
        handover.old([a_trade(trade_id)])
        handover.prune()

    assert handover.holds == 0


def test_without_ids_the_exchanges_time_decides_and_without_that_ours() -> None:
    handover = a_handover()
    handover.new([a_kline(10), a_kline(20), a_quote(NO_ID, received_ns=3), a_quote(NO_ID, received_ns=5)])
    handover.old([a_kline(10), a_quote(NO_ID, received_ns=4)])
    first, _ = handover.release()

    assert first == [a_kline(20), a_quote(NO_ID, received_ns=5)]


def test_ids_and_times_are_never_compared() -> None:
    handover = a_handover()
    handover.new([a_trade(5)])
    handover.old([a_trade(NO_ID, exchange_ns=1_700_000_000)])
    first, _ = handover.release()

    assert ids(first) == [5]


def test_events_always_go_on() -> None:
    handover = a_handover()
    handover.old([an_event()])
    handover.new([an_event()])
    first, remainder = handover.release()

    assert first == [an_event()]
    assert remainder.not_passed([an_event()]) == [an_event()]
    assert place_of(an_event()) is None


@dataclass
class Overlap:
    """One market as two connections saw it: the second from ``subscribed`` on, each at its own pace."""

    market: list[Trade]
    subscribed: int
    turns: list[bool]


@st.composite
def overlaps(draw: st.DrawFn) -> Overlap:
    symbols = draw(st.lists(st.sampled_from("ABC"), min_size=1, max_size=60))
    next_id: dict[str, int] = {}
    market = []
    for symbol in symbols:
        next_id[symbol] = next_id.get(symbol, 0) + 1
        market.append(a_trade(next_id[symbol], symbol))
    subscribed = draw(st.integers(0, len(market)))
    return Overlap(market, subscribed, draw(st.lists(st.booleans(), max_size=150)))


@given(overlaps(), st.integers(1, 7))
def test_whatever_the_pace_of_the_two_nothing_is_lost_or_said_twice(overlap: Overlap, batch: int) -> None:
    handover = a_handover()
    handover.due(0, ready=True)
    old, new = list(overlap.market), overlap.market[overlap.subscribed :]
    passed: list[Tick] = []
    # what was on its way when the new subscription began has come by the time the old connection is left: SETTLE_NS
    in_flight = overlap.subscribed
    for turn in overlap.turns:
        if in_flight <= 0 and handover.due(SETTLE_NS, ready=True):
            break
        source = old if turn else new
        ticks, source[:] = source[:batch], source[batch:]
        if turn:
            passed += ticks
            handover.old(ticks)
            in_flight -= len(ticks)
        else:
            handover.new(ticks)
            handover.prune()
    else:  # the old connection goes on until it reached the new one
        passed += old
        handover.old(old)
    first, remainder = handover.release()
    passed += first
    passed += remainder.not_passed(new)

    for symbol in "ABC":
        seen = [tick.trade_id for tick in passed if isinstance(tick, Trade) and tick.symbol == symbol]
        assert seen == [trade.trade_id for trade in overlap.market if trade.symbol == symbol]
