"""Field names and their order of meaning are those of the exchange's documentation."""

import json
from typing import Any

import pytest

from services.simulator.binance import STREAMS, BadRequestError, Request, Writer, request_of, shutdown
from services.simulator.book import Diff, Snapshot
from services.simulator.candles import candle_of
from services.simulator.history import Aggregate, Prints
from services.simulator.market import Top
from tests.unit.services.simulator.making import an_instrument

WRITER = Writer(an_instrument(price_places=2, size_places=3))
PRINTS = Prints(12, [10_050, 10_049], [1500, 20], [True, False], [1000, 1001], [7, 8])


def one(text: str) -> Any:
    return json.loads(text)


def test_a_trade() -> None:
    assert [one(text) for text in WRITER.trades(PRINTS)] == [
        {
            "e": "trade",
            "E": 1000,
            "s": "BTCUSDT",
            "t": 12,
            "p": "100.50000000",
            "q": "1.50000000",
            "T": 1000,
            "m": True,
            "M": True,
        },
        {
            "e": "trade",
            "E": 1001,
            "s": "BTCUSDT",
            "t": 13,
            "p": "100.49000000",
            "q": "0.02000000",
            "T": 1001,
            "m": False,
            "M": True,
        },
    ]


def test_an_aggregate_trade() -> None:
    (text,) = WRITER.aggregates([Aggregate(7, 12, 14, 10_050, 1500, True, 1000)])

    assert one(text) == {
        "e": "aggTrade",
        "E": 1000,
        "s": "BTCUSDT",
        "a": 7,
        "p": "100.50000000",
        "q": "1.50000000",
        "f": 12,
        "l": 14,
        "T": 1000,
        "m": True,
        "M": True,
    }


def test_a_book_ticker_has_no_type_and_no_time() -> None:
    (text,) = WRITER.book_tickers([Top(400, 10_049, 31_210, 10_050, 40_660)])

    assert one(text) == {
        "u": 400,
        "s": "BTCUSDT",
        "b": "100.49000000",
        "B": "31.21000000",
        "a": "100.50000000",
        "A": "40.66000000",
    }


def test_a_diff() -> None:
    text = WRITER.diff(Diff(157, 160, [(10_000, 10_000)], [(10_100, 0)]), 1234)

    assert one(text) == {
        "e": "depthUpdate",
        "E": 1234,
        "s": "BTCUSDT",
        "U": 157,
        "u": 160,
        "b": [["100.00000000", "10.00000000"]],
        "a": [["101.00000000", "0.00000000"]],
    }


def test_a_partial_book_has_no_symbol_and_no_time() -> None:
    text = WRITER.partial(Snapshot(160, [(10_000, 1)], []))

    assert one(text) == {"lastUpdateId": 160, "bids": [["100.00000000", "0.00100000"]], "asks": []}


def test_a_kline() -> None:
    text = WRITER.kline(candle_of(PRINTS, 0), "1m", 2000, closed=False)

    assert one(text) == {
        "e": "kline",
        "E": 2000,
        "s": "BTCUSDT",
        "k": {
            "t": 0,
            "T": 59_999,
            "s": "BTCUSDT",
            "i": "1m",
            "f": 12,
            "L": 13,
            "o": "100.50000000",
            "c": "100.49000000",
            "h": "100.50000000",
            "l": "100.49000000",
            "v": "1.52000000",
            "n": 2,
            "x": False,
            "q": "152.75980000",
            "V": "0.02000000",
            "Q": "2.00980000",
            "B": "0",
        },
    }


def test_the_shutdown_event() -> None:
    assert one(shutdown(5)) == {"e": "serverShutdown", "E": 5}


def test_a_subscription_is_understood() -> None:
    message = {"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1}

    assert request_of(message) == Request("SUBSCRIBE", ("btcusdt@trade",), 1)


def test_the_documented_streams_are_there() -> None:
    assert {"trade", "aggTrade", "bookTicker", "depth", "depth@100ms", "depth5@100ms", "depth20", "kline_1m"} <= {
        *STREAMS
    }


@pytest.mark.parametrize(
    "message",
    [
        [],
        7,
        {},
        {"method": "DANCE"},
        {"method": ["SUBSCRIBE"]},
        {"method": "SUBSCRIBE", "params": "btcusdt@trade"},
        {"method": "SUBSCRIBE", "params": [1]},
        {"method": "SUBSCRIBE", "params": [], "id": {}},
        {"method": "SUBSCRIBE", "params": [], "id": True},
    ],
)
def test_nonsense_is_refused_with_a_code(message: object) -> None:
    with pytest.raises(BadRequestError) as caught:
        request_of(message)

    assert caught.value.code == 2
