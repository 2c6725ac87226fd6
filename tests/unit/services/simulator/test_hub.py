import json
from dataclasses import replace

from services.simulator.faults import Board, fault_of
from services.simulator.hub import Hub
from services.simulator.tampering import Sending, Tampering
from tests.unit.services.simulator.making import SYMBOLS, FakeLine

TRADES = Sending("btcusdt@trade", "BTCUSDT", "trade", ['{"t":5}', '{"t":6}'], 5)


def a_hub(**fault: object) -> Hub:
    board = Board()
    if fault:
        board.add(fault_of(fault, SYMBOLS), 0)
    return Hub(Tampering(board))


def joined(hub: Hub, *topics: str, wrapped: bool = False) -> FakeLine:
    line = FakeLine()
    listener = hub.join(line, language="binance", now_ms=0)
    listener.wrapped = wrapped
    hub.subscribe(listener, topics)
    return line


def test_a_message_reaches_who_asked_for_it() -> None:
    hub = a_hub()
    asked, other = joined(hub, "btcusdt@trade"), joined(hub, "ethusdt@trade")
    hub.publish(TRADES, 0)
    hub.flush()

    assert (asked.texts(), other.texts()) == (['{"t":5}', '{"t":6}'], [])


def test_a_combined_connection_hears_the_streams_name() -> None:
    hub = a_hub()
    line = joined(hub, "btcusdt@trade", wrapped=True)
    hub.publish(TRADES, 0)
    hub.flush()

    assert json.loads(line.texts()[0]) == {"stream": "btcusdt@trade", "data": {"t": 5}}


def test_the_account_says_which_trades_went_out() -> None:
    hub = a_hub()
    joined(hub, "btcusdt@trade")
    hub.publish(TRADES, 0)
    hub.publish(Sending("btcusdt@trade", "BTCUSDT", "trade", ['{"t":7}'], 7), 0)

    account = hub.listeners[0].as_json()
    assert (account["first_trade_id"], account["last_trade_id"]) == ({"BTCUSDT": 5}, {"BTCUSDT": 7})
    assert (account["messages_sent"], hub.messages_sent) == (3, 3)
    assert account["messages"] == {"trade": 3}


def test_the_account_leaves_out_what_a_fault_withheld() -> None:
    hub = a_hub(fault="gap", count=1)
    joined(hub, "btcusdt@trade")
    hub.publish(TRADES, 0)

    assert hub.listeners[0].first_trade_id == {"BTCUSDT": 6}


def test_the_account_names_every_run_of_trades_that_went_out() -> None:
    hub = a_hub(fault="gap", count=1)
    joined(hub, "btcusdt@trade")
    hub.publish(replace(TRADES, texts=["4"], first_id=4), 0)
    hub.publish(TRADES, 0)
    hub.publish(replace(TRADES, texts=["9", "10"], first_id=9), 0)

    assert hub.listeners[0].as_json()["trade_ids"] == {"BTCUSDT": [(5, 6), (9, 10)]}


def test_trades_sent_last_one_first_are_one_run() -> None:
    hub = a_hub(fault="reorder", count=2)
    joined(hub, "btcusdt@trade")
    hub.publish(TRADES, 0)

    account = hub.listeners[0].as_json()
    assert account["trade_ids"] == {"BTCUSDT": [(5, 6)]}
    assert (account["first_trade_id"], account["last_trade_id"]) == ({"BTCUSDT": 5}, {"BTCUSDT": 6})


def test_the_account_outlives_the_connection() -> None:
    hub = a_hub()
    line = joined(hub, "btcusdt@trade")
    hub.publish(TRADES, 0)
    hub.leave(hub.listeners[0], now_ms=9000)

    assert not hub.listeners
    assert not hub.wanted("btcusdt@trade")
    assert hub.recent[0].as_json()["closed"] == 9.0
    hub.publish(TRADES, 0)
    assert len(line.queued) == 1


def test_who_unsubscribes_hears_no_more() -> None:
    hub = a_hub()
    line = joined(hub, "btcusdt@trade", "btcusdt@depth")
    hub.unsubscribe(hub.listeners[0], ["btcusdt@trade", "never"])
    hub.publish(TRADES, 0)
    hub.flush()

    assert line.texts() == []
    assert list(hub.listeners[0].topics) == ["btcusdt@depth"]


def test_a_muted_connection_hears_nothing_until_its_time_is_over() -> None:
    hub = a_hub()
    line = joined(hub, "btcusdt@trade")
    hub.listeners[0].muted_until_ms = 1000
    hub.publish(TRADES, 999)
    hub.publish(TRADES, 1000)
    hub.flush()

    assert len(line.texts()) == 2


def test_a_client_that_does_not_take_its_messages_is_counted_out() -> None:
    hub = a_hub()
    joined(hub, "btcusdt@trade").full = True
    hub.publish(TRADES, 0)
    hub.flush()

    assert hub.cut_off == 1


def test_an_announced_closing_happens_when_due() -> None:
    hub = a_hub()
    line = joined(hub)
    hub.listeners[0].closing = (1000, 1001, "bye")
    hub.close_due(999)
    assert line.closed is None
    hub.close_due(1000)

    assert line.closed == (1001, "bye")
