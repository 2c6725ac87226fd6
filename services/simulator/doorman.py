"""Who may come in, and in which language they are spoken to."""

from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlsplit

from websockets.http11 import Request, Response

from services.simulator.connection import Connection
from services.simulator.hub import Hub, Listener


class Language(Protocol):
    """How one exchange talks on its socket."""

    def opened(self, listener: Listener, target: str) -> None:
        """Greet a client; ``target`` is the path with its query."""

    def received(self, listener: Listener, text: str) -> None:
        """Take one message."""


class Doorman:
    """Lets clients in and passes what they say to the language of their path."""

    def __init__(
        self,
        *,
        hub: Hub,
        languages: Mapping[str, Language],
        language_of: Callable[[str], str],
        wall_ms: Callable[[], int],
    ) -> None:
        self._hub = hub
        self._languages = languages
        self._language_of = language_of
        self._wall_ms = wall_ms
        self._listeners: dict[Connection, Listener] = {}

    def admit(self, connection: Connection, request: Request) -> Response | None:
        """Refuse a handshake if a fault or a limit says so."""
        return None

    def opened(self, connection: Connection, target: str) -> None:
        """Open an account and greet."""
        name = self._language_of(urlsplit(target).path)
        listener = self._hub.join(connection, language=name, now_ms=self._wall_ms())
        self._listeners[connection] = listener
        self._languages[name].opened(listener, target)

    def received(self, connection: Connection, text: str) -> None:
        """Pass a message on."""
        listener = self._listeners[connection]
        self._languages[listener.language].received(listener, text)

    def closed(self, connection: Connection) -> None:
        """Close the account."""
        listener = self._listeners.pop(connection, None)
        if listener is not None:
            self._hub.leave(listener, self._wall_ms())
