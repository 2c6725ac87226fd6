"""Who listens to what, and what was sent to whom."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from services.simulator.runs import Runs
from services.simulator.tampering import Piece, Sending, Tampering
from services.simulator.wire import frames

REMEMBERED: Final = 200
"""Closed connections whose account is kept for ``/sim/state``."""


class Line(Protocol):
    """The way to one client."""

    @property
    def open(self) -> bool:
        """Whether messages can be sent."""

    @property
    def waiting_bytes(self) -> int:
        """What the client has not taken yet."""

    def queue(self, data: bytes) -> None:
        """Take ready frames for the next flush."""

    def flush(self) -> bool:
        """Send what is queued; False when the client was cut off as too slow."""

    def close(self, code: int, reason: str = "") -> None:
        """End the connection in good form."""

    def abort(self) -> None:
        """Drop the connection without a word."""

    def stop_reading(self, seconds: float) -> None:
        """Leave what the client sends unread for a while."""


@dataclass(slots=True, eq=False)
class Listener:
    """One client and its account: since when, what it asked for, which trades went out to it."""

    listener_id: int
    line: Line
    since_ms: int
    language: str
    wrapped: bool = False
    """Whether its messages are wrapped as ``{"stream", "data"}``."""
    topics: dict[str, None] = field(default_factory=dict)
    first_trade_id: dict[str, int] = field(default_factory=dict)
    last_trade_id: dict[str, int] = field(default_factory=dict)
    trade_ids: dict[str, Runs] = field(default_factory=dict)
    messages: Counter[str] = field(default_factory=Counter)
    """How many of each kind of message went out."""
    messages_sent: int = 0
    muted_until_ms: int = 0
    closing: tuple[int, int, str] | None = None
    """When the server will close it, with which code and reason."""
    closed_ms: int | None = None

    def as_json(self) -> dict[str, object]:
        """Return the account as ``/sim/state`` shows it."""
        return {
            "id": self.listener_id,
            "language": self.language,
            "since": self.since_ms / 1000,
            "closed": None if self.closed_ms is None else self.closed_ms / 1000,
            "subscriptions": list(self.topics),
            "messages_sent": self.messages_sent,
            "messages": dict(self.messages),
            "waiting_bytes": self.line.waiting_bytes if self.closed_ms is None else 0,
            "first_trade_id": self.first_trade_id,
            "last_trade_id": self.last_trade_id,
            "trade_ids": {symbol: runs.as_json() for symbol, runs in self.trade_ids.items()},
        }


class Hub:
    """Brings every message to everyone who asked for its topic; makes each frame once."""

    def __init__(self, tampering: Tampering) -> None:
        self._tampering = tampering
        self._listeners: dict[int, Listener] = {}
        self._topics: dict[str, dict[int, Listener]] = {}
        self._next_id = 1
        self.recent: deque[Listener] = deque(maxlen=REMEMBERED)
        self.messages_sent = 0
        self.cut_off = 0
        self.opened = 0

    @property
    def listeners(self) -> list[Listener]:
        """Everyone connected, oldest first."""
        return list(self._listeners.values())

    def join(self, line: Line, *, language: str, now_ms: int) -> Listener:
        """Open an account for a client."""
        listener = Listener(self._next_id, line, now_ms, language)
        self._next_id += 1
        self.opened += 1
        self._listeners[listener.listener_id] = listener
        return listener

    def leave(self, listener: Listener, now_ms: int) -> None:
        """Close a client's account; it stays readable for a while."""
        for topic in listener.topics:
            self._drop(listener, topic)
        listener.closed_ms = now_ms
        if self._listeners.pop(listener.listener_id, None):
            self.recent.append(listener)

    def subscribe(self, listener: Listener, topics: Iterable[str]) -> None:
        """Add topics to what a client hears."""
        for topic in topics:
            listener.topics[topic] = None
            self._topics.setdefault(topic, {})[listener.listener_id] = listener

    def unsubscribe(self, listener: Listener, topics: Iterable[str]) -> None:
        """Take topics away."""
        for topic in topics:
            if listener.topics.pop(topic, ...) is None:
                self._drop(listener, topic)

    def wanted(self, topic: str) -> bool:
        """Return whether anyone listens to a topic."""
        return topic in self._topics

    def publish(self, sending: Sending, now_ms: int) -> None:
        """Queue messages for everyone who listens to their topic."""
        listeners = self._topics.get(sending.topic)
        if not listeners or not sending.texts:
            return
        tampered = self._tampering.apply(sending, now_ms)
        made: dict[bool, bytes] = {}
        for listener in listeners.values():
            if listener.muted_until_ms > now_ms or not listener.line.open:
                continue
            data = made.get(listener.wrapped)
            if data is None:
                data = made[listener.wrapped] = _frames(sending, tampered, wrapped=listener.wrapped)
            listener.line.queue(data)
            self._account(listener, sending, tampered)

    def tell(self, listener: Listener, text: str) -> None:
        """Send one client a text at once."""
        if listener.line.open:
            listener.line.queue(frames([text]))
            listener.messages_sent += 1
            self.messages_sent += 1
            self._flush(listener)

    def flush(self) -> None:
        """Send what is queued; clients that read too slowly are cut off."""
        for listener in self.listeners:
            self._flush(listener)

    def close_due(self, now_ms: int) -> None:
        """Close what was announced to be closed by now."""
        for listener in self.listeners:
            if listener.closing is not None and now_ms >= listener.closing[0]:
                _, code, reason = listener.closing
                listener.closing = None
                listener.line.close(code, reason)

    def most_waiting_bytes(self) -> int:
        """Return how far the slowest client is behind."""
        return max((one.line.waiting_bytes for one in self._listeners.values()), default=0)

    def _flush(self, listener: Listener) -> None:
        if not listener.line.flush():
            self.cut_off += 1

    def _account(self, listener: Listener, sending: Sending, tampered: list[Piece] | None) -> None:
        count = len(sending.texts) if tampered is None else len(tampered)
        listener.messages[sending.kind] += count
        listener.messages_sent += count
        self.messages_sent += count
        if sending.first_id is None:
            return
        ids = [piece.trade_id for piece in tampered or () if piece.trade_id is not None]
        if tampered is None:
            self._note(listener, sending.symbol, sending.first_id, sending.first_id + count - 1)
        for trade_id in ids:
            self._note(listener, sending.symbol, trade_id, trade_id)

    def _note(self, listener: Listener, symbol: str, first: int, last: int) -> None:
        listener.first_trade_id[symbol] = min(first, listener.first_trade_id.get(symbol, first))
        listener.last_trade_id[symbol] = max(last, listener.last_trade_id.get(symbol, last))
        listener.trade_ids.setdefault(symbol, Runs()).add(first, last)

    def _drop(self, listener: Listener, topic: str) -> None:
        heard = self._topics.get(topic, {})
        heard.pop(listener.listener_id, None)
        if not heard:
            self._topics.pop(topic, None)


def _frames(sending: Sending, tampered: list[Piece] | None, *, wrapped: bool) -> bytes:
    head, tail = (f'{{"stream":"{sending.topic}","data":', "}") if wrapped else ("", "")
    if tampered is None:
        return frames(sending.texts, head, tail)
    return frames([(head if p.head else "") + p.text + (tail if p.tail else "") for p in tampered])
