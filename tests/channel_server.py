"""A server on loopback that answers as it is told, for whoever sends messages to channels.

It records every request with the time it came. What it answers is a script a path prefix: its items in turn, the last
one again and again. Without a script everything is answered ``OK``.

    with ChannelServer() as server:
        server.script("/slack", status(500), limited(2), ok(b"ok"))
        ...
        server.wait_for(3, within_s=10, prefix="/slack")

As a program, ``python tests/channel_server.py 8080``, it listens for everybody and prints each request as JSON.
"""

import itertools
import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final

from requests.structures import CaseInsensitiveDict

PIECES: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer, after ``hang_s`` seconds; or none, because the connection is reset.

    ``trickle_s`` is how long the body takes, byte by byte.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_s: float = 0.0
    trickle_s: float = 0.0
    is_reset: bool = False


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def ok(body: bytes = b"ok", status: int = 200, **headers: str) -> Reply:
    """Return success; an underscore in a header's name stands for a hyphen."""
    return Reply(status=status, body=body, headers=_named(headers))


def status(code: int, body: bytes = b"", **headers: str) -> Reply:
    """Return an answer of this status."""
    return Reply(status=code, body=body, headers=_named(headers))


def limited(retry_after: float | str, body: bytes = b"") -> Reply:
    """Return 429 with ``Retry-After`` in seconds, or as a date when it is text."""
    return Reply(status=429, body=body, headers={"Retry-After": str(retry_after)})


def hang(seconds: float) -> Reply:
    """Return what comes only after so long."""
    return Reply(body=b"ok", hang_s=seconds)


def reset() -> Reply:
    """Return the connection's reset instead of an answer."""
    return Reply(is_reset=True)


def trickle(seconds: float, body: bytes = b"ok" * PIECES) -> Reply:
    """Return an answer whose body takes so long."""
    return Reply(body=body, trickle_s=seconds)


OK: Final = ok()

SUCCESS: Final[Mapping[str, Reply]] = {
    "slack": OK,
    "discord": ok(b"", 204),
    "telegram": ok(b'{"ok":true,"result":{"message_id":1}}'),
    "pushover": ok(b'{"status":1,"request":"r1","receipt":"rcpt1"}'),
    "pagerduty": ok(b'{"status":"success","message":"Event processed","dedup_key":"k"}', 202),
    "webhook": ok(b""),
}
"""How each kind's real server says that it took a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request, with when it came by both clocks, in seconds."""

    monotonic_s: float
    wall_s: float
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; raises ValueError."""
        return json.loads(self.body)


class ChannelServer:
    """The server, between entering and leaving it; ``port`` 0 is any free one."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self._scripts: dict[str, Iterator[Reply]] = {}
        self._heard = threading.Condition()
        self._requests: list[Received] = []
        self._stop = threading.Event()
        self._http = _Http((host, port), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> "ChannelServer":
        self._thread.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._stop.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def script(self, prefix: str, *replies: Reply) -> None:
        """Answer requests whose path begins so with these in turn, then with the last; the longest prefix counts."""
        with self._heard:
            self._scripts[prefix] = _in_turn(replies)

    def requests(self, prefix: str = "") -> list[Received]:
        """Return what came so far, in the order it came."""
        with self._heard:
            return self._now(prefix)

    def wait_for(self, count: int, within_s: float, prefix: str = "") -> list[Received]:
        """Return the requests as soon as there are so many; raises AssertionError with what came instead."""
        with self._heard:
            self._heard.wait_for(lambda: len(self._now(prefix)) >= count, within_s)
            found = self._now(prefix)
        came = ", ".join(f"{one.method} {one.path}" for one in found)
        assert len(found) >= count, f"{len(found)} of {count} requests within {within_s:g} s: {came}"
        return found

    def forget(self) -> None:
        """Forget every request so far; the scripts go on."""
        with self._heard:
            self._requests.clear()

    def _now(self, prefix: str) -> list[Received]:
        return [one for one in self._requests if one.path.startswith(prefix)]

    def _take(self, request: Received) -> Reply:
        with self._heard:
            self._requests.append(request)
            self._heard.notify_all()
            fitting = [prefix for prefix in self._scripts if request.path.startswith(prefix)]
            return next(self._scripts[max(fitting, key=len)]) if fitting else OK

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                request = Received(
                    monotonic_s=time.monotonic(),
                    wall_s=time.time(),
                    method=self.command,
                    path=self.path,
                    headers=CaseInsensitiveDict(self.headers.items()),
                    body=body,
                )
                with suppress(OSError):  # who asked has gone
                    _answer(self, server._take(request), server._stop.wait)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


class _Http(ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that hung up."""


def _in_turn(replies: Iterable[Reply]) -> Iterator[Reply]:
    last = OK
    for last in replies:
        yield last
    while True:
        yield last


def _answer(handler: BaseHTTPRequestHandler, reply: Reply, wait: Callable[[float], bool]) -> None:
    wait(reply.hang_s)
    if reply.is_reset:
        # closed with data unsent for 0 s, a socket says RST
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        return
    handler.send_response(reply.status)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(reply.body)))
    handler.end_headers()
    if not reply.trickle_s:
        handler.wfile.write(reply.body)
        return
    for byte in reply.body:
        handler.wfile.write(bytes([byte]))
        wait(reply.trickle_s / len(reply.body))


def main(port: int) -> None:
    """Listen until the process is ended."""
    with ChannelServer(port, "0.0.0.0") as server:
        for count in itertools.count(1):
            taken = server.wait_for(count, within_s=threading.TIMEOUT_MAX)[count - 1]
            said = {"wall_s": taken.wall_s, "path": taken.path, "body": taken.body.decode(errors="replace")}
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
