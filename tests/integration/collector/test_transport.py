"""The socket port on a real WebSocket server that may misbehave; every registered transport passes the same tests."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
import trustme
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.utils import accept_key

from nightdesk.errors import ConfigurationError, RateLimitedError, UnavailableError
from services.collector.transport import Closed, Connect, Dial
from services.collector.transports import TRANSPORTS

pytestmark = pytest.mark.timeout(20)

Behaviour = Callable[[ServerConnection], Awaitable[None]]


@pytest.fixture(params=sorted(TRANSPORTS))
def connect(request: pytest.FixtureRequest) -> Connect:
    return TRANSPORTS[request.param]


def url_of(server: Server) -> str:
    return f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/ws"


@asynccontextmanager
async def an_exchange(behave: Behaviour, **options: object) -> AsyncIterator[str]:
    async with serve(behave, "127.0.0.1", 0, ping_interval=None, **options) as server:  # type: ignore[arg-type]
        yield url_of(server)


def refusing(status: HTTPStatus, **headers: str) -> Callable[[ServerConnection, Request], Response]:
    def refuse(_connection: ServerConnection, _request: Request) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(status, status.phrase, Headers({"Content-Length": "0", **named}), b"")

    return refuse


async def nothing(exchange: ServerConnection) -> None:
    await exchange.wait_closed()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  the other side is a process of its own pace
        await asyncio.sleep(0.01)


def test_messages_come_as_bytes_in_order_fragments_joined(connect: Connect) -> None:
    async def behave(exchange: ServerConnection) -> None:
        await exchange.send("first")
        await exchange.send(["one, ", "two ", "and three"])
        await exchange.send(b"\xff\x00 no text")
        for number in range(5000):
            await exchange.send(str(number))

    async def scenario() -> None:
        messages: list[bytes] = []
        async with an_exchange(behave) as url:
            socket = await connect(url, Dial())
            closed = await socket.pump(messages.extend)
        assert messages[:3] == [b"first", b"one, two and three", b"\xff\x00 no text"]
        assert [int(message) for message in messages[3:]] == list(range(5000))
        assert all(type(message) is bytes for message in messages)
        assert closed.code == 1000

    asyncio.run(scenario())


def test_what_came_before_the_pump_is_not_lost(connect: Connect) -> None:
    sent = asyncio.Event()

    async def behave(exchange: ServerConnection) -> None:
        await exchange.send("early")
        await exchange.send(["ear", "ly too"])
        sent.set()
        await exchange.recv()
        await exchange.send("later")

    async def scenario() -> None:
        messages: list[bytes] = []
        async with an_exchange(behave) as url:
            socket = await connect(url, Dial())
            await sent.wait()
            await asyncio.sleep(0.05)
            await socket.send("go on")
            await socket.pump(messages.extend)
        assert messages == [b"early", b"early too", b"later"]

    asyncio.run(scenario())


@asynccontextmanager
async def a_server(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    encrypted: ssl.SSLContext | None = None,
) -> AsyncIterator[str]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=encrypted)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def answer_to(request: bytes) -> bytes:
    headers = dict(line.split(b": ", 1) for line in request.split(b"\r\n") if b": " in line)
    accepted = accept_key(headers[b"Sec-WebSocket-Key"].decode()).encode()
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    return head + accepted + b"\r\n\r\n"


@pytest.mark.parametrize("length", [1, 7, 65_536])
def test_a_server_may_speak_along_with_its_answer_in_pieces_of_any_length(connect: Connect, length: int) -> None:
    frames = [Frame(Opcode.TEXT, b"early"), Frame(Opcode.PING, b""), Frame(Opcode.TEXT, b"x" * 200)]
    goodbye = Frame(Opcode.CLOSE, Close(4000, "because").serialize())

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = answer_to(await reader.readuntil(b"\r\n\r\n"))
        data += b"".join(frame.serialize(mask=False) for frame in [*frames, goodbye])
        for start in range(0, len(data), length):
            writer.write(data[start : start + length])
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read(100)
        writer.close()

    async def scenario() -> None:
        messages: list[bytes] = []
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            socket = await connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", Dial())
            closed = await socket.pump(messages.extend)
        assert messages == [b"early", b"x" * 200]
        assert (closed.code, closed.reason) == (4000, "because")

    asyncio.run(scenario())


def test_a_flood_comes_whole_and_in_order_while_other_tasks_run(connect: Connect) -> None:
    count = 100_000

    async def behave(exchange: ServerConnection) -> None:
        frames = [Frame(Opcode.TEXT, f"{number:0100d}".encode()).serialize(mask=False) for number in range(count)]
        exchange.transport.write(b"".join(frames))
        await exchange.recv()
        exchange.transport.abort()

    async def scenario() -> None:
        messages: list[bytes] = []
        turns = 0
        async with an_exchange(behave) as url:
            socket = await connect(url, Dial())
            pump = asyncio.create_task(socket.pump(messages.extend))
            while len(messages) < count:
                turns += 1
                await asyncio.sleep(0)
            await socket.send("goodbye")
            await pump
        assert [int(message) for message in messages] == list(range(count))
        assert turns > 10

    asyncio.run(scenario())


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1012, 4000, 4999])
def test_a_close_code_and_its_reason_are_reported(connect: Connect, code: int) -> None:
    async def behave(exchange: ServerConnection) -> None:
        await exchange.close(code, "because")

    async def scenario() -> None:
        async with an_exchange(behave) as url:
            socket = await connect(url, Dial())
            closed = await socket.pump(lambda _messages: None)
        assert (closed.code, closed.reason) == (code, "because")

    asyncio.run(scenario())


def test_a_connection_cut_without_goodbye_is_abnormal(connect: Connect) -> None:
    async def behave(exchange: ServerConnection) -> None:
        await exchange.send("hello")
        exchange.transport.abort()

    async def scenario() -> None:
        async with an_exchange(behave) as url:
            socket = await connect(url, Dial())
            closed = await socket.pump(lambda _messages: None)
        assert closed.code == 1006

    asyncio.run(scenario())


def test_sending_on_a_closed_connection_says_so(connect: Connect) -> None:
    async def behave(exchange: ServerConnection) -> None:
        await exchange.close()

    async def scenario() -> None:
        async with an_exchange(behave) as url:
            socket = await connect(url, Dial())
            await socket.pump(lambda _messages: None)
            with pytest.raises(UnavailableError):
                await socket.send("too late")
            await socket.close()

    asyncio.run(scenario())


def test_a_server_that_answers_no_ping_is_given_up(connect: Connect) -> None:
    async def behave(exchange: ServerConnection) -> None:
        exchange.transport.pause_reading()
        await asyncio.sleep(0.5)
        exchange.transport.abort()

    async def scenario() -> None:
        async with an_exchange(behave) as url:
            socket = await connect(url, Dial(ping_interval_s=0.05, ping_timeout_s=0.05))
            closed = await socket.pump(lambda _messages: None)
        assert closed.code == 1006
        assert "no answer to a ping" in closed.reason

    asyncio.run(scenario())


def test_a_paused_socket_reads_nothing_and_is_not_given_up(connect: Connect) -> None:
    async def behave(exchange: ServerConnection) -> None:
        await exchange.send("before")
        await exchange.recv()
        await exchange.send("after")
        await exchange.wait_closed()

    async def scenario() -> None:
        messages: list[bytes] = []
        async with an_exchange(behave) as url:
            socket = await connect(url, Dial(ping_interval_s=0.05, ping_timeout_s=0.05))
            pump = asyncio.create_task(socket.pump(messages.extend))
            await until(lambda: len(messages) == 1)
            socket.pause()
            await socket.send("go on")
            await asyncio.sleep(0.4)
            assert messages == [b"before"]
            assert not pump.done()
            socket.resume()
            await until(lambda: len(messages) == 2)
            await socket.close()
            assert (await pump).code == 1000

    asyncio.run(scenario())


def test_a_paused_socket_can_be_closed(connect: Connect) -> None:
    async def scenario() -> None:
        async with an_exchange(nothing) as url:
            socket = await connect(url, Dial())
            pump = asyncio.create_task(socket.pump(lambda _messages: None))
            await asyncio.sleep(0.05)
            socket.pause()
            await socket.close()
            await pump

    asyncio.run(scenario())


@pytest.mark.parametrize("status", [HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.IM_A_TEAPOT])
def test_a_rate_limited_handshake_says_how_long_to_wait(connect: Connect, status: HTTPStatus) -> None:
    async def scenario() -> None:
        async with an_exchange(nothing, process_request=refusing(status, Retry_After="17")) as url:
            with pytest.raises(RateLimitedError) as caught:
                await connect(url, Dial())
        assert caught.value.retry_after_s == 17

    asyncio.run(scenario())


def test_a_rate_limited_handshake_that_does_not_say_waits_a_minute(connect: Connect) -> None:
    async def scenario() -> None:
        async with an_exchange(nothing, process_request=refusing(HTTPStatus.TOO_MANY_REQUESTS)) as url:
            with pytest.raises(RateLimitedError) as caught:
                await connect(url, Dial())
        assert caught.value.retry_after_s == 60

    asyncio.run(scenario())


@pytest.mark.parametrize("status", [HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY])
def test_any_other_refusal_can_be_tried_again(connect: Connect, status: HTTPStatus) -> None:
    async def scenario() -> None:
        async with an_exchange(nothing, process_request=refusing(status)) as url:
            with pytest.raises(UnavailableError, match=str(status.value)) as caught:
                await connect(url, Dial())
        assert not isinstance(caught.value, RateLimitedError)

    asyncio.run(scenario())


def test_nobody_listening_can_be_tried_again(connect: Connect) -> None:
    async def scenario() -> None:
        async with an_exchange(nothing) as url:
            pass
        with pytest.raises(UnavailableError):
            await connect(url, Dial())

    asyncio.run(scenario())


def test_a_server_that_speaks_something_else_can_be_tried_again(connect: Connect) -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"220 smtp.example ESMTP\r\n\r\n")
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(other, "127.0.0.1", 0)
        async with server:
            with pytest.raises(UnavailableError):
                await connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", Dial())

    asyncio.run(scenario())


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 1"])
@pytest.mark.parametrize("listens", [True, False])
def test_a_server_that_hangs_up_before_it_answers_can_be_tried_again(
    connect: Connect, said: bytes, listens: bool
) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if listens:
            await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    async def scenario() -> None:
        async with a_server(hang_up) as url:
            with pytest.raises(UnavailableError):
                await connect(url, Dial())

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "location",
    [b"ws://a..b/", b"ws://x:99999/", b"ws://x:abc/", b"ws://[::1/", b"ws://127.0.0.1:1/\xff", b"?", b"gopher://x"],
)
def test_a_redirect_to_nowhere_can_be_tried_again(connect: Connect, location: bytes) -> None:
    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n")
        writer.close()

    async def scenario() -> None:
        async with a_server(redirect) as url:
            with pytest.raises((UnavailableError, ConfigurationError)):
                await connect(url, Dial())

    asyncio.run(scenario())


def test_an_opening_that_nobody_waits_for_leaves_no_connection(connect: Connect) -> None:
    asked, may_answer, hung_up = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def answer_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await may_answer.wait()
        writer.write(answer_to(request))
        while await reader.read(1000):
            pass
        hung_up.set()
        writer.close()

    async def scenario() -> None:
        async with a_server(answer_late) as url:
            opening = asyncio.create_task(connect(url, Dial()))
            await asked.wait()
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            may_answer.set()
            await asyncio.wait_for(hung_up.wait(), 5)

    asyncio.run(scenario())


def frames_of(*frames: Frame) -> bytes:
    return b"".join(frame.serialize(mask=False) for frame in frames)


def saying(data: bytes, *, encrypted: ssl.SSLContext | None = None) -> AbstractAsyncContextManager[str]:
    """Run a server that answers the handshake, says this, and then only reads."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer_to(await reader.readuntil(b"\r\n\r\n")))
        with contextlib.suppress(ConnectionError):
            for start in range(0, len(data), 16_384):
                writer.write(data[start : start + 16_384])
                await writer.drain()
            while await reader.read(65_536):
                pass
        writer.close()

    return a_server(say, encrypted)


def test_what_comes_after_the_closing_is_dropped(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    texts = [Frame(Opcode.TEXT, str(number).encode()) for number in range(300)]
    data = frames_of(*texts[:50], Frame(Opcode.CLOSE, Close(4000, "enough").serialize()), *texts[50:])

    async def scenario() -> None:
        messages: list[bytes] = []
        async with saying(data, encrypted=encrypted_by(authority)) as url:
            socket = await connect(url.replace("ws://127.0.0.1", "wss://localhost"), Dial())
            closed = await socket.pump(messages.extend)
        assert [int(message) for message in messages] == list(range(50))
        assert closed == Closed(4000, "enough")

    asyncio.run(scenario())


@pytest.mark.parametrize("size", [0, 1])
def test_a_message_in_endless_fragments_ends_the_connection(connect: Connect, size: int) -> None:
    more = Frame(Opcode.CONT, b"x" * size, fin=False)
    data = frames_of(Frame(Opcode.TEXT, b"x", fin=False), *[more] * 20_000, Frame(Opcode.CONT, b"x"))

    async def scenario() -> None:
        messages: list[bytes] = []
        async with saying(data) as url:
            socket = await connect(url, Dial())
            closed = await socket.pump(messages.extend)
            await socket.close()
        assert messages == []
        assert closed.code in {1006, 1009}

    asyncio.run(scenario())


def test_a_server_that_pings_and_reads_no_answer_is_left(connect: Connect) -> None:
    pings = frames_of(*[Frame(Opcode.PING, b"p" * 125)] * 1000)

    async def ping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer_to(await reader.readuntil(b"\r\n\r\n")))
        writer.transport.pause_reading()  # type: ignore[attr-defined]  a socket's
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(pings)
                await writer.drain()
                await asyncio.sleep(0)

    async def scenario() -> None:
        async with a_server(ping) as url:
            socket = await connect(url, Dial())
            closed = await socket.pump(lambda _messages: None)
            await socket.close()
        assert closed.code == 1006
        assert "does not read" in closed.reason

    asyncio.run(scenario())


def test_a_pong_that_nobody_asked_for_is_no_answer(connect: Connect) -> None:
    async def scenario() -> None:
        async with saying(frames_of(*[Frame(Opcode.PONG, b"")] * 10)) as url:
            socket = await connect(url, Dial(ping_interval_s=0.05, ping_timeout_s=0.2))
            closed = await socket.pump(lambda _messages: None)
        assert closed.code == 1006
        assert "no answer to a ping" in closed.reason

    asyncio.run(scenario())


def test_a_server_that_never_answers_is_given_up(connect: Connect) -> None:
    async def mute(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(100)

    async def scenario() -> None:
        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        async with server:
            with pytest.raises(UnavailableError):
                await connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", Dial(open_timeout_s=0.1))

    asyncio.run(scenario())


def test_an_address_that_is_none_is_a_matter_of_configuration(connect: Connect) -> None:
    async def scenario() -> None:
        with pytest.raises(ConfigurationError) as caught:
            await connect("http://127.0.0.1/?api_key=hush", Dial())
        assert "hush" not in str(caught.value)

    asyncio.run(scenario())


def test_a_message_beyond_the_limit_ends_the_connection_and_not_the_process(connect: Connect) -> None:
    async def behave(exchange: ServerConnection) -> None:
        await exchange.send(b"x" * (16 * 1024 * 1024 + 1))
        await exchange.wait_closed()

    async def scenario() -> None:
        messages: list[bytes] = []
        async with an_exchange(behave) as url:
            socket = await connect(url, Dial())
            closed = await socket.pump(messages.extend)
        assert messages == []
        assert closed.code in {1006, 1009}

    asyncio.run(scenario())


def test_an_encrypted_connection_works_as_any_other(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))

    async def behave(exchange: ServerConnection) -> None:
        for number in range(20_000):
            await exchange.send(str(number))
        assert await exchange.recv() == "paused and resumed"
        await exchange.send("after")

    async def scenario() -> None:
        messages: list[bytes] = []
        async with an_exchange(behave, ssl=encrypted_by(authority)) as url:
            socket = await connect(url.replace("ws://127.0.0.1", "wss://localhost"), Dial())
            pump = asyncio.create_task(socket.pump(messages.extend))
            await until(lambda: len(messages) == 20_000)
            socket.pause()
            await socket.send("paused and resumed")
            await asyncio.sleep(0.05)
            assert len(messages) == 20_000
            socket.resume()
            closed = await pump
        assert [int(message) for message in messages[:-1]] == list(range(20_000))
        assert messages[-1] == b"after"
        assert closed.code == 1000

    asyncio.run(scenario())


def test_a_certificate_that_nobody_vouches_for_is_refused(connect: Connect) -> None:
    async def scenario() -> None:
        async with an_exchange(nothing, ssl=encrypted_by(trustme.CA())) as url:
            with pytest.raises(UnavailableError, match="certificate"):
                await connect(url.replace("ws://127.0.0.1", "wss://localhost"), Dial())

    asyncio.run(scenario())


def encrypted_by(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context
