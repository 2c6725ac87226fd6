import json
from typing import Any

import pytest

from services.simulator.binance_socket import STREAMS_MOST, BinanceSocket
from services.simulator.hub import Listener
from tests.unit.services.simulator.making import FakeLine, World


def opened(target: str) -> tuple[BinanceSocket, Listener, FakeLine]:
    world = World()
    socket = BinanceSocket(world.hub)
    listener, line = world.listener()
    socket.opened(listener, target)
    return socket, listener, line


def answered(message: object) -> tuple[Any, Listener]:
    socket, listener, line = opened("/ws")
    socket.received(listener, message if isinstance(message, str) else json.dumps(message))
    return json.loads(line.texts()[0]), listener


@pytest.mark.parametrize(
    ("target", "topics", "wrapped"),
    [
        ("/ws", [], False),
        ("/ws/btcusdt@trade", ["btcusdt@trade"], False),
        ("/ws/btcusdt@trade/btcusdt@depth@100ms", ["btcusdt@trade", "btcusdt@depth@100ms"], False),
        ("/stream?streams=btcusdt@trade/ethusdt@trade", ["btcusdt@trade", "ethusdt@trade"], True),
        ("/stream", [], True),
    ],
)
def test_the_address_subscribes(target: str, topics: list[str], wrapped: bool) -> None:
    _, listener, _ = opened(target)

    assert (list(listener.topics), listener.wrapped) == (topics, wrapped)


def test_a_subscription_is_acknowledged() -> None:
    answer, listener = answered({"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 3})

    assert answer == {"result": None, "id": 3}
    assert list(listener.topics) == ["btcusdt@trade"]


def test_subscriptions_are_listed_and_ended() -> None:
    socket, listener, line = opened("/ws/a/b")
    for message in (
        {"method": "LIST_SUBSCRIPTIONS", "id": 1},
        {"method": "UNSUBSCRIBE", "params": ["a"], "id": 2},
        {"method": "LIST_SUBSCRIPTIONS", "id": 3},
    ):
        socket.received(listener, json.dumps(message))

    assert [json.loads(text)["result"] for text in line.texts()] == [["a", "b"], None, ["b"]]


def test_wrapping_is_a_property() -> None:
    answer, listener = answered({"method": "SET_PROPERTY", "params": ["combined", "True"], "id": 5})

    assert answer == {"result": None, "id": 5}
    assert listener.wrapped


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (3, "{not json"),
        (2, {"method": "DANCE", "id": 1}),
        (0, {"method": "SET_PROPERTY", "params": ["x"], "id": 1}),
        (2, {"method": "SUBSCRIBE", "params": [f"s{n}" for n in range(STREAMS_MOST + 1)], "id": 1}),
    ],
)
def test_a_wrong_request_is_answered_with_a_code(code: int, message: object) -> None:
    answer, _ = answered(message)

    assert answer["code"] == code
    assert answer["msg"]


def test_a_connection_lives_a_day() -> None:
    _, listener, line = opened("/ws")
    assert listener.closing is not None
    assert listener.closing[0] == listener.since_ms + 86_400_000
    assert line.closed is None


def test_too_many_streams_in_the_address_end_the_connection() -> None:
    _, _, line = opened("/stream?streams=" + "/".join(f"s{n}" for n in range(STREAMS_MOST + 1)))

    assert line.closed is not None
