"""TickDB's side of a socket, in its three dialects: ``data``, the older ``params``, and all in the address."""

import json
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import parse_qs, urlsplit

from services.simulator.exchange import Exchange, Moment
from services.simulator.hub import Listener
from services.simulator.pace import multiples_between
from services.simulator.tampering import Sending
from services.simulator.tickdb import LEVELS, Command, TickdbError, Writer, check, command_of, topic

PATHS: Final = ("/v1/realtime", "/v1/market", "/v1/market/ws")
SERVER_PINGS_AT: Final = "/v1/market"
"""Where the older articles connect: there the server pings, in JSON, and wants an answer."""
SERVER_PING_MS: Final = 10_000
PONG_WITHIN_MS: Final = 60_000
DEPTH_MS: Final = 500
TICKER_MS: Final = 1000
EXPIRED_KEY: Final = "expired"
"""The one key that is refused; any other is good."""


class TickdbSocket:
    """Answers what TickDB's clients ask on their socket."""

    messages_per_s = 0

    def __init__(self, exchange: Exchange, *, want_sessions: Callable[[], None]) -> None:
        self._exchange = exchange
        self._hub = exchange.hub
        self._want_sessions = want_sessions
        self._ponged_ms: dict[Listener, int] = {}
        self._pinged_ms = 0

    def opened(self, listener: Listener, target: str) -> None:
        """Check the key and subscribe to what the address names."""
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        self._want_sessions()
        try:
            check_key(query.get("api_key", [""])[0])
            channels, symbols = query.get("channel", []), query.get("symbol", [])
            check(channels, symbols, self._exchange.listings)
        except TickdbError as error:
            self._tell(listener, {"code": error.code, "message": error.text})
            listener.line.close(1008)
            return
        self._subscribe(listener, channels, symbols)
        if parts.path.rstrip("/") == SERVER_PINGS_AT:
            self._ponged_ms[listener] = self._exchange.now_ms

    def received(self, listener: Listener, text: str) -> None:
        """Carry out one command and answer it."""
        try:
            command = command_of(_decoded(text), self._exchange.listings)
        except TickdbError as error:
            self._tell(listener, {"cmd": "error", "code": error.code, "message": error.text})
            return
        if command.name == "ping":
            self._tell(listener, {"cmd": "pong"})
        elif command.name == "pong":
            self._ponged_ms[listener] = self._exchange.now_ms
        else:
            self._carry_out(listener, command)

    def ping(self, now_ms: int) -> None:
        """Ping those whose dialect wants it, and leave those who do not answer."""
        if now_ms - self._pinged_ms < SERVER_PING_MS:
            return
        self._pinged_ms = now_ms
        for listener, ponged_ms in list(self._ponged_ms.items()):
            if listener.closed_ms is not None:
                del self._ponged_ms[listener]
            elif now_ms - ponged_ms > PONG_WITHIN_MS:
                listener.line.close(1001, "no pong")
            else:
                self._tell(listener, {"type": "ping"})

    def _carry_out(self, listener: Listener, command: Command) -> None:
        if command.name == "subscribe":
            self._subscribe(listener, command.channels, command.symbols)
        else:
            topics = [topic(channel, symbol) for channel in command.channels for symbol in command.symbols]
            self._hub.unsubscribe(listener, topics)
        data = {"channel": ",".join(command.channels), "symbols": command.symbols}
        self._tell(listener, {"cmd": command.name, "code": 0, "message": "success", "data": data})

    def _subscribe(self, listener: Listener, channels: Iterable[str], symbols: Iterable[str]) -> None:
        self._hub.subscribe(listener, [topic(channel, symbol) for channel in channels for symbol in list(symbols)])

    def _tell(self, listener: Listener, message: object) -> None:
        self._hub.tell(listener, json.dumps(message, separators=(",", ":")))


class TickdbPublisher:
    """Tells TickDB's listeners what happened."""

    def __init__(self, exchange: Exchange) -> None:
        self._hub = exchange.hub
        self._writers = {name: Writer(one.market.instrument) for name, one in exchange.listings.items()}

    def publish(self, moment: Moment) -> None:
        """Publish one symbol's step on every channel somebody listens to."""
        market = moment.listing.market
        writer = self._writers[moment.listing.symbol]
        if moment.prints and self._wanted(moment, "trade"):
            first_id = None if writer.bound else moment.prints.first_id
            self._send(moment, "trade", "trade", writer.trades(list(moment.prints)), first_id)
        if multiples_between(moment.from_ms, moment.to_ms, DEPTH_MS) and self._wanted(moment, "depth"):
            self._send(moment, "depth", "depth", [writer.depth(market.book.snapshot(LEVELS), moment.to_ms)])
        last = market.candles.latest()
        if last and multiples_between(moment.from_ms, moment.to_ms, TICKER_MS) and self._wanted(moment, "ticker"):
            self._send(moment, "ticker", "quote", [writer.ticker(last, market.top(), moment.to_ms)])

    def _wanted(self, moment: Moment, channel: str) -> bool:
        return self._hub.wanted(topic(channel, moment.listing.symbol))

    def _send(self, moment: Moment, channel: str, kind: str, texts: list[str], first_id: int | None = None) -> None:
        symbol = moment.listing.symbol
        self._hub.publish(Sending(topic(channel, symbol), symbol, kind, texts, first_id), moment.to_ms)


def speaks_tickdb(path: str) -> bool:
    """Return whether a path is one of TickDB's."""
    return path.rstrip("/") in PATHS


def check_key(key: str) -> None:
    """Raise TickdbError unless the key is good."""
    if not key:
        raise TickdbError(1002, "Token is required")
    if key == EXPIRED_KEY:
        raise TickdbError(1001, "Invalid or expired token")


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TickdbError(4002, f"Invalid message format: {error}"[:200]) from error
