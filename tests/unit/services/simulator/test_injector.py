import json

import pytest

from services.simulator.faults import Close, Gap, MuteSocket, Rollover, SlowReads
from services.simulator.injector import Injector
from tests.unit.services.simulator.making import World


def an_injector(world: World) -> Injector:
    return Injector(board=world.board, hub=world.hub)


def test_muting_concerns_the_connections_open_now() -> None:
    world = World()
    _, muted = world.listener("btcusdt@trade")
    an_injector(world).inject(MuteSocket(seconds=1), world.now_ms)
    _, later = world.listener("btcusdt@trade")
    world.pass_s(0.5)
    assert (muted.texts(), len(later.texts())) == ([], 50)

    world.pass_s(1)
    assert len(muted.texts()) == 51


def test_clearing_lets_muted_connections_speak() -> None:
    world = World()
    _, line = world.listener("btcusdt@trade")
    injector = an_injector(world)
    injector.inject(MuteSocket(), world.now_ms)
    injector.inject(Gap(count=1000), world.now_ms)
    injector.clear()
    world.pass_s(0.1)

    assert len(line.texts()) == 10


def test_one_connection_may_be_chosen() -> None:
    world = World()
    first, left_alone = world.listener(), world.listener()
    an_injector(world).inject(Close(connection=first[0].listener_id, code=1012), world.now_ms)

    assert first[1].closed == (1012, "")
    assert left_alone[1].closed is None
    assert len(world.board) == 0


def test_a_connection_that_is_not_there_is_an_error() -> None:
    world = World()
    with pytest.raises(LookupError, match="no connection 9"):
        an_injector(world).inject(Close(connection=9), world.now_ms)

    assert len(world.board) == 0


def test_slow_reads_stop_reading() -> None:
    world = World()
    _, line = world.listener()
    an_injector(world).inject(SlowReads(seconds=3), world.now_ms)

    assert line.unread_s == 3


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_rollover_is_announced_and_happens(wrapped: bool) -> None:
    world = World()
    _, line = world.listener(wrapped=wrapped)
    an_injector(world).inject(Rollover(seconds=2), world.now_ms)
    event = json.loads(line.texts()[0])
    assert (event["data"] if wrapped else event)["e"] == "serverShutdown"
    assert event.get("stream") == ("!serverShutdown" if wrapped else None)

    world.pass_s(1.9)
    assert line.closed is None
    world.pass_s(0.1)
    assert line.closed == (1001, "")


def test_a_rollover_may_come_without_a_word() -> None:
    world = World()
    _, line = world.listener()
    an_injector(world).inject(Rollover(seconds=1, warn=False), world.now_ms)
    world.pass_s(1)

    assert (line.texts(), line.closed) == ([], (1001, ""))
