"""The socket: a small port, behind which libraries take turns (``transports/``).

Receiving is the dearest step of a tick's whole path. So messages are handed over in a callback, those of one read
together: no queue, no task switch, no UTF-8 decoding (the codec reads bytes), no compression unless asked for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol, TypeAlias

from nightdesk import __version__
from nightdesk.errors import RateLimitedError, UnavailableError
from nightdesk.outbound import retry_after_s

OnMessages: TypeAlias = Callable[[list[bytes]], None]
"""Takes messages that were read together, in order, at least one; must not raise."""

READ_BYTES: Final = 256 * 1024
"""So much is read at once: a flood must not keep the publisher from its turns, nor leave the processor's cache."""

USER_AGENT: Final = f"nightdesk/{__version__}"
MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
MAX_FRAGMENTS: Final = 4096
"""Of one message; empty ones would pass every limit on bytes."""

MAX_UNSENT_BYTES: Final = 1024 * 1024
"""What may wait to be sent: who pings and never reads the answers is left."""

OPEN_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 2.0
STAY_AWAY_S: Final = 60.0
"""How long to stay away after a 429 that does not say: Binance counts connection attempts over five minutes."""

_STAY_AWAY: Final = frozenset({418, 429})

UNREAD: Final = "the exchange does not read what we answer"
FRAGMENTED: Final = "a message in more fragments, or more bytes, than any exchange sends"

NO_CODE: Final = 1005
"""The closing handshake gave no code (RFC 6455, 7.1.5)."""
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

    async def pump(self, on_messages: OnMessages) -> Closed:
        """Hand every message to ``on_messages``, in order, until the connection closes."""

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
        ConfigurationError for an address that is none and for compression that the transport cannot do.
        """


class Reading:
    """Whether a connection reads, and how often it stopped."""

    def __init__(self, transport: asyncio.ReadTransport) -> None:
        self._transport = transport
        self.paused = False
        self.pauses = 0

    def pause(self) -> None:
        """Stop reading."""
        if not self.paused:
            self.paused = True
            self.pauses += 1
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self.paused:
            self.paused = False
            self._transport.resume_reading()


async def unanswered_ping(dial: Dial, reading: Reading, answered: Callable[[float], Awaitable[bool]]) -> str:
    """Ping at intervals; once a ping is not answered within its time, return that in words.

    A library's own pings do not know of ``pause``: a pong cannot be read then, and its absence says nothing.
    """
    while True:
        await asyncio.sleep(dial.ping_interval_s)
        pauses = reading.pauses
        if not reading.paused and not await answered(dial.ping_timeout_s) and pauses == reading.pauses:
            return f"no answer to a ping within {dial.ping_timeout_s:g} s"


def refused(status: int, headers: Mapping[str, str]) -> UnavailableError:
    """Return what an HTTP answer other than 101 to the opening handshake means."""
    text = f"the exchange refused the connection with HTTP {status}"
    if status not in _STAY_AWAY and "Retry-After" not in headers:
        return UnavailableError(text)
    asked_s = retry_after_s({"Retry-After": headers.get("Retry-After", "")}, datetime.now(UTC), STAY_AWAY_S)
    return RateLimitedError(f"{text}, wait {asked_s:g} s", asked_s)


def readable(error: BaseException) -> str:
    """Return an error in words, even one that has none."""
    return str(error) or type(error).__name__
