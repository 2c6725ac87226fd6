"""Frames close by count or by age."""

from nightdesk.ticks import Trade
from services.collector.framer import Framer


def a_trade(received_ns: int = 0) -> Trade:
    return Trade("BTCUSDT", 1, 1.0, 1.0, 1, 0, received_ns)


def test_a_busy_market_fills_frames_by_count() -> None:
    framer = Framer(max_ticks=2, max_age_ns=10)

    framer.add(a_trade(1))
    assert framer.full() == []
    for number in range(2, 6):
        framer.add(a_trade(number))
    assert framer.full() == [[a_trade(1), a_trade(2)], [a_trade(3), a_trade(4)]]
    assert len(framer) == 1
    assert framer.close() == [a_trade(5)]


def test_a_quiet_market_still_flows() -> None:
    framer = Framer(max_ticks=100, max_age_ns=10)
    framer.add(a_trade(received_ns=5))

    assert framer.due(14) is None
    assert framer.due(15) == [a_trade(received_ns=5)]
    assert framer.due(99) is None


def test_a_clock_set_back_closes_the_frame_rather_than_holding_it() -> None:
    framer = Framer(max_ticks=100, max_age_ns=10)
    framer.add(a_trade(received_ns=60_000_000_000))

    assert framer.due(1) is not None


def test_nothing_open_makes_no_frame() -> None:
    assert Framer(max_ticks=2, max_age_ns=10).close() is None


def test_a_frame_is_not_changed_by_what_comes_after_it() -> None:
    framer = Framer(max_ticks=2, max_age_ns=10)
    framer.add(a_trade(1))
    closed = framer.close()
    framer.add(a_trade(2))

    assert closed == [a_trade(1)]
