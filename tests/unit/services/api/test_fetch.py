import asyncio
from collections.abc import Awaitable, Callable

import pytest

from nightdesk.errors import UnavailableError
from services.api import fetch
from services.api.fetch import Answer, Question, get

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def ask(handler: Handler, timeout_s: float = 5.0) -> Answer:
    async def exchange() -> Answer:
        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        async with server:
            return await get("127.0.0.1", server.sockets[0].getsockname()[1], "/health", timeout_s=timeout_s)

    return asyncio.run(exchange())


def saying(*pieces: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.close()

    return handler


def test_an_answer_is_its_status_and_its_body() -> None:
    answer = ask(saying(b"HTTP/1.1 503 Service Unavailable\r\nX: y\r\n\r\n", b"one", b"two"))

    assert answer == Answer(status=503, body=b"onetwo")


def test_one_deadline_holds_over_connecting_and_reading() -> None:
    async def mute(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)
        writer.close()

    with pytest.raises(UnavailableError, match=r"no answer within 0\.05 s"):
        ask(mute, timeout_s=0.05)


@pytest.mark.parametrize(
    "said", [b"", b"SSH-2.0\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK"]
)
def test_what_is_not_http_is_no_answer(said: bytes) -> None:
    with pytest.raises(UnavailableError, match="not HTTP"):
        ask(saying(said))


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "MAX_BYTES", 10)

    with pytest.raises(UnavailableError, match="larger"):
        ask(saying(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 100))


def test_nobody_listening_is_no_answer() -> None:
    with pytest.raises(UnavailableError):
        asyncio.run(get("127.0.0.1", 1, "/health", timeout_s=5.0))


def test_a_request_goes_out_with_its_method_headers_and_body() -> None:
    received = bytearray()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.extend(await reader.readexactly(1))
        while not received.endswith(b'{"a": 1}'):
            received.extend(await reader.readexactly(1))
        writer.write(b"HTTP/1.1 201 Created\r\n\r\n{}")
        writer.close()

    async def exchange() -> Answer:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            question = Question(
                host="127.0.0.1", port=port, method="POST", path="/x?y=z", headers={"X-A": "b"}, body=b'{"a": 1}'
            )
            return await fetch.ask(question, timeout_s=5.0)

    assert asyncio.run(exchange()) == Answer(status=201, body=b"{}")
    head = bytes(received).partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert head[0] == "POST /x?y=z HTTP/1.0"
    assert {"X-A: b", "Content-Length: 8", "Connection: close"} <= set(head)
