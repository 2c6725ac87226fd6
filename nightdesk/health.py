"""What a service says about itself over HTTP: ``/livez``, ``/readyz``, ``/health`` and ``/metrics``."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Final, NamedTuple, TypeAlias

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

log = structlog.get_logger()

REQUEST_TIMEOUT_S: Final = 10.0
"""From its connection to its answer a client has so long, however it spends it."""

LINGER_S: Final = 1.0
MAX_LINGER_BYTES: Final = 256 * 1024
"""What is still on its way is read so long and so far: closing on unread bytes would take the answer back."""

MAX_CONNECTIONS: Final = 64
"""Clients at once; one more and the oldest is cut off, so that many slow ones never keep a quick one out."""

MAX_HEAD_BYTES: Final = 16 * 1024


class Status(StrEnum):
    """How a part is; the worst of its parts is how a service is."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


_RANK: Final = {Status.OK: 0, Status.DEGRADED: 1, Status.DOWN: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part's state: ``age_s`` seconds since it last did what it is for, and from when that is too long."""

    part: str
    status: Status
    detail: str
    age_s: float | None = None
    threshold_s: float | None = None
    facts: dict[str, float | int | str | bool | None] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Return the part as the JSON object that ``/health`` shows."""
        return {
            "part": self.part,
            "status": self.status.value,
            "detail": self.detail,
            "age_s": None if self.age_s is None else round(self.age_s, 3),
            "threshold_s": self.threshold_s,
            "facts": self.facts,
        }


Parts: TypeAlias = Callable[[], Sequence[Part]]


def worst(parts: Iterable[Part]) -> Status:
    """Return the worst status among the parts; ``ok`` when there are none."""
    return max((part.status for part in parts), key=_RANK.__getitem__, default=Status.OK)


def report(service: str, parts: Sequence[Part]) -> dict[str, object]:
    """Return the body of ``/health``."""
    return {"service": service, "status": worst(parts).value, "parts": [part.as_json() for part in parts]}


def read_report(body: bytes) -> tuple[Part, ...]:
    """Return the parts of a service's ``/health``; raises ValueError when it is none."""
    try:
        return tuple(_part(part) for part in json.loads(body)["parts"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("no report of parts") from error


def _part(said: Mapping[str, object]) -> Part:
    facts = said.get("facts")
    return Part(
        part=str(said["part"]),
        status=Status(str(said["status"])),
        detail=str(said.get("detail") or ""),
        age_s=_number(said.get("age_s")),
        threshold_s=_number(said.get("threshold_s")),
        facts=dict(facts) if isinstance(facts, Mapping) else {},
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


class HealthServer:
    """A small HTTP server in a daemon thread, so that it answers while the service is busy.

    One event loop of its own serves every client: an idle one costs a socket and no thread.
    """

    def __init__(
        self,
        *,
        service: str,
        host: str = "",
        port: int,
        registry: CollectorRegistry,
        parts: Parts,
        alive: Callable[[], bool],
        ready: Callable[[], bool],
    ) -> None:
        """Take the port at once; raises OSError where that is not possible."""
        self._service = service
        self._registry = registry
        self._parts = parts
        self._probes = {"/livez": alive, "/readyz": ready}
        self._socket = socket.create_server((host, port), backlog=MAX_CONNECTIONS)
        self._clients: dict[asyncio.StreamWriter, None] = {}
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on; of interest when it was asked for port 0."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()
        self._loop.close()
        self._socket.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._meet, sock=self._socket, limit=MAX_HEAD_BYTES)
        await self._stopped.wait()
        server.close()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= MAX_CONNECTIONS:
            oldest = next(iter(self._clients))
            del self._clients[oldest]
            oldest.transport.abort()
        self._clients[writer] = None
        try:
            # EOFError, OSError: it hung up; ValueError: a line beyond the limit. Who dawdles or babbles is no event.
            with suppress(EOFError, OSError, ValueError, TimeoutError):
                async with asyncio.timeout(REQUEST_TIMEOUT_S):
                    await self._talk(reader, writer)
        finally:
            self._clients.pop(writer, None)
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _request(reader)
        if request is None:
            return
        writer.transport.set_write_buffer_limits(high=0)
        writer.write(_encoded(self._answer(request), with_body=request.method != "HEAD"))
        await writer.drain()
        writer.write_eof()
        async with asyncio.timeout(LINGER_S):
            await reader.readexactly(MAX_LINGER_BYTES)

    def _answer(self, request: "_Request") -> "_Answer":
        if request.method not in {"GET", "HEAD"}:
            return _text(HTTPStatus.METHOD_NOT_ALLOWED, "only GET")
        try:
            return self._page(request)
        except Exception:
            log.exception("health.failed", path=request.path)
            return _text(HTTPStatus.INTERNAL_SERVER_ERROR, "something unexpected happened; the log says what")

    def _page(self, request: "_Request") -> "_Answer":
        if request.path == "/metrics":
            encoder, content_type = choose_encoder(request.accept)
            return _Answer(HTTPStatus.OK, content_type, encoder(self._registry))
        if request.path == "/health":
            return self._health()
        if request.path in self._probes:
            good = self._probes[request.path]()
            return _text(HTTPStatus.OK, "ok") if good else _text(HTTPStatus.SERVICE_UNAVAILABLE, "no")
        return _text(HTTPStatus.NOT_FOUND, "try /health, /livez, /readyz or /metrics")

    def _health(self) -> "_Answer":
        parts = self._parts()
        body = json.dumps(report(self._service, parts), allow_nan=False).encode()
        status = HTTPStatus.SERVICE_UNAVAILABLE if worst(parts) is Status.DOWN else HTTPStatus.OK
        return _Answer(status, "application/json", body)


class _Request(NamedTuple):
    method: str
    path: str
    accept: str


class _Answer(NamedTuple):
    status: HTTPStatus
    content_type: str
    body: bytes


async def _request(reader: asyncio.StreamReader) -> _Request | None:
    """Return the request, None for what is none; raises ValueError for a head beyond ``MAX_HEAD_BYTES``."""
    words = (await reader.readline()).decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return None
    accept, left = "", MAX_HEAD_BYTES
    while (line := await reader.readline()).rstrip(b"\r\n"):
        left -= len(line)
        if left < 0:
            raise ValueError("headers without an end")
        name, _, value = line.decode("latin-1").partition(":")
        if name.lower() == "accept":
            accept = value.strip()
    return _Request(words[0], words[1].partition("?")[0], accept) if line else None


def _encoded(answer: _Answer, *, with_body: bool) -> bytes:
    head = (
        f"HTTP/1.0 {answer.status} {answer.status.phrase}\r\nContent-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (answer.body if with_body else b"")


def _text(status: HTTPStatus, text: str) -> _Answer:
    return _Answer(status, "text/plain; charset=utf-8", f"{text}\n".encode())
