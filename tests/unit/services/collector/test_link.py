"""One connection: what it counts, logs and does when it is over."""

import asyncio

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from nightdesk.ticks import Tick
from services.collector.codec import Fetch
from services.collector.link import SAMPLE_S, Cause, Ending, Link, Rejects
from services.collector.tally import SessionMetrics, Tally
from tests.unit.services.collector.fakes import FakeSocket, WordCodec
from tests.virtual_time import EPOCH_NS, clock, run


def a_tally() -> Tally:
    return Tally("f", {"A": "24/7"}, [], SessionMetrics(CollectorRegistry()))


class Now:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def a_link(socket: FakeSocket, taken: list[Tick], **options: object) -> Link:
    async def rest(_fetch: Fetch) -> bytes:
        return b"t A 7"

    tally = a_tally()
    settings: dict[str, object] = {
        "feed": "f",
        "codec": WordCodec(),
        "socket": socket,
        "rest": rest,
        "tally": tally,
        "rejects": Rejects("f", tally, clock().monotonic_s),
        "wall_ns": clock().wall_ns,
        "random": lambda: 1.0,
        "on_ticks": taken.extend,
        "on_alive": lambda _symbol: None,
        **options,
    }
    return Link(**settings)  # type: ignore[arg-type]


def test_of_many_unreadable_messages_a_few_are_logged_and_all_are_counted() -> None:
    tally, now = a_tally(), Now()
    rejects = Rejects("f", tally, now)
    with capture_logs() as logs:
        for _ in range(1000):
            rejects.add("not_json", "no", b"x" * 10_000)
        now.s = SAMPLE_S
        rejects.add("not_json", "no", b"\xff")

    assert tally.rejected["not_json"] == 1001
    assert [entry["unlogged"] for entry in logs] == [0, 999]
    assert len(logs[0]["message"]) == 200


def test_each_reason_has_a_sample_of_its_own() -> None:
    rejects = Rejects("f", a_tally(), Now())
    with capture_logs() as logs:
        rejects.add("not_json", "no", b"")
        rejects.add("wrong_shape", "no", b"")

    assert [entry["reason"] for entry in logs] == ["not_json", "wrong_shape"]


def test_the_first_reason_given_for_the_end_stands() -> None:
    async def scenario() -> None:
        link = a_link(FakeSocket(), [])
        link.start()
        link.end(Ending(cause=Cause.MUTE, text="mute"))
        link.end(Ending(cause=Cause.STOPPED, text="stopped"))
        assert (await link.running).cause is Cause.MUTE

    run(scenario())


def test_after_its_end_a_link_passes_nothing_on() -> None:
    async def scenario() -> None:
        socket, taken = FakeSocket(), []
        link = a_link(socket, taken)
        link.start()
        await asyncio.sleep(0.01)
        link.end(Ending(cause=Cause.STOPPED, text=""))
        await link.running
        socket.say("t A 1")
        assert taken == []
        assert socket.closed

    run(scenario())


def test_frames_and_answers_are_recorded_as_they_came() -> None:
    async def scenario() -> None:
        socket, taken, recorded = FakeSocket(), [], []
        link = a_link(
            socket,
            taken,
            on_raw=lambda raw, ns: recorded.append((raw, ns)),
            on_answer=lambda url, body, ns: recorded.append((url, body, ns)),
        )
        link.start()
        await asyncio.sleep(0.5)
        socket.say("bad", "fetch k")
        await asyncio.sleep(0.5)
        assert recorded == [
            (b"bad", EPOCH_NS + 500_000_000),
            (b"fetch k", EPOCH_NS + 500_000_000),
            ("https://exchange/k?api_key=hush", b"t A 7", EPOCH_NS + 500_000_000),
        ]
        assert len(taken) == 1
        link.end(Ending(cause=Cause.STOPPED, text=""))
        await link.running

    run(scenario())


def test_an_exchange_that_wants_more_answers_than_may_be_sent_is_left() -> None:
    async def scenario() -> None:
        socket = FakeSocket()
        link = a_link(socket, [])
        link.start()
        await asyncio.sleep(0.01)
        socket.say(*["send pong"] * 1000)
        ending = await link.running
        assert ending.cause is Cause.FAILURE
        assert "answers wait" in ending.text

    run(scenario())


def test_only_what_the_socket_says_shows_that_the_connection_is_good() -> None:
    async def scenario() -> None:
        socket, taken = FakeSocket(), []
        link = a_link(socket, taken)
        link.start()
        await asyncio.sleep(0.1)
        socket.say("fetch k")
        await asyncio.sleep(0.5)
        assert (len(taken), link.ticked) == (1, False)

        socket.say("t A 8")
        await asyncio.sleep(0.1)
        assert (len(taken), link.ticked) == (2, True)
        link.end(Ending(cause=Cause.STOPPED, text=""))
        await link.running

    run(scenario())


class Talkative(FakeSocket):
    """Says something more while it closes."""

    async def close(self) -> None:
        self.say("fetch late")
        await super().close()


def test_what_comes_while_the_socket_closes_starts_nothing() -> None:
    async def scenario() -> None:
        socket = Talkative()
        tally = a_tally()
        link = a_link(socket, [], tally=tally)
        link.start()
        await asyncio.sleep(0.01)
        link.end(Ending(cause=Cause.STOPPED, text=""))
        await link.running
        assert tally.messages == 0

    run(scenario())
