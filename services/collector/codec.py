"""The codec port: what one exchange's language has to offer to the generic session.

A codec is pure: no I/O, no clock, no randomness. One instance serves one connection and may keep that connection's
state (books, last ids). The session feeds it raw messages and carries out what it asks for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

import msgspec

from nightdesk.ticks import Kind, Tick


class Reason(StrEnum):
    """Why a codec cannot read a message: the closed set of labels a ``CodecError`` of a feed carries."""

    NOT_JSON = "not_json"
    WRONG_SHAPE = "wrong_shape"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_SYMBOL = "unknown_symbol"
    AMBIGUOUS_SYMBOL = "ambiguous_symbol"
    ERROR_REPLY = "error_reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What one feed collects. Symbols are the exchange's own, in the case the exchange prints them."""

    feed: str
    ws_url: str
    rest_url: str
    symbols: tuple[str, ...]
    kinds: frozenset[Kind]
    depth_levels: int = 10
    kline_interval: str = "1m"
    dialect: str = ""
    api_key: str = ""


class Fetch(msgspec.Struct, frozen=True):
    """Ask the session for a REST answer; it comes back through ``Codec.fetched`` under the same key.

    ``url`` is absolute, ``weight`` what it costs of the exchange's rate budget. The session retries until the
    connection ends, honouring ``Retry-After``. ``headers`` may carry a credential and are never logged.
    """

    key: str
    url: str
    weight: int = 1
    headers: tuple[tuple[str, str], ...] = ()


class Send(msgspec.Struct, frozen=True):
    """Send this text to the exchange (an answer to its ping, a subscription in reply to a greeting)."""

    text: str


class Alive(msgspec.Struct, frozen=True):
    """The channel proved itself alive: a heartbeat or an acknowledgement, for one symbol or for all ("")."""

    symbol: str = ""


class Rollover(msgspec.Struct, frozen=True):
    """The exchange asks for a new connection soon; the session opens it before it leaves this one."""

    cause: str


class Fatal(msgspec.Struct, frozen=True):
    """The exchange refuses what we asked (credentials, symbol limit); ``cause`` is one readable line.

    The session closes, reports and retries with its longest delay: only a human or the exchange can mend it.
    ``retry_after_s`` is above 0 when the exchange named a waiting time, ``limited`` when we asked too often.
    """

    cause: str
    retry_after_s: float = 0.0
    limited: bool = False


Control: TypeAlias = Fetch | Send | Alive | Rollover | Fatal
Received: TypeAlias = tuple[Sequence[Tick], Sequence[Control]]
Receive: TypeAlias = Callable[[bytes, int], Received]
Reject: TypeAlias = Callable[[Exception, bytes], None]
"""Takes what a message could not be read for, and the message."""


class Keepalive(msgspec.Struct, frozen=True):
    """An application-level ping: ``text`` every ``interval_s`` seconds."""

    interval_s: float
    text: str


class Codec(Protocol):
    """One exchange's language, for one connection."""

    lifetime_s: float | None
    """How long the exchange lets a connection live, less a margin; None where it does not say."""

    heartbeat_s: float | None
    """The longest silence of a healthy connection in seconds where the exchange promises one, else None."""

    keepalive: Keepalive | None

    def url(self) -> str:
        """Return where to connect; may carry a credential, so it is never logged."""

    def opening(self) -> Sequence[str]:
        """Return the messages to send once connected."""

    def receive(self, raw: bytes, received_ns: int) -> Received:
        """Read one message. Raises CodecError, with a closed reason, for one it cannot read."""

    def receive_all(self, raws: Sequence[bytes], received_ns: int, reject: Reject) -> Received:
        """Read messages that came together: what ``receive`` finds in each, one after the other.

        Every message that ``receive`` would raise for goes to ``reject``, whatever it raises. ``receive_each`` is
        enough; a codec has its own where that is faster.
        """

    def fetched(self, key: str, body: bytes, received_ns: int) -> Received:
        """Read the answer to a ``Fetch``. Raises CodecError when it cannot; the session then asks again."""

    def ready(self) -> bool:
        """Return whether every subscription is confirmed and every book is synchronised."""


def receive_each(receive: Receive, raws: Sequence[bytes], received_ns: int, reject: Reject) -> Received:
    """Read messages one by one (``Codec.receive_all``)."""
    ticks: list[Tick] = []
    controls: list[Control] = []
    for raw in raws:
        try:
            found, asked = receive(raw, received_ns)
        except Exception as error:  # noqa: BLE001  a defect in a codec must not end the session
            reject(error, raw)
        else:
            ticks += found
            controls += asked
    return ticks, controls
