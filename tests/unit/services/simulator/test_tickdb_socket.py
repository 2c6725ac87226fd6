import json
from typing import Any

import pytest

from services.simulator.hub import Listener
from services.simulator.tickdb_socket import TickdbPublisher, TickdbSocket, speaks_tickdb
from tests.unit.services.simulator.making import FakeLine, World

SUBSCRIBE = {"cmd": "subscribe", "data": {"channel": "trade", "symbols": ["AAPL.US", "BTCUSDT"]}}


class Desk:
    """A TickDB client at an exchange of its own."""

    def __init__(self) -> None:
        self.open = True
        self.wishes = 0
        self.world = World("BTCUSDT", "AAPL.US", is_open=lambda _now_ms: self.open)
        self.socket = TickdbSocket(self.world.exchange, want_sessions=self._wish)
        self.world.exchange.publishers.append(TickdbPublisher(self.world.exchange).publish)
        self.world.exchange.before_step.append(self.socket.ping)

    def _wish(self) -> None:
        self.wishes += 1

    def guest(self, target: str, *said: object) -> tuple[Listener, FakeLine]:
        line = FakeLine()
        listener = self.world.hub.join(line, language="tickdb", now_ms=self.world.now_ms)
        self.socket.opened(listener, target)
        for message in said:
            self.socket.received(listener, json.dumps(message))
        return listener, line


def pushes(line: FakeLine, name: str) -> list[Any]:
    return [one["data"] for one in map(json.loads, line.texts()) if one.get("cmd") == name]


def test_a_subscription_is_answered_and_served() -> None:
    desk = Desk()
    _, line = desk.guest("/v1/realtime?api_key=k", SUBSCRIBE)
    assert json.loads(line.texts()[0])["code"] == 0

    desk.world.pass_s(1)
    trades = pushes(line, "trade")
    assert {one["symbol"] for one in trades} == {"AAPL.US", "BTCUSDT"}
    assert desk.wishes == 1


def test_the_address_may_subscribe() -> None:
    desk = Desk()
    _, line = desk.guest("/v1/market/ws?api_key=k&channel=depth&channel=ticker&symbol=AAPL.US")
    desk.world.pass_s(2)

    assert len(pushes(line, "depth")) == 4
    assert len(pushes(line, "ticker")) == 2


def test_a_symbol_falls_silent_when_its_market_closes() -> None:
    desk = Desk()
    _, line = desk.guest("/v1/realtime?api_key=k", SUBSCRIBE)
    desk.open = False
    desk.world.pass_s(1)

    assert pushes(line, "trade") == []


def test_who_unsubscribes_hears_no_more() -> None:
    desk = Desk()
    _, line = desk.guest("/v1/realtime?api_key=k", SUBSCRIBE, {**SUBSCRIBE, "cmd": "unsubscribe"})
    desk.world.pass_s(1)

    assert pushes(line, "trade") == []


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/v1/realtime", 1002),
        ("/v1/realtime?api_key=expired", 1001),
        ("/v1/market/ws?api_key=k&channel=trade&symbol=NOPE", 2002),
    ],
)
def test_a_refused_client_is_told_why_and_left(target: str, code: int) -> None:
    _, line = Desk().guest(target)

    assert json.loads(line.texts()[0])["code"] == code
    assert line.closed is not None


def test_pings_are_answered() -> None:
    _, line = Desk().guest("/v1/realtime?api_key=k", {"cmd": "ping"})

    assert [json.loads(text) for text in line.texts()] == [{"cmd": "pong"}]


def test_the_older_dialect_is_pinged_and_left_when_it_does_not_answer() -> None:
    desk = Desk()
    polite, line = desk.guest("/v1/market?api_key=k")
    _, silent = desk.guest("/v1/market?api_key=k")
    _, newer = desk.guest("/v1/realtime?api_key=k")
    for _ in range(9):
        desk.world.pass_s(10, step_ms=50)
        desk.socket.received(polite, '{"type":"pong"}')

    assert line.texts()[0] == '{"type":"ping"}'
    assert line.closed is None
    assert silent.closed is not None
    assert newer.texts() == []


def test_nonsense_is_answered_with_a_code() -> None:
    desk = Desk()
    listener, line = desk.guest("/v1/realtime?api_key=k", {"cmd": "dance"})
    desk.socket.received(listener, "not json")

    assert [json.loads(text)["code"] for text in line.texts()] == [4001, 4002]


@pytest.mark.parametrize(("path", "spoken"), [("/v1/realtime", True), ("/v1/market/ws/", True), ("/stream", False)])
def test_tickdb_is_spoken_at_its_paths(path: str, spoken: bool) -> None:
    assert speaks_tickdb(path) is spoken
