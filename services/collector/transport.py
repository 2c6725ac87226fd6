"""The socket: a small port, and its implementation with ``websockets``.

Receiving is the dearest step of a tick's whole path. So messages are handed over in a callback while the received
bytes are parsed: no queue, no task switch, no UTF-8 decoding (the codec reads bytes), no compression unless asked for.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeAlias

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException
from websockets.frames import CONT, DATA_OPCODES
from websockets.http11 import Response

from nightdesk import __version__
from nightdesk.errors import ConfigurationError, RateLimitedError, UnavailableError
from nightdesk.exchanges.budget import retry_after_s

OnMessage: TypeAlias = Callable[[bytes], None]
"""Takes one message; must not raise."""

USER_AGENT: Final = f"nightdesk/{__version__}"
MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
OPEN_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 2.0
STAY_AWAY_S: Final = 60.0
"""How long to stay away after a 429 that does not say: Binance counts connection attempts over five minutes."""

_STAY_AWAY: Final = frozenset({418, 429})

ABNORMAL: Final = 1006
"""The connection ended without a closing handshake (RFC 6455, 7.1.5)."""


@dataclass(frozen=True, slots=True)
class Closed:
    """How a connection ended: the WebSocket close code and one readable reason."""

    code: int
    reason: str


class Socket(Protocol):
    """One open connection."""

    async def send(self, text: str) -> None:
        """Send a text message; raises UnavailableError once the connection is closed."""

    async def pump(self, on_message: OnMessage) -> Closed:
        """Hand every message to ``on_message``, in order, until the connection closes."""

    def pause(self) -> None:
        """Stop reading: the exchange's messages wait in the network's buffers."""

    def resume(self) -> None:
        """Read again."""

    async def close(self) -> None:
        """Close the connection; does nothing on a closed one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """How to open a connection: seconds between pings, seconds to wait for the answer, and compression if any."""

    ping_interval_s: float = 20.0
    ping_timeout_s: float = 20.0
    open_timeout_s: float = OPEN_TIMEOUT_S
    compression: str | None = None


class Connect(Protocol):
    """Opens a connection."""

    async def __call__(self, url: str, dial: Dial) -> Socket:
        """Return an open connection.

        Raises RateLimitedError when the exchange asks to stay away, UnavailableError when it cannot be reached,
        ConfigurationError for an address that is none.
        """


async def connect_websockets(url: str, dial: Dial) -> Socket:
    """Open a connection with ``websockets``."""
    try:
        connection = await connect(
            url,
            create_connection=_Direct,
            compression=dial.compression,
            user_agent_header=USER_AGENT,
            open_timeout=dial.open_timeout_s,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,
            max_size=MAX_MESSAGE_BYTES,
            # The socket is paused by the session, on the publisher's word, and never by a full queue of frames.
            max_queue=None,
        )
    except InvalidStatus as error:
        raise _refused(error.response) from error
    except InvalidURI as error:
        raise ConfigurationError(f"no WebSocket address: {error.msg}") from error
    except (OSError, TimeoutError, EOFError, WebSocketException) as error:
        raise UnavailableError(f"cannot connect: {_readable(error)}") from error
    assert isinstance(connection, _Direct)  # noqa: S101  create_connection above says so
    return _WebSocket(connection, dial)


TRANSPORTS: Final[dict[str, Connect]] = {
    "websockets": connect_websockets,
}
"""The transports by the name that ``TRANSPORT`` uses for them."""


class _Direct(ClientConnection):
    """A connection that hands over each message as soon as its last frame is parsed.

    The library's ``recv`` passes a queue and wakes a task for each burst; without them receiving is a third cheaper.
    What arrives before ``deliver_to`` waits in the library's own queue.
    """

    _deliver: OnMessage | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  passed on as they come
        super().__init__(*arguments, **options)
        self._parts: list[bytes | bytearray] = []

    async def deliver_to(self, on_message: OnMessage) -> None:
        """Hand over what waits already and, from now on, everything at once."""
        while len(self.recv_messages.frames):
            on_message(await self.recv(decode=False))
        self._deliver = on_message

    def process_event(self, event: Any) -> None:  # noqa: ANN401  a Response, then Frames
        """Take one parsed frame."""
        deliver = self._deliver
        if deliver is None or event.opcode not in DATA_OPCODES:
            super().process_event(event)
        elif event.fin and event.opcode is not CONT:
            deliver(bytes(event.data))
        else:
            self._parts.append(event.data)
            if event.fin:
                parts, self._parts = self._parts, []
                deliver(b"".join(parts))


class _WebSocket:
    def __init__(self, connection: _Direct, dial: Dial) -> None:
        self._connection = connection
        self._dial = dial
        self._paused = False
        self._pauses = 0
        self._lost = ""

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise UnavailableError(f"the connection is closed: {_readable(error)}") from error

    async def pump(self, on_message: OnMessage) -> Closed:
        pings = asyncio.create_task(self._ping())
        try:
            with contextlib.suppress(ConnectionClosed):
                await self._connection.deliver_to(on_message)
            await self._connection.wait_closed()
        finally:
            pings.cancel()
        code, reason = self._connection.close_code, self._connection.close_reason
        return Closed(ABNORMAL if code is None else code, self._lost or reason or "")

    def pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._pauses += 1
            self._connection.transport.pause_reading()

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self._connection.transport.resume_reading()

    async def close(self) -> None:
        self.resume()
        await self._connection.close()

    async def _ping(self) -> None:
        """Ping at intervals and end a connection that does not answer.

        The library's own pings do not know of ``pause``: a pong cannot be read then, and its absence says nothing.
        """
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(self._dial.ping_interval_s)
                pauses = self._pauses
                if self._paused or await self._answered():
                    continue
                if pauses == self._pauses:
                    self._lost = f"no answer to a ping within {self._dial.ping_timeout_s:g} s"
                    self._connection.transport.abort()
                    return

    async def _answered(self) -> bool:
        pong = asyncio.ensure_future(await self._connection.ping())
        done, _ = await asyncio.wait([pong], timeout=self._dial.ping_timeout_s)
        return bool(done)


def _refused(response: Response) -> UnavailableError:
    status = response.status_code
    text = f"the exchange refused the connection with HTTP {status}"
    if status not in _STAY_AWAY and "Retry-After" not in response.headers:
        return UnavailableError(text)
    asked_s = retry_after_s({"Retry-After": response.headers.get("Retry-After", "")}, datetime.now(UTC), STAY_AWAY_S)
    return RateLimitedError(f"{text}, wait {asked_s:g} s", asked_s)


def _readable(error: BaseException) -> str:
    return str(error) or type(error).__name__
