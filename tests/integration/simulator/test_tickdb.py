"""The whole simulator, met by real clients as TickDB's."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.integration.simulator.serving import TIMEOUT_S, Running, simulator


@pytest.fixture(scope="module")
def tickdb() -> Iterator[Running]:
    with simulator(SIMULATOR_TICKDB_PER_MINUTE="50") as running:
        running.post("/sim/session", {"open": True})
        yield running


def first(client: ClientConnection, name: str) -> Any:
    while True:
        message = json.loads(client.recv(TIMEOUT_S))
        if message.get("cmd") == name:
            return message["data"]


def wait_for_silence(client: ClientConnection) -> None:
    """Return once nothing came for a second; a stock that trades speaks eight times as often."""
    with contextlib.suppress(TimeoutError):
        while True:
            client.recv(1.0)


@pytest.mark.parametrize(
    ("path", "opening"),
    [
        ("/v1/realtime?api_key=k", {"data": {"channel": "trade", "symbols": ["AAPL.US"]}}),
        ("/v1/market?api_key=k", {"params": {"channels": ["trade", "depth"], "symbols": ["AAPL.US"]}}),
        ("/v1/market/ws?api_key=k&channel=trade&channel=depth&symbol=AAPL.US", None),
    ],
)
def test_all_three_dialects_are_served(tickdb: Running, path: str, opening: dict[str, object] | None) -> None:
    with connect(tickdb.ws + path) as client:
        if opening is not None:
            client.send(json.dumps({"cmd": "subscribe", **opening}))
        assert first(client, "trade")["symbol"] == "AAPL.US"


def test_a_stock_falls_silent_when_its_market_closes(tickdb: Running) -> None:
    with connect(tickdb.ws + "/v1/market/ws?api_key=k&channel=trade&symbol=NVDA.US") as client:
        first(client, "trade")
        assert tickdb.post("/sim/session", {"open": False}).json()["open"] is False
        wait_for_silence(client)
        tickdb.post("/sim/session", {"open": True})
        assert first(client, "trade")["symbol"] == "NVDA.US"


def test_a_limit_is_code_3001_with_a_time_to_wait(tickdb: Running) -> None:
    tickdb.post("/sim/faults", {"fault": "tickdb_limit", "count": 1, "retry_after_s": 9})
    refused = tickdb.get("/v1/market/trades?symbol=BTCUSDT", **{"X-API-Key": "k"})

    assert (refused.json()["code"], refused.headers["Retry-After"]) == (3001, "9")
    assert tickdb.get("/v1/market/trades?symbol=BTCUSDT", **{"X-API-Key": "k"}).json()["code"] == 0


def test_requests_are_limited_by_key(tickdb: Running) -> None:
    codes = [tickdb.get("/v1/market/trades?symbol=BTCUSDT", **{"X-API-Key": "busy"}).json()["code"] for _ in range(51)]

    assert codes == [0] * 50 + [3001]
    assert tickdb.get("/v1/market/trades?symbol=BTCUSDT", **{"X-API-Key": "other"}).json()["code"] == 0


def test_rest_wants_a_key(tickdb: Running) -> None:
    answer = tickdb.get("/v1/market/kline?symbol=BTCUSDT&interval=1m")

    assert (answer.status_code, answer.json()["code"]) == (401, 1002)
