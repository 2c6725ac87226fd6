import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.book import Snapshot
from services.simulator.history import Print
from services.simulator.instruments import instrument_of
from services.simulator.market import Top
from services.simulator.tickdb import Command, TickdbError, Writer, command_of
from tests.unit.services.simulator.making import SYMBOLS, a_market

PAIR, STOCK = Writer(instrument_of("BTCUSDT")), Writer(instrument_of("AAPL.US"))
TRADES = [Print(7, 1234, 50, True, 1_700_000_000_123, 1), Print(8, 1235, 60, False, 1_700_000_000_456, 2)]


def test_a_pairs_trades_are_flat_messages() -> None:
    first, _ = PAIR.trades(TRADES)

    assert json.loads(first) == {
        "cmd": "trade",
        "data": {
            "symbol": "BTCUSDT",
            "id": "7",
            "price": "12.34",
            "quantity": "0.00050",
            "side": "sell",
            "timestamp": 1_700_000_000_123,
        },
    }


def test_a_stocks_trades_are_a_list_in_seconds_whose_ids_are_no_key() -> None:
    (text,) = STOCK.trades(TRADES)

    assert json.loads(text)["data"] == {
        "symbol": "AAPL.US",
        "trades": [
            {"id": "0", "price": "12.34", "quantity": "50", "side": "sell", "timestamp": 1_700_000_000},
            {"id": "0", "price": "12.35", "quantity": "60", "side": "buy", "timestamp": 1_700_000_000},
        ],
    }


def test_no_trades_are_no_message() -> None:
    assert (STOCK.trades([]), PAIR.trades([])) == ([], [])


def test_a_stocks_depth_echoes_the_bare_ticker() -> None:
    text = STOCK.depth(Snapshot(1, [(1000, 5)], [(1001, 6)]), 99)

    assert json.loads(text) == {
        "cmd": "depth",
        "data": {"symbol": "AAPL", "bids": [["10.00", "5"]], "asks": [["10.01", "6"]], "timestamp": 99},
    }


def test_a_pairs_ticker_has_best_prices_and_a_stocks_has_not() -> None:
    market = a_market()
    market.trade(1, 0, 10)
    candle = market.candles.latest()
    assert candle is not None
    top = Top(1, 1000, 1, 1001, 1)

    assert json.loads(PAIR.ticker(candle, top, 5))["data"].keys() == {
        "symbol",
        "last_price",
        "bid_price",
        "ask_price",
        "timestamp",
    }
    assert json.loads(STOCK.ticker(candle, top, 5))["data"].keys() == {"symbol", "last_price", "timestamp"}


@pytest.mark.parametrize(
    "message",
    [
        {"cmd": "subscribe", "data": {"channel": "trade", "symbols": ["AAPL.US"], "type": "stock"}},
        {"cmd": "subscribe", "params": {"channels": ["trade"], "symbols": ["AAPL.US"]}},
    ],
)
def test_a_subscription_is_understood_in_both_forms(message: object) -> None:
    assert command_of(message, SYMBOLS) == Command("subscribe", ("trade",), ("AAPL.US",))


@pytest.mark.parametrize("message", [{"cmd": "ping"}, {"type": "ping"}])
def test_a_ping_is_understood_in_both_forms(message: object) -> None:
    assert command_of(message, SYMBOLS) == Command("ping")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (4002, []),
        (4001, {}),
        (4001, {"cmd": "dance"}),
        (4001, {"cmd": ["subscribe"]}),
        (2001, {"cmd": "subscribe"}),
        (2001, {"cmd": "subscribe", "data": {"symbols": ["AAPL.US"]}}),
        (2001, {"cmd": "subscribe", "data": {"channel": "trade"}}),
        (2001, {"cmd": "subscribe", "data": {"channel": "trade", "symbols": []}}),
        (2001, {"cmd": "subscribe", "data": {"channel": "news", "symbols": ["AAPL.US"]}}),
        (2002, {"cmd": "subscribe", "data": {"channel": "trade", "symbols": ["NOPE"]}}),
    ],
)
def test_nonsense_is_refused_with_a_code(code: int, message: object) -> None:
    with pytest.raises(TickdbError) as caught:
        command_of(message, SYMBOLS)

    assert caught.value.code == code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(["subscribe", "trade", "ping"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["cmd", "type", "data", "params", "channel", "channels", "symbols"]), inner)
    ),
    max_leaves=8,
)


@given(message=JSON)
def test_any_message_is_a_command_or_refused(message: object) -> None:
    try:
        outcome: object = command_of(message, SYMBOLS)
    except TickdbError as error:
        outcome = error.code

    assert outcome
