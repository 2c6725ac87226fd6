"""The observer finds what came out of order."""

from nightdesk import frames
from nightdesk.ticks import Trade
from tests.chaos.observer import Order


def frame_of(*ids: tuple[str, int], received_ns: int = 0) -> frames.Frame:
    return frames.decode(
        frames.encode([Trade(symbol, trade_id, 1.0, 1.0, 1, 0, received_ns) for symbol, trade_id in ids]),
    )


def test_ids_that_rise_are_in_order_whatever_they_leave_out() -> None:
    order = Order()
    order.take(frame_of(("BTCUSDT", 5), ("ETHUSDT", 1), ("BTCUSDT", 6)))
    order.take(frame_of(("BTCUSDT", 9)))

    assert order.findings() == []
    assert order.trades == 4


def test_a_late_or_repeated_id_is_found_once() -> None:
    order = Order()
    order.take(frame_of(("BTCUSDT", 5), ("ETHUSDT", 3), ("BTCUSDT", 4), ("BTCUSDT", 5)))

    (found,) = order.findings()
    assert found == "BTCUSDT: 2 trades came to a consumer out of order, the first is 4 after 5"
    assert order.findings() == []


def test_a_trade_received_before_the_one_that_came_first_is_found() -> None:
    order = Order()
    order.take(frame_of(("BTCUSDT", 1), received_ns=2_000_000_000))
    order.take(frame_of(("BTCUSDT", 2), received_ns=500_000_000))

    (found,) = order.findings()
    assert found == "BTCUSDT: 1 trades came to a consumer later than their receipt says, the first by 1.500 s"


def test_what_a_fault_is_excused_from_is_forgotten() -> None:
    order = Order()
    order.take(frame_of(("BTCUSDT", 5), received_ns=9))
    order.take(frame_of(("BTCUSDT", 4), received_ns=1))

    assert order.findings(disordered=1, receipts=False) == []

    order.take(frame_of(("BTCUSDT", 6), received_ns=2))
    assert order.findings() == []


def test_no_more_may_be_out_of_order_than_the_exchange_sent_so() -> None:
    order = Order()
    for allowed, found in ((2, 0), (1, 1)):
        order.take(frame_of(("BTCUSDT", 5), ("BTCUSDT", 4), ("BTCUSDT", 5)))

        assert len(order.findings(disordered=allowed, receipts=False)) == found
        order = Order()
