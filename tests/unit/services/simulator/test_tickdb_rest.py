from typing import Any

import pytest

from services.simulator.tickdb import TickdbError
from services.simulator.tickdb_rest import TickdbRest
from tests.unit.services.simulator.making import START_MS, World


@pytest.fixture(scope="module")
def world() -> World:
    world = World("BTCUSDT", "AAPL.US")
    world.pass_s(130, step_ms=50)
    return world


def asked(world: World, name: str, **params: object) -> Any:
    return TickdbRest(world.exchange).routes[name]({key: str(value) for key, value in params.items()})


def test_only_completed_candles_are_history(world: World) -> None:
    answer = asked(world, "kline", symbol="AAPL.US", interval="1m")

    assert [one["time"] for one in answer["klines"]] == [START_MS, START_MS + 60_000]
    assert answer["klines"][0].keys() == {"time", "open", "high", "low", "close", "volume", "quote_volume"}


def test_history_may_begin_somewhere(world: World) -> None:
    answer = asked(world, "kline", symbol="AAPL.US", interval="1m", start_time=START_MS, limit=1)

    assert [one["time"] for one in answer["klines"]] == [START_MS]


def test_the_candle_under_way_is_the_latest(world: World) -> None:
    answers = asked(world, "kline/latest", symbols="AAPL.US,BTCUSDT", interval="1m")

    assert [(one["symbol"], one["klines"][0]["time"]) for one in answers] == [
        ("AAPL.US", START_MS + 120_000),
        ("BTCUSDT", START_MS + 120_000),
    ]


def test_trades_are_the_latest(world: World) -> None:
    answer = asked(world, "trades", symbol="BTCUSDT", limit=2)
    last = world.exchange.listings["BTCUSDT"].market.history.next_id - 1

    assert [one["id"] for one in answer["trades"]] == [str(last - 1), str(last)]


def test_depth_is_a_snapshot(world: World) -> None:
    answer = asked(world, "depth", symbol="BTCUSDT")

    assert (len(answer["bids"]), len(answer["asks"])) == (10, 10)


def test_sessions_are_told_in_local_time(world: World) -> None:
    (answer,) = asked(world, "trading-sessions", market="us")

    assert {"begin_time": 930, "end_time": 1600, "trade_session": 0} in answer["trading_sessions"]


@pytest.mark.parametrize(
    ("code", "name", "params"),
    [
        (2001, "kline", {"interval": "1m"}),
        (2001, "kline", {"symbol": "BTCUSDT", "interval": "7m"}),
        (2001, "kline", {"symbol": "BTCUSDT", "interval": "1m", "start_time": "soon"}),
        (2003, "kline", {"symbol": "BTCUSDT", "interval": "1m", "start_time": 2, "end_time": 1}),
        (2002, "trades", {"symbol": "NOPE"}),
        (2004, "trades", {"symbol": "BTCUSDT", "limit": 1001}),
        (2004, "trades", {"symbol": "BTCUSDT", "limit": 0}),
        (2001, "kline/latest", {"interval": "1m"}),
        (2001, "trading-sessions", {"market": "MARS"}),
    ],
)
def test_a_wrong_request_has_tickdbs_code(world: World, code: int, name: str, params: dict[str, object]) -> None:
    with pytest.raises(TickdbError) as caught:
        asked(world, name, **params)

    assert caught.value.code == code
