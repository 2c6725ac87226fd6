"""Who may come in, and in which language they are spoken to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import urlsplit

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from services.simulator.connection import Connection
from services.simulator.faults import FOR_EVER_MS, AcceptThenClose, Board, Refuse
from services.simulator.hub import Hub, Listener
from services.simulator.limits import SlidingWindow, Windows

ATTEMPTS_SPAN_S: Final = 300.0
PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


class Language(Protocol):
    """How one exchange talks on its socket."""

    messages_per_s: int
    """How many messages a client may send in a second; 0 for no limit."""

    def opened(self, listener: Listener, target: str) -> None:
        """Greet a client; ``target`` is the path with its query."""

    def received(self, listener: Listener, text: str) -> None:
        """Take one message."""


@dataclass(frozen=True, slots=True)
class _Guest:
    listener: Listener
    language: Language
    messages: SlidingWindow


class Doorman:
    """Lets clients in and passes what they say to the language of their path."""

    def __init__(
        self,
        *,
        hub: Hub,
        board: Board,
        languages: Mapping[str, Language],
        language_of: Callable[[str], str],
        wall_ms: Callable[[], int],
        attempts_per_5min: int,
    ) -> None:
        self._hub = hub
        self._board = board
        self._languages = languages
        self._language_of = language_of
        self._wall_ms = wall_ms
        self._attempts = Windows(attempts_per_5min, ATTEMPTS_SPAN_S)
        self._guests: dict[Connection, _Guest] = {}

    def admit(self, connection: Connection, _request: Request) -> Response | None:
        """Refuse a handshake if a fault or the limit of attempts says so."""
        now_ms = self._wall_ms()
        refuse = self._board.use(Refuse, now_ms)
        if refuse is not None and refuse.status is None:
            connection.reset()
        elif refuse is not None and refuse.status is not None:
            return _refusal(refuse.status)
        elif not self._attempts.admits(connection.address, now_ms / 1000):
            return _refusal(429)
        return None

    def opened(self, connection: Connection, target: str) -> None:
        """Open an account and greet."""
        now_ms = self._wall_ms()
        name = self._language_of(urlsplit(target).path)
        language = self._languages[name]
        listener = self._hub.join(connection, language=name, now_ms=now_ms)
        self._guests[connection] = _Guest(listener, language, SlidingWindow(language.messages_per_s, 1.0))
        fault = self._board.use(AcceptThenClose, now_ms)
        if fault is not None and not fault.after_s:
            connection.close(fault.code)
            return
        language.opened(listener, target)
        if fault is not None:
            listener.muted_until_ms = FOR_EVER_MS
            listener.closing = (now_ms + round(fault.after_s * 1000), fault.code, "")

    def received(self, connection: Connection, text: str) -> None:
        """Pass a message on; who says too much is shown out."""
        guest = self._guests[connection]
        if guest.messages.admits(self._wall_ms() / 1000):
            guest.language.received(guest.listener, text)
        else:
            connection.close(1008, "Too many requests")

    def closed(self, connection: Connection) -> None:
        """Close the account."""
        guest = self._guests.pop(connection, None)
        if guest is not None:
            self._hub.leave(guest.listener, self._wall_ms())


def _refusal(status: int) -> Response:
    phrase = PHRASES.get(status, "Refused")
    body = f"{status} {phrase}\n".encode()
    headers = Headers({"Content-Length": str(len(body)), "Content-Type": "text/plain", "Connection": "close"})
    return Response(status, phrase, headers, body)
