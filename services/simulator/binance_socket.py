"""Binance's side of a socket: subscriptions by URL or by message."""

import json
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs, urlsplit

from services.simulator.binance import BadRequestError, Request, request_of
from services.simulator.hub import Hub, Listener

STREAMS_MOST: Final = 1024
"""Streams a connection may hear."""
LIFETIME_MS: Final = 24 * 3600 * 1000
"""How long a connection may live; the fault ``rollover`` is for who cannot wait."""


class BinanceSocket:
    """Answers what Binance's clients ask on their socket."""

    messages_per_s = 5

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def opened(self, listener: Listener, target: str) -> None:
        """Subscribe to what the URL names: ``/ws/a/b`` plain, ``/stream?streams=a/b`` wrapped."""
        listener.closing = (listener.since_ms + LIFETIME_MS, 1001, "24 hours are over")
        parts = urlsplit(target)
        listener.wrapped = parts.path.rstrip("/").endswith("/stream")
        named = parse_qs(parts.query).get("streams", [""])[0] if listener.wrapped else parts.path.partition("/ws/")[2]
        names = [name for name in named.split("/") if name]
        if len(names) > STREAMS_MOST:
            listener.line.close(1008, "too many streams")
            return
        self._hub.subscribe(listener, names)

    def received(self, listener: Listener, text: str) -> None:
        """Carry out one request and answer it."""
        try:
            request = request_of(_decoded(text))
            answer: dict[str, object] = {"result": self._carry_out(listener, request), "id": request.id}
        except BadRequestError as error:
            answer = {"code": error.code, "msg": error.text, "id": error.request_id}
        self._hub.tell(listener, json.dumps(answer, separators=(",", ":")))

    def _carry_out(self, listener: Listener, request: Request) -> object:
        carry_out: dict[str, Callable[[Listener, Request], object]] = {
            "SUBSCRIBE": self._subscribe,
            "UNSUBSCRIBE": self._unsubscribe,
            "LIST_SUBSCRIPTIONS": lambda one, _request: list(one.topics),
            "SET_PROPERTY": _set_property,
            "GET_PROPERTY": lambda one, _request: one.wrapped,
        }
        return carry_out[request.method](listener, request)

    def _subscribe(self, listener: Listener, request: Request) -> None:
        if len(listener.topics.keys() | set(request.params)) > STREAMS_MOST:
            raise BadRequestError(2, f"Invalid request: more than {STREAMS_MOST} streams", request.id)
        self._hub.subscribe(listener, request.params)

    def _unsubscribe(self, listener: Listener, request: Request) -> None:
        self._hub.unsubscribe(listener, request.params)


def _set_property(listener: Listener, request: Request) -> None:
    if len(request.params) != 2 or request.params[0] != "combined" or request.params[1] not in {"True", "False"}:
        raise BadRequestError(0, "Unknown property", request.id)
    listener.wrapped = request.params[1] == "True"


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(3, f"Invalid JSON: {error}"[:200]) from error
