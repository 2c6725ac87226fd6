"""How the HTTP servers that speak for a living (uvicorn) treat clients that dawdle, flood or never end.

uvicorn closes idle connections between requests, and nothing else: a head that trickles in, an answer that nobody reads
and a body without an end are held for ever. Headers are bounded by ``MAX_HEAD_BYTES``, passed to uvicorn.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import h11
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_HEAD_BYTES: Final = 16 * 1024
MAX_BODY_BYTES: Final = 64 * 1024
BODY_WITHIN_S: Final = 10.0
LINGER_S: Final = 1.0
"""How long an answer may take to arrive where the client is still sending; then the connection is cut."""


class PatientProtocol(H11Protocol):
    """One connection, whose client is looked at every ``look_s`` seconds and cut off when nothing moved since.

    One connection more than ``max_connections`` costs the oldest that waits for a request its place, so that many slow
    clients never keep a quick one out.
    """

    look_s: ClassVar[float] = 10.0
    max_connections: ClassVar[int] = 400

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  uvicorn's own
        super().__init__(*arguments, **options)
        self._looking: asyncio.TimerHandle | None = None
        self._unsent_bytes = 0
        self._served: object = None
        self._opened_s = self.loop.time()

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a client, and make room for it."""
        super().connection_made(transport)
        self._looking = self.loop.call_later(self.look_s, self._look)
        if len(self.connections) > self.max_connections:
            self._make_room()

    def on_response_complete(self) -> None:
        """Go on to the next request, unless the client still sends what nobody asked for."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self.flow.pause_reading()
            self.loop.call_later(LINGER_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        if self._looking is not None:
            self._looking.cancel()
        super().connection_lost(exc)

    def _make_room(self) -> None:
        clients = [one for one in self.connections if isinstance(one, PatientProtocol)]
        if len(clients) > self.max_connections:
            waiting = (one for one in clients if not one.is_busy)
            min(waiting, key=lambda one: one._opened_s, default=self).transport.abort()  # noqa: SLF001  its own kind

    def _look(self) -> None:
        if self not in self.connections:
            return  # a WebSocket has it now
        unsent_bytes = self.transport.get_write_buffer_size()
        is_unread = 0 < self._unsent_bytes <= unsent_bytes
        is_silent = not self.is_busy and not unsent_bytes and self._served is self.cycle
        if is_unread or is_silent:
            self.transport.abort()
            return
        self._unsent_bytes = unsent_bytes
        self._served = object() if self.is_busy else self.cycle
        self._looking = self.loop.call_later(self.look_s, self._look)


SHUTDOWN_S: Final = 5
SERVER: Final[dict[str, Any]] = {
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "http": PatientProtocol,
    "ws": "none",
    "h11_max_incomplete_event_size": MAX_HEAD_BYTES,
    "timeout_graceful_shutdown": SHUTDOWN_S,
}
"""How uvicorn serves every service that speaks HTTP for a living."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """How large a body may be, and how long it may take to arrive."""

    max_bytes: int
    within_s: float


class BoundedBody:
    """Refuse a body larger than ``MAX_BODY_BYTES`` (413), or not whole ``BODY_WITHIN_S`` after its request (408).

    ``larger`` are the bounds of the paths that take files.
    """

    def __init__(self, app: ASGIApp, larger: Mapping[str, Bound] | None = None) -> None:
        self._app = app
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on with a body that has an end."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bound = self._larger.get(scope["path"]) or Bound(max_bytes=MAX_BODY_BYTES, within_s=BODY_WITHIN_S)
        until_s = asyncio.get_running_loop().time() + bound.within_s
        size, is_whole = 0, False

        async def bounded() -> Message:
            nonlocal size, is_whole
            if is_whole:
                return await receive()  # which waits for the client's going, however long it stays
            try:
                async with asyncio.timeout_at(until_s):
                    message = await receive()
            except TimeoutError as error:
                raise _refusal(408, f"the body did not arrive within {bound.within_s:g} s") from error
            size += len(message.get("body", b""))
            if size > bound.max_bytes:
                raise _refusal(413, f"the body is larger than {bound.max_bytes} bytes")
            is_whole = not message.get("more_body", False)
            return message

        await self._app(scope, bounded, send)


def _refusal(status: int, detail: str) -> HTTPException:
    return HTTPException(status, detail, {"Connection": "close"})
