"""The whole simulator, met by real clients as Binance's."""

import json
import subprocess
import sys
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from websockets import Close
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.integration.simulator.serving import TIMEOUT_S, Running, simulator

TRADES = "/stream?streams=btcusdt@trade"


@pytest.fixture(scope="module")
def binance() -> Iterator[Running]:
    with simulator() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "binance" in request.fixturenames:
        request.getfixturevalue("binance").clear_faults()


def rest_of(client: ClientConnection) -> tuple[list[Any], Close | None]:
    """Return what a client still hears, and how the server closes."""
    messages = []
    while True:
        try:
            messages.append(json.loads(client.recv(TIMEOUT_S)))
        except ConnectionClosed as closed:
            return messages, closed.rcvd


def heard(client: ClientConnection, count: int) -> list[Any]:
    return [json.loads(client.recv(TIMEOUT_S))["data"] for _ in range(count)]


def test_trades_of_a_stream_are_contiguous_and_in_the_history(binance: Running) -> None:
    with connect(binance.ws + TRADES) as client:
        trades = heard(client, 30)

    ids = [trade["t"] for trade in trades]
    assert ids == list(range(ids[0], ids[0] + 30))
    rows = binance.get(f"/api/v3/historicalTrades?symbol=BTCUSDT&fromId={ids[0]}&limit=30").json()
    assert [(row["id"], row["price"], row["qty"]) for row in rows] == [(t["t"], t["p"], t["q"]) for t in trades]


def test_a_local_book_of_snapshot_and_diffs_equals_the_true_book(binance: Running) -> None:
    with connect(binance.ws + "/ws") as client:
        client.send(json.dumps({"method": "SUBSCRIBE", "params": ["ethusdt@depth@100ms"], "id": 1}))
        assert json.loads(client.recv(TIMEOUT_S)) == {"result": None, "id": 1}
        diffs = [json.loads(client.recv(TIMEOUT_S))]
        snapshot = binance.get("/api/v3/depth?symbol=ETHUSDT&limit=5000").json()
        diffs += [json.loads(client.recv(TIMEOUT_S)) for _ in range(10)]
        binance.post("/sim/rate", {"trades_per_s": 0, "quotes_per_s": 0, "symbols": ["ETHUSDT"]})
        diffs += [json.loads(client.recv(TIMEOUT_S)) for _ in range(3)]
        binance.post("/sim/stop", {})
        truth = binance.get("/sim/book/ETHUSDT").json()
        diffs += waiting(client)
        binance.post("/sim/start", {})

    last_id, bids, asks = synchronised(snapshot, diffs)
    assert last_id == truth["last_update_id"]
    assert (bids, asks) == (dict(truth["bids"]), dict(truth["asks"]))


def waiting(client: ClientConnection) -> list[Any]:
    """Return what is still on its way."""
    messages = []
    while True:
        try:
            messages.append(json.loads(client.recv(0.5)))
        except TimeoutError:
            return messages


def synchronised(snapshot: Any, diffs: list[Any]) -> tuple[int, dict[str, str], dict[str, str]]:
    """Return the last update and both sides, put together as the documentation says."""
    last_id = snapshot["lastUpdateId"]
    sides: dict[str, dict[str, str]] = {"b": dict(snapshot["bids"]), "a": dict(snapshot["asks"])}
    for diff in [one for one in diffs if one["u"] > snapshot["lastUpdateId"]]:
        assert diff["U"] <= last_id + 1
        last_id = diff["u"]
        for side, levels in sides.items():
            levels.update(diff[side])
    bids, asks = ({p: q for p, q in levels.items() if float(q)} for levels in sides.values())
    return last_id, bids, asks


def test_the_account_says_what_went_to_whom(binance: Running) -> None:
    with connect(binance.ws + TRADES) as client:
        trades = heard(client, 20)

    accounts = binance.until(lambda: _closed_with(binance, trades[0]["t"]))
    assert accounts[0]["last_trade_id"]["BTCUSDT"] >= trades[-1]["t"]


def _closed_with(binance: Running, first_id: int) -> list[Any]:
    accounts = binance.state()["connections"]
    return [one for one in accounts if one["closed"] and one["first_trade_id"].get("BTCUSDT") == first_id]


def test_a_gap_on_the_wire_is_in_the_history(binance: Running) -> None:
    with connect(binance.ws + TRADES) as client:
        before = heard(client, 1)
        binance.fault("gap", symbol="BTCUSDT", count=5)
        ids = [trade["t"] for trade in before + heard(client, 60)]

    missing = sorted(set(range(ids[0], ids[-1] + 1)) - set(ids))
    assert len(missing) == 5
    rows = binance.get("/api/v3/aggTrades?symbol=BTCUSDT&limit=1000").json()
    covered = {trade for row in rows for trade in range(row["f"], row["l"] + 1)}
    assert set(missing) <= covered


def test_a_rollover_is_announced_and_closes(binance: Running) -> None:
    with connect(binance.ws + TRADES) as client:
        heard(client, 1)
        binance.fault("rollover", seconds=0.3)
        events, close = rest_of(client)

    assert [one["data"]["e"] for one in events if one["stream"] == "!serverShutdown"] == ["serverShutdown"]
    assert close is not None
    assert close.code == 1001


def test_a_connection_may_be_refused_at_the_door(binance: Running) -> None:
    binance.fault("refuse", count=1, status=503)
    with pytest.raises(InvalidStatus) as caught:
        connect(binance.ws + TRADES)
    assert caught.value.response.status_code == 503

    binance.fault("refuse", count=1)
    with pytest.raises((InvalidMessage, OSError)):
        connect(binance.ws + TRADES)


def test_a_connection_may_be_accepted_and_closed_at_once(binance: Running) -> None:
    binance.fault("accept_then_close", count=1, code=1008)
    with connect(binance.ws + TRADES) as client:
        messages, close = rest_of(client)

    assert messages == []
    assert close is not None
    assert close.code == 1008


def test_who_sends_too_much_is_shown_out(binance: Running) -> None:
    with connect(binance.ws + "/ws") as client:
        for number in range(6):
            client.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
        answers, close = rest_of(client)

    assert [one["id"] for one in answers] == [0, 1, 2, 3, 4]
    assert close is not None
    assert close.code == 1008


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_rate_limit_says_how_long_to_wait(binance: Running, form: str) -> None:
    binance.fault("rate_limit", count=1, retry_after_s=7, form=form)
    refused = binance.get("/api/v3/time")

    assert refused.status_code == 429
    assert refused.json()["code"] == -1003
    wait = refused.headers["Retry-After"]
    assert parsedate_to_datetime(wait) if form == "date" else wait == "7"
    assert binance.get("/api/v3/time").status_code == 200


def test_weight_is_told_and_limited() -> None:
    with simulator(SIMULATOR_WEIGHT_PER_MINUTE="30") as running:
        answers = [running.get("/api/v3/exchangeInfo") for _ in range(3)]

    assert answers[0].headers["X-MBX-USED-WEIGHT-1M"] == "20"
    assert 429 in {answer.status_code for answer in answers}
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 429)


def test_attempts_to_connect_are_limited() -> None:
    with simulator(SIMULATOR_CONNECTIONS_PER_5MIN="1") as running:
        with connect(running.ws + "/ws"):
            pass
        with pytest.raises(InvalidStatus) as caught:
            connect(running.ws + "/ws")

    assert caught.value.response.status_code == 429


@pytest.mark.slow
def test_a_client_that_does_not_read_is_cut_off_and_the_market_goes_on() -> None:
    with simulator(SIMULATOR_BUFFER_BYTES="65536", SIMULATOR_TRADES_PER_S="20000") as running:
        with connect(running.ws + TRADES, max_queue=1, close_timeout=0.1):
            running.until(lambda: running.state()["cut_off"], within_s=60)
        before = running.state()["symbols"]["BTCUSDT"]["last_trade_id"]
        running.until(lambda: running.state()["symbols"]["BTCUSDT"]["last_trade_id"] > before)


def test_a_rate_is_changed_and_a_market_stopped(binance: Running) -> None:
    answer = binance.post("/sim/rate", {"trades_per_s": 500, "symbols": ["XRPUSDT"]}).json()
    assert answer["per_symbol"]["trades_per_s"] == 500
    binance.post("/sim/stop", {})
    last_id = binance.state()["symbols"]["XRPUSDT"]["last_trade_id"]
    with connect(binance.ws + "/ws/xrpusdt@trade") as client, pytest.raises(TimeoutError):
        client.recv(0.2)
    assert binance.state()["symbols"]["XRPUSDT"]["last_trade_id"] == last_id

    binance.post("/sim/start", {})
    binance.until(lambda: binance.state()["symbols"]["XRPUSDT"]["last_trade_id"] > last_id)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/sim/rate", {"trades_per_s": -1}, "trades_per_s"),
        ("/sim/rate", {"trades_per_s": "fast"}, "trades_per_s"),
        ("/sim/rate", {"speed": 1}, "speed"),
        ("/sim/rate", {"symbols": ["NOPE"]}, "symbols"),
        ("/sim/faults", {"fault": "nope"}, "fault"),
        ("/sim/faults", {"fault": "gap", "count": "many"}, "count"),
        ("/sim/faults", {"fault": "close", "connection": 10**6}, "connection"),
        ("/sim/session", {"open": True, "calendar": "MARS"}, "calendar"),
        ("/sim/faults", [], "body"),
    ],
)
def test_a_wrong_request_names_the_field(binance: Running, path: str, body: object, field: str) -> None:
    answer = binance.post(path, body)

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert field in {error["field"] for error in answer.json()["errors"]}


def test_an_unknown_symbol_is_not_found(binance: Running) -> None:
    assert binance.get("/sim/book/NOPE").status_code == 404
    assert binance.get("/api/v3/depth?symbol=NOPE").json()["code"] == -1121


def test_health_and_metrics_are_served(binance: Running) -> None:
    assert binance.get("/livez").text == "ok\n"
    assert binance.get("/readyz").status_code == 200
    health = binance.get("/health").json()
    assert (health["service"], health["status"], health["parts"][0]["part"]) == ("simulator", "ok", "market")
    assert "nightdesk_simulator_messages_sent_total" in binance.get("/metrics").text


def test_a_scenario_is_played(tmp_path: Any) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("- {at_s: 0.1, fault: mute_symbol, symbol: BTCUSDT}\n")
    with simulator(SIMULATOR_SCENARIO=str(path)) as running:
        running.until(lambda: running.get("/sim/faults").json()["faults"])


def test_what_is_wrong_in_the_environment_is_named_and_ends_the_process() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "services.simulator"],
        env={"SIMULATOR_TRADES_PER_S": "-1", "SIMULATOR_SHAPE": "round"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert finished.returncode == 78
    assert "SIMULATOR_TRADES_PER_S" in finished.stderr
    assert "SIMULATOR_SHAPE" in finished.stderr
