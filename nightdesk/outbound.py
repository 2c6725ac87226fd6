"""One HTTP call to somebody else's server: bounded in time and in size, and telling nobody what was in its address.

There is no session: it would take ``.netrc`` and the proxies of the environment (a login meant for something else must
not reach an exchange or a channel, and the sockets beside it go directly as well), and would follow a redirect and read
its body whatever its size.
"""

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any, Final, Protocol, TypeAlias

import requests
from requests.adapters import HTTPAdapter
from requests.utils import default_headers

TIMEOUT_S: Final = (3.05, 15.0)
"""To connect, and between two pieces of the answer."""

DEADLINE_S: Final = 30.0
"""From the call to the answer's last byte, however it trickles in."""

MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
"""Twenty times what the largest answer that is asked for takes."""

MAX_WAIT_S: Final = 3600.0
"""The longest wait taken at a server's word; a ban that lasts longer is asked about again after it."""


class Answer(Protocol):
    """What is read of an HTTP answer."""

    @property
    def status_code(self) -> int:
        """The answer's status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The answer's headers."""

    @property
    def content(self) -> bytes:
        """The answer's body."""


Call: TypeAlias = Callable[[str, str, Mapping[str, str], bytes | None], Answer]
"""Do one call: method, URL, headers, body. Raises ``requests.RequestException``, whose text may hold the whole URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An answer, read to its end."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one call may take: seconds to connect and between two pieces, seconds in all, bytes of the answer."""

    timeout_s: tuple[float, float] = TIMEOUT_S
    deadline_s: float = DEADLINE_S
    max_answer_bytes: int = MAX_ANSWER_BYTES


BOUNDS: Final = Bounds()


class UnboundedError(requests.RequestException):
    """The answer is larger, or takes longer, than any that was asked for."""


class OverdueError(UnboundedError, requests.Timeout):
    """The answer was not there by the deadline."""


def call(method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, bounds: Bounds = BOUNDS) -> Answer:
    """Do one call over the network, within ``bounds``; a redirect is an answer like any other.

    Raises ``requests.RequestException``, OverdueError and UnboundedError among them.
    """
    keep_quiet()
    wanted = requests.Request(method, url, headers={**default_headers(), **headers}, data=body).prepare()
    with Deadline(bounds.deadline_s) as deadline, _Adapter(deadline) as adapter:
        try:
            with adapter.send(wanted, stream=True, timeout=bounds.timeout_s) as got:
                content = _whole(got, bounds.max_answer_bytes)
        except requests.RequestException:
            _check(deadline)
            raise
        _check(deadline)  # an answer without a length ends where the connection does
        return Received(status_code=got.status_code, headers=got.headers, content=content)


def retry_after_s(headers: Mapping[str, str], now: datetime, default_s: float) -> float:
    """Return the seconds that ``Retry-After`` asks to wait, given as seconds or as an HTTP date (RFC 9110, 10.2.3)."""
    text = headers.get("Retry-After", "").strip()
    seconds = _seconds(text) if text else None
    if seconds is None:
        seconds = _until(text, now) if text else None
    return default_s if seconds is None else min(MAX_WAIT_S, max(0.0, seconds))


def keep_quiet(*loggers: str) -> None:
    """Let HTTP's library and these loggers log nothing: what they say of a request holds the whole address."""
    for name in ("urllib3.connection", "urllib3.connectionpool", *loggers):
        logging.getLogger(name).addFilter(_nothing)


class Deadline:
    """Cuts the sockets it was given when its time has passed: no socket's timeout is total."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.has_passed = False
        self._handles: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "Deadline":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        for handle in self._handles:
            handle.close()

    def watch(self, made: socket.socket) -> None:
        """Cut this socket, too, when the time has passed, or now when it has."""
        self._handles.append(made.dup())  # TLS takes the socket over, but not its copy
        if self.has_passed:
            self._cut()

    def _cut(self) -> None:
        self.has_passed = True
        for handle in self._handles:
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """One call's way to the network, whose sockets are known to the deadline from their first byte on."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def __enter__(self) -> "_Adapter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        """Return the pool, whose connections the deadline watches."""
        pool: Any = super().get_connection_with_tls_context(*arguments, **options)
        kind: Any = pool.ConnectionCls

        class Watched(kind):  # type: ignore[misc]
            def _new_conn(connection) -> socket.socket:  # noqa: N805  the adapter is self
                made: socket.socket = super()._new_conn()
                self._deadline.watch(made)
                return made

        pool.ConnectionCls = Watched
        return pool


def _check(deadline: Deadline) -> None:
    if deadline.has_passed:
        raise OverdueError(f"no whole answer within {deadline.seconds:g} s")


def _whole(answer: requests.Response, max_bytes: int) -> bytes:
    body = bytearray()
    for block in answer.iter_content(64 * 1024):
        body += block
        if len(body) > max_bytes:
            raise UnboundedError(f"the answer is larger than {max_bytes} bytes")
    return bytes(body)


def _nothing(_record: logging.LogRecord) -> bool:
    return False


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if isfinite(seconds) else None


def _until(text: str, now: datetime) -> float | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # a date in "-0000" has no zone by RFC 5322; an HTTP date is always GMT
    return ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
