from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.simulator.binance_rest import BinanceRest, RefusedError, depth_weight
from tests.unit.services.simulator.making import START_MS, World


@pytest.fixture(scope="module")
def world() -> World:
    world = World("BTCUSDT", "AAPL.US")
    world.pass_s(130, step_ms=50)
    return world


def asked(world: World, name: str, **params: object) -> Any:
    rest = BinanceRest(world.exchange, weight_limit=6000)
    return rest.routes[name].answer({key: str(value) for key, value in params.items()})


def test_history_is_by_id_and_inclusive(world: World) -> None:
    rows = asked(world, "historicalTrades", symbol="BTCUSDT", fromId=1500, limit=3)

    assert [row["id"] for row in rows] == [1500, 1501, 1502]
    assert rows[0].keys() == {"id", "price", "qty", "quoteQty", "time", "isBuyerMaker", "isBestMatch"}


def test_history_covers_what_a_fault_withheld() -> None:
    world = World()
    _, line = world.listener("btcusdt@trade")
    world.fault("gap", count=10)
    world.pass_s(0.1)

    assert line.texts() == []
    assert [row["id"] for row in asked(world, "historicalTrades", symbol="BTCUSDT", fromId=1000)] == [
        *range(1000, 1010)
    ]


def test_the_latest_trades_are_the_last_ones(world: World) -> None:
    rows = asked(world, "trades", symbol="BTCUSDT", limit=2)
    last = world.exchange.listings["BTCUSDT"].market.history.next_id - 1

    assert [row["id"] for row in rows] == [last - 1, last]


def test_aggregates_by_id_continue_one_another(world: World) -> None:
    first = asked(world, "aggTrades", symbol="BTCUSDT", fromId=1000, limit=100)
    then = asked(world, "aggTrades", symbol="BTCUSDT", fromId=first[-1]["a"] + 1, limit=100)
    ids = [trade for row in (*first, *then) for trade in range(row["f"], row["l"] + 1)]

    assert [row["a"] for row in (*first, *then)] == list(range(1000, 1200))
    assert ids == list(range(1000, 1000 + len(ids)))


def test_aggregates_by_time_lie_in_it(world: World) -> None:
    rows = asked(world, "aggTrades", symbol="BTCUSDT", startTime=START_MS + 1000, endTime=START_MS + 2000)

    assert rows
    assert all(START_MS + 1000 <= row["T"] <= START_MS + 2000 for row in rows)


def test_the_latest_aggregates_are_the_last_ones(world: World) -> None:
    (row,) = asked(world, "aggTrades", symbol="BTCUSDT", limit=1)

    assert row["l"] == world.exchange.listings["BTCUSDT"].market.history.next_id - 1


def test_klines_have_the_documented_columns(world: World) -> None:
    first, *_ = asked(world, "klines", symbol="BTCUSDT", interval="1m", startTime=START_MS, limit=1)

    assert (len(first), first[0], first[6], first[8]) == (12, START_MS, START_MS + 59_999, 6000)


def test_the_latest_klines_are_the_last_ones(world: World) -> None:
    assert [row[0] for row in asked(world, "klines", symbol="BTCUSDT", interval="1m", limit=2)] == [
        START_MS + 60_000,
        START_MS + 120_000,
    ]


def test_a_snapshot_is_the_book(world: World) -> None:
    answer = asked(world, "depth", symbol="BTCUSDT", limit=5)

    assert answer["lastUpdateId"] == world.exchange.listings["BTCUSDT"].market.book.last_id
    assert (len(answer["bids"]), len(answer["asks"])) == (5, 5)
    assert float(answer["bids"][0][0]) < float(answer["asks"][0][0])


def test_exchange_info_names_limits_and_pairs(world: World) -> None:
    answer = asked(world, "exchangeInfo")

    assert {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000} in answer[
        "rateLimits"
    ]
    assert [one["symbol"] for one in answer["symbols"]] == ["BTCUSDT"]


@pytest.mark.parametrize(("limit", "weight"), [(100, 5), (101, 25), (500, 25), (1000, 50), (5000, 250), (10**12, 250)])
def test_a_snapshot_costs_by_its_size(limit: int, weight: int) -> None:
    assert depth_weight({"limit": str(limit)}) == weight


@pytest.mark.parametrize(
    ("code", "name", "params"),
    [
        (-1121, "depth", {"symbol": "NOPE"}),
        (-1121, "depth", {"symbol": "AAPL.US"}),
        (-1102, "depth", {}),
        (-1102, "klines", {"symbol": "BTCUSDT"}),
        (-1120, "klines", {"symbol": "BTCUSDT", "interval": "7m"}),
        (-1100, "trades", {"symbol": "BTCUSDT", "limit": "many"}),
        (-1130, "trades", {"symbol": "BTCUSDT", "limit": 0}),
        (-1128, "aggTrades", {"symbol": "BTCUSDT", "fromId": 1, "startTime": 1}),
    ],
)
def test_a_wrong_request_has_binances_code(world: World, code: int, name: str, params: dict[str, object]) -> None:
    with pytest.raises(RefusedError) as caught:
        asked(world, name, **params)

    assert caught.value.code == code


PARAMS = st.dictionaries(
    st.sampled_from(["symbol", "interval", "limit", "fromId", "startTime", "endTime"]),
    st.sampled_from(["BTCUSDT", "1m", "", "-1", "0", "1000", "1699999980000", "9" * 18, "1e3", "٣"]) | st.text(),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(params=PARAMS, name=st.sampled_from(["depth", "trades", "historicalTrades", "aggTrades", "klines"]))
def test_any_request_is_answered_or_refused(world: World, params: dict[str, str], name: str) -> None:
    route = BinanceRest(world.exchange, weight_limit=6000).routes[name]
    try:
        assert route.weight(params) > 0
        assert route.answer(params) is not None
    except RefusedError as error:
        assert error.code < 0  # noqa: PT017  either outcome is right
