"""One bounded request: never slower than its limit, and its answer never larger than its limit.

Who is asked may be stopped, paused or gone. One deadline over connecting, sending and reading is what that needs, and
HTTP/1.0 with a connection of its own keeps the answer free of chunks.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from nightdesk.errors import UnavailableError

MAX_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer: its status and its body."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An HTTP request: where to, and what. ``path`` is as it stands in the URL, its query included."""

    host: str
    port: int
    method: str = "GET"
    path: str
    headers: Mapping[str, str] | None = None
    body: bytes | None = None


async def get(host: str, port: int, path: str, *, timeout_s: float) -> Answer:
    """Return the answer of ``http://host:port/path``; raises UnavailableError when there is none in time."""
    return await ask(Question(host=host, port=port, path=path), timeout_s=timeout_s)


async def ask(question: Question, *, timeout_s: float) -> Answer:
    """Return the answer; raises UnavailableError when there is none in time."""
    try:
        async with asyncio.timeout(timeout_s):
            return _parsed(await _exchange(question))
    except TimeoutError as error:
        raise UnavailableError(f"no answer within {timeout_s:g} s") from error
    except OSError as error:
        raise UnavailableError(error.strerror or "cannot connect") from error


async def _exchange(question: Question) -> bytes:
    reader, writer = await asyncio.open_connection(question.host, question.port)
    try:
        writer.write(_request(question))
        await writer.drain()
        return await _read_all(reader)
    finally:
        writer.close()


def _request(question: Question) -> bytes:
    headers = {"Host": f"{question.host}:{question.port}", "Connection": "close", **(question.headers or {})}
    if question.body is not None:
        headers |= {"Content-Length": str(len(question.body))}
    lines = [f"{question.method} {question.path} HTTP/1.0", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + (question.body or b"")


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    received = bytearray()
    while block := await reader.read(65536):
        received += block
        if len(received) > MAX_BYTES:
            raise UnavailableError(f"the answer is larger than {MAX_BYTES} bytes")
    return bytes(received)


def _parsed(received: bytes) -> Answer:
    head, separator, body = received.partition(b"\r\n\r\n")
    words = head.split(b"\r\n", 1)[0].split(b" ")
    if not separator or len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
        raise UnavailableError("the answer is not HTTP")
    return Answer(status=int(words[1]), body=body)
