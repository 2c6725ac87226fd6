from typing import Any, cast

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from services.simulator.connection import Connection
from services.simulator.doorman import Doorman
from services.simulator.hub import Listener
from tests.unit.services.simulator.making import FakeLine, World

REQUEST = Request("/ws", Headers())


class FakeConnection(FakeLine):
    """A line with an address that can be reset."""

    def __init__(self, address: str = "10.0.0.1") -> None:
        super().__init__()
        self.address = address
        self.was_reset = False

    __hash__ = object.__hash__
    __eq__ = object.__eq__

    def reset(self) -> None:
        self.was_reset = True


class FakeLanguage:
    """Remembers who came and what they said."""

    messages_per_s = 2

    def __init__(self) -> None:
        self.targets: list[str] = []
        self.heard: list[str] = []

    def opened(self, listener: Listener, target: str) -> None:
        self.targets.append(target)

    def received(self, listener: Listener, text: str) -> None:
        self.heard.append(text)


class Door:
    """A doorman who speaks two languages."""

    def __init__(self, attempts_per_5min: int = 0) -> None:
        self.world = World()
        self.languages = {"a": FakeLanguage(), "b": FakeLanguage()}
        self.doorman = Doorman(
            hub=self.world.hub,
            board=self.world.board,
            languages=self.languages,
            language_of=lambda path: path[1:2],
            wall_ms=lambda: self.world.now_ms,
            attempts_per_5min=attempts_per_5min,
        )

    def knock(self, address: str = "10.0.0.1") -> tuple[Response | None, FakeConnection]:
        connection = FakeConnection(address)
        return self.doorman.admit(cast("Connection", connection), REQUEST), connection

    def enter(self, target: str) -> Any:
        connection = FakeConnection()
        self.doorman.opened(cast("Connection", connection), target)
        return connection


def test_the_path_chooses_the_language() -> None:
    door = Door()
    door.enter("/a?x=1")
    guest = door.enter("/b")
    door.doorman.received(guest, "hello")

    assert (door.languages["a"].targets, door.languages["a"].heard) == (["/a?x=1"], [])
    assert (door.languages["b"].targets, door.languages["b"].heard) == (["/b"], ["hello"])


def test_who_leaves_is_forgotten() -> None:
    door = Door()
    guest = door.enter("/a")
    assert len(door.world.hub.listeners) == 1
    door.doorman.closed(guest)
    door.doorman.closed(guest)

    assert door.world.hub.listeners == []


def test_who_says_too_much_is_shown_out() -> None:
    door = Door()
    guest = door.enter("/a")
    for number in range(3):
        door.doorman.received(guest, str(number))

    assert door.languages["a"].heard == ["0", "1"]
    assert guest.closed == (1008, "Too many requests")


def test_a_second_later_one_may_speak_again() -> None:
    door = Door()
    guest = door.enter("/a")
    for number in range(4):
        door.doorman.received(guest, str(number))
        door.world.now_ms += 500

    assert guest.closed is None


def test_attempts_are_limited_by_address() -> None:
    door = Door(attempts_per_5min=1)
    answers = [door.knock(address)[0] for address in ("x", "x", "y")]

    assert [answer and answer.status_code for answer in answers] == [None, 429, None]
    door.world.now_ms += 300_000
    assert door.knock("x")[0] is None


def test_a_refusal_may_be_a_status() -> None:
    door = Door()
    door.world.fault("refuse", status=502, count=1)
    answer, _ = door.knock()
    assert answer is not None

    assert (answer.status_code, answer.reason_phrase) == (502, "Bad Gateway")
    assert door.knock()[0] is None


def test_a_refusal_may_be_a_reset() -> None:
    door = Door()
    door.world.fault("refuse", seconds=1)

    assert door.knock()[1].was_reset
    door.world.now_ms += 1000
    assert not door.knock()[1].was_reset


@pytest.mark.parametrize("code", [1000, 1008, 4000])
def test_a_guest_may_be_let_in_and_shown_out_at_once(code: int) -> None:
    door = Door()
    door.world.fault("accept_then_close", count=1, code=code)

    assert door.enter("/a").closed == (code, "")
    assert door.languages["a"].targets == []
    assert door.enter("/a").closed is None


def test_a_guest_may_be_shown_out_a_little_later_having_heard_nothing_of_the_market() -> None:
    door = Door()
    door.world.fault("accept_then_close", count=1, code=1008, after_s=0.5)
    guest = door.enter("/a")
    (listener,) = door.world.hub.listeners
    door.world.hub.subscribe(listener, ["btcusdt@trade"])

    door.world.pass_s(0.4)
    assert door.languages["a"].targets == ["/a"]
    assert guest.closed is None
    door.world.pass_s(0.2)
    assert guest.closed == (1008, "")
    assert guest.sent == []
