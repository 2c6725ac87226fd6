"""What a service says about itself over HTTP: ``/livez``, ``/readyz``, ``/health`` and ``/metrics``."""

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Final, TypeAlias
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

REQUEST_TIMEOUT_S: Final = 10.0
"""A client that takes longer to send its request is cut off."""

MAX_CONNECTIONS: Final = 32
"""Requests answered at once; more are closed, so that a flood of clients costs no memory."""


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


class HealthServer:
    """A small HTTP server in a daemon thread, so that it answers while the service is busy."""

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
        self._service = service
        self._registry = registry
        self._parts = parts
        self._probes = {"/livez": alive, "/readyz": ready}
        self._server = make_server(host, port, self._answer, server_class=_Server, handler_class=_Handler)

    @property
    def port(self) -> int:
        """The port it listens on; of interest when it was asked for port 0."""
        return self._server.server_port

    def start(self) -> None:
        """Begin to answer."""
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
        path = environ.get("PATH_INFO", "")
        if environ.get("REQUEST_METHOD") not in {"GET", "HEAD"}:
            return _text(start_response, "405 Method Not Allowed", "only GET\n")
        if path == "/metrics":
            return self._metrics(environ, start_response)
        if path == "/health":
            return self._health(start_response)
        if path in self._probes:
            good = self._probes[path]()
            return _text(start_response, "200 OK" if good else "503 Service Unavailable", "ok\n" if good else "no\n")
        return _text(start_response, "404 Not Found", "try /health, /livez, /readyz or /metrics\n")

    def _health(self, start_response: "StartResponse") -> list[bytes]:
        parts = self._parts()
        body = json.dumps(report(self._service, parts), allow_nan=False).encode()
        status = "503 Service Unavailable" if worst(parts) is Status.DOWN else "200 OK"
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _metrics(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
        encoder, content_type = choose_encoder(environ.get("HTTP_ACCEPT", ""))
        body = encoder(self._registry)
        start_response("200 OK", [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]


def _text(start_response: "StartResponse", status: str, text: str) -> list[bytes]:
    body = text.encode()
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, *arguments: object, **options: object) -> None:
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(*arguments, **options)  # type: ignore[arg-type]

    def process_request(self, request: object, client_address: object) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)  # type: ignore[arg-type]
            return
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def process_request_thread(self, request: object, client_address: object) -> None:
        try:
            super().process_request_thread(request, client_address)  # type: ignore[arg-type]
        finally:
            self._places.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up or dawdles is no event."""


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_TIMEOUT_S

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  the base class's name
        """Probes come every few seconds; logging them would be noise."""

    def address_string(self) -> str:
        """Return the client's address without asking DNS for its name."""
        return str(self.client_address[0])
