"""A connection over a transport that only remembers, met by the library's own client."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from websockets.client import ClientProtocol
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.uri import parse_uri

from services.simulator import connection as module
from services.simulator.connection import Connection
from services.simulator.doorman import _refusal
from services.simulator.wire import frames


class FakeTransport(asyncio.Transport):
    """Remembers what is written; ``stuck`` bytes wait to be sent."""

    def __init__(self) -> None:
        super().__init__({"peername": ("10.0.0.1", 5)})
        self.written = bytearray()
        self.closed = False
        self.aborted = False
        self.reading = True
        self.stuck = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.stuck

    def is_closing(self) -> bool:
        return self.closed or self.aborted

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class FakeDoorman:
    """Lets everybody in, or nobody, and remembers what was said."""

    def __init__(self, refusal: Response | None = None) -> None:
        self.refusal = refusal
        self.heard: list[str] = []
        self.targets: list[str] = []
        self.left = 0

    def admit(self, connection: Connection, request: Request) -> Response | None:
        return self.refusal

    def opened(self, connection: Connection, target: str) -> None:
        self.targets.append(target)

    def received(self, connection: Connection, text: str) -> None:
        self.heard.append(text)

    def closed(self, connection: Connection) -> None:
        self.left += 1


class Call:
    """A connection and a client that talk through a fake transport."""

    def __init__(self, doorman: FakeDoorman | None = None) -> None:
        self.now_s = 100.0
        self.doorman = doorman or FakeDoorman()
        self.siblings: set[Connection] = set()
        self.transport = FakeTransport()
        self.connection = Connection(
            doorman=self.doorman, monotonic_s=lambda: self.now_s, buffer_limit_bytes=100, siblings=self.siblings
        )
        self.client = ClientProtocol(parse_uri("ws://localhost/stream?streams=a"))
        self.connection.connection_made(self.transport)
        self.client.send_request(self.client.connect())
        self.exchange()

    def exchange(self) -> list[Any]:
        """Carry bytes both ways; return what the client understood."""
        self.connection.data_received(b"".join(self.client.data_to_send()))
        data, self.transport.written = bytes(self.transport.written), bytearray()
        if data:
            self.client.receive_data(data)
        return self.client.events_received()


def in_loop(test: Callable[[], Coroutine[None, None, None]]) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(test())

    return run


@in_loop
async def test_a_handshake_opens_the_connection() -> None:
    call = Call()

    assert call.connection.open
    assert call.client.state is State.OPEN
    assert call.doorman.targets == ["/stream?streams=a"]
    assert call.connection.address == "10.0.0.1"
    assert call.siblings == {call.connection}


@in_loop
async def test_a_refused_handshake_is_answered_and_ends() -> None:
    call = Call(FakeDoorman(_refusal(503)))

    assert call.client.handshake_exc is not None
    assert "503" in str(call.client.handshake_exc)
    assert call.doorman.targets == []
    assert call.transport.closed


@in_loop
async def test_what_is_queued_leaves_in_one_write() -> None:
    call = Call()
    call.connection.queue(frames(["1"]))
    call.connection.queue(frames(["2", "3"]))
    assert call.transport.written == b""
    assert call.connection.flush()

    assert [bytes(event.data) for event in call.exchange()] == [b"1", b"2", b"3"]


@in_loop
async def test_a_client_too_far_behind_is_cut_off() -> None:
    call = Call()
    call.transport.stuck = 101
    call.connection.queue(frames(["1"]))

    assert not call.connection.flush()
    assert call.transport.aborted
    assert not call.connection.open


@in_loop
async def test_a_message_is_passed_on() -> None:
    call = Call()
    call.client.send_text(b"hello")
    call.exchange()

    assert call.doorman.heard == ["hello"]


@in_loop
async def test_a_ping_is_answered() -> None:
    call = Call()
    call.client.send_ping(b"x")
    (pong,) = call.exchange()

    assert (pong.opcode.name, bytes(pong.data)) == ("PONG", b"x")


@in_loop
async def test_binary_messages_are_not_understood() -> None:
    call = Call()
    call.client.send_binary(b"\x00")
    call.exchange()

    assert call.client.close_rcvd is not None
    assert call.client.close_rcvd.code == 1003


@in_loop
async def test_a_close_is_answered_and_ends_the_connection() -> None:
    call = Call()
    call.client.send_close(1000)
    call.exchange()

    assert call.client.close_rcvd is not None
    assert call.transport.closed
    call.connection.connection_lost(None)
    assert call.doorman.left == 1
    assert call.siblings == set()


@in_loop
async def test_the_server_closes_with_a_code_and_says_nothing_after() -> None:
    call = Call()
    call.connection.close(1012, "restart")
    call.connection.queue(frames(["late"]))
    call.connection.flush()
    call.exchange()

    assert call.client.close_rcvd is not None
    assert (call.client.close_rcvd.code, call.client.close_rcvd.reason) == (1012, "restart")
    call.connection.close(1000)


@in_loop
async def test_reading_stops_for_a_while() -> None:
    call = Call()
    call.connection.stop_reading(0.01)
    assert not call.transport.reading

    await asyncio.sleep(0.05)
    assert call.transport.reading


@in_loop
async def test_a_client_that_never_answers_pings_is_left() -> None:
    call = Call()
    call.now_s += module.PONG_WITHIN_S + 1
    call.connection._ping()

    assert call.transport.aborted


@in_loop
async def test_a_client_that_answers_pings_stays() -> None:
    call = Call()
    call.connection._ping()
    call.now_s += module.PONG_WITHIN_S - 1
    call.exchange()
    call.exchange()
    call.now_s += 2
    call.connection._ping()

    assert not call.transport.aborted


@in_loop
async def test_nonsense_instead_of_a_handshake_ends_the_connection() -> None:
    transport = FakeTransport()
    connection = Connection(doorman=FakeDoorman(), monotonic_s=lambda: 0.0, buffer_limit_bytes=100)
    connection.connection_made(transport)
    connection.data_received(b"\x16\x03\x01 nonsense\r\n\r\n")

    assert transport.closed
