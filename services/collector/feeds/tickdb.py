"""TickDB: ticker, depth and trade in the three dialects its documentation and articles show.

``cmd``, the default, is https://docs.tickdb.ai/en/websocket: one ``subscribe`` command a channel and a client's ping
each second. ``params`` is the older one: all channels in one command, and the server's ``{"type": "ping"}`` to answer.
``query`` names channels and symbols in the address. Pushes are read alike in all of them.

There are no sequence numbers, and no klines but over REST. A trade's ``id`` is not taken: it may be "0", and nobody
promises that ids are contiguous, so that a jump would look like a gap. A ticker is a quote where it names a bid or an
ask; where it names only the last price it proves that the symbol lives, and nothing more: nobody said that there was
a trade.
"""

from collections.abc import Callable, Sequence
from math import nan
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlencode

import msgspec

from nightdesk.errors import CodecError, ConfigurationError
from nightdesk.ticks import NO_ID, Kind, Quote, Side, Trade
from services.collector.book import Book
from services.collector.codec import Alive, Fatal, Keepalive, Reason, Received, Reject, Send, Subscription, receive_each
from services.collector.feeds.reading import (
    MAX_INT64,
    UNREADABLE,
    MaybePrice,
    Price,
    Size,
    reader,
    refusal,
)

CHANNELS: Final = {Kind.TRADE: "trade", Kind.QUOTE: "ticker", Kind.DEPTH: "depth"}
DIALECTS: Final = frozenset({"", "cmd", "params", "query"})
PING: Final = Keepalive(interval_s=1.0, text='{"cmd":"ping"}')
PONG: Final = Send('{"type":"pong"}')
HEARTBEAT_S: Final = 10.0
"""Each ping is answered; a few answers may be late."""

RATE_LIMITED: Final = 3001
SERVER_ERRORS: Final = range(5000, 6000)
RETRY_AFTER_S: Final = 60.0
"""When the exchange limits us without saying for how long: its limits are a minute's."""

SERVER_RETRY_S: Final = 10.0

SECONDS_BELOW: Final = 9e9
"""A time below is in seconds (until the year 2255), one above in milliseconds (since April 1970)."""

Moment: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=MAX_INT64 // 1_000_000)]
"""Unix seconds or milliseconds; as a double exact to the microsecond, which is finer than either is sent."""

_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}


class _Envelope(msgspec.Struct):
    cmd: str = ""
    channel: str = ""
    type: str = ""
    code: int = 0
    message: str = ""
    data: msgspec.Raw = msgspec.Raw()
    retry_after: float | None = None


class _Ticker(msgspec.Struct):
    symbol: str
    bid_price: MaybePrice | None = None
    ask_price: MaybePrice | None = None
    timestamp: Moment = 0.0


class _Depth(msgspec.Struct):
    symbol: str
    bids: list[tuple[MaybePrice, Size]] | None
    asks: list[tuple[MaybePrice, Size]] | None
    timestamp: Moment = 0.0


class _Trade(msgspec.Struct):
    price: Price
    quantity: Size
    side: str = ""
    timestamp: Moment = 0.0


class _Trades(msgspec.Struct):
    symbol: str
    trades: list[_Trade] | None = None


_read: Final = reader(_Envelope)
_read_ticker: Final = reader(_Ticker)
_read_depth: Final = reader(_Depth)
_read_trades: Final = reader(_Trades)
_read_flat_trade: Final = reader(_Trade)


class TickdbCodec:
    """The language of one connection."""

    lifetime_s: float | None = None
    heartbeat_s: float | None = None
    keepalive: Keepalive | None = None

    def __init__(self, subscription: Subscription) -> None:
        """Raise ConfigurationError for an unknown dialect, a missing key or a kind that is not sent."""
        _check(subscription)
        self._subscription = subscription
        self._channels = [CHANNELS[kind] for kind in sorted(subscription.kinds - {Kind.EVENT})]
        self._symbols = _by_echo(subscription.symbols)
        self._unconfirmed = len(self.opening())
        if subscription.dialect != "params":
            self.keepalive = PING
            self.heartbeat_s = HEARTBEAT_S
        self._pushes: dict[str, Callable[[bytes, int], Received]] = {
            "ticker": self._ticker,
            "depth": self._depth,
            "trade": self._trade,
        }

    def url(self) -> str:
        """Return the address with the key in its query, as the exchange wants it."""
        query = [("api_key", self._subscription.api_key)]
        if self._subscription.dialect == "query":
            query += [("channel", channel) for channel in self._channels]
            query += [("symbol", symbol) for symbol in self._subscription.symbols]
        return f"{self._subscription.ws_url}?{urlencode(query)}"

    def opening(self) -> Sequence[str]:
        """Return the subscriptions; their product type is left out, since symbols may be of several."""
        symbols = self._subscription.symbols
        if self._subscription.dialect == "query":
            return []
        if self._subscription.dialect == "params":
            return [_command({"params": {"channels": self._channels, "symbols": symbols}})]
        return [_command({"data": {"channel": channel, "symbols": symbols}}) for channel in self._channels]

    def ready(self) -> bool:
        """Return whether every subscription is confirmed; a push confirms what was not answered."""
        return self._unconfirmed == 0

    def receive(self, raw: bytes, received_ns: int) -> Received:
        """Read one message."""
        try:
            return self._receive(raw, received_ns)
        except UNREADABLE as error:
            raise refusal(error) from error

    def receive_all(self, raws: Sequence[bytes], received_ns: int, reject: Reject) -> Received:
        """Read messages that came together."""
        return receive_each(self.receive, raws, received_ns, reject)

    def fetched(self, key: str, body: bytes, received_ns: int) -> Received:  # noqa: ARG002 - the port's signature
        """Nothing is ever asked for over REST."""
        raise CodecError(Reason.UNKNOWN_TYPE, f"an answer to no question: {key[:40]}, {len(body)} bytes")

    def _receive(self, raw: bytes, received_ns: int) -> Received:
        message = _read(raw)
        if message.code:
            return (), (_refused(message),)
        name = message.cmd or message.channel or message.type
        push = self._pushes.get(name)
        if push is not None:
            ticks, controls = push(bytes(message.data) or raw, received_ns)
            self._unconfirmed = 0
            return ticks, controls
        return (), self._answer(name, is_answer=bool(message.message))

    def _answer(self, name: str, *, is_answer: bool) -> tuple[Alive | Send, ...]:
        if name == "ping":
            return (PONG, Alive())
        if name == "subscribe":
            self._unconfirmed = max(0, self._unconfirmed - 1)
        elif name not in {"pong", "unsubscribe"} and not is_answer:
            raise CodecError(Reason.UNKNOWN_TYPE, f"message {name[:40]!r}")
        return (Alive(),)

    def _symbol(self, echoed: str) -> str:
        """Return the subscribed symbol that the exchange means, which may leave its suffix out."""
        meant = self._symbols.get(echoed, ())
        if len(meant) == 1:
            return meant[0]
        reason = Reason.AMBIGUOUS_SYMBOL if meant else Reason.UNKNOWN_SYMBOL
        raise CodecError(reason, f"symbol {echoed[:40]} may be {' or '.join(meant) or 'none that is subscribed'}")

    def _ticker(self, data: bytes, received_ns: int) -> Received:
        ticker = _read_ticker(data)
        symbol = self._symbol(ticker.symbol)
        if not ticker.bid_price and not ticker.ask_price:
            return (), (Alive(symbol),)
        bid, ask = ticker.bid_price or nan, ticker.ask_price or nan
        return (Quote(symbol, NO_ID, bid, nan, ask, nan, _ns(ticker.timestamp), received_ns),), ()

    def _depth(self, data: bytes, received_ns: int) -> Received:
        depth = _read_depth(data)
        book = Book()
        book.replace(
            [level for level in depth.bids or () if level[0]], [level for level in depth.asks or () if level[0]]
        )
        tick = book.depth(
            self._symbol(depth.symbol),
            self._subscription.depth_levels,
            sequence=NO_ID,
            exchange_ns=_ns(depth.timestamp),
            received_ns=received_ns,
        )
        return (tick,), ()

    def _trade(self, data: bytes, received_ns: int) -> Received:
        pushed = _read_trades(data)
        symbol = self._symbol(pushed.symbol)
        trades = [_read_flat_trade(data)] if pushed.trades is None else pushed.trades
        ticks = [
            Trade(
                symbol=symbol,
                trade_id=NO_ID,
                price=trade.price,
                size=trade.quantity,
                side=_SIDES.get(trade.side, Side.UNKNOWN),
                exchange_ns=_ns(trade.timestamp),
                received_ns=received_ns,
            )
            for trade in trades
        ]
        return ticks, () if ticks else (Alive(symbol),)


def _check(subscription: Subscription) -> None:
    feed = subscription.feed
    if subscription.dialect not in DIALECTS:
        known = ", ".join(sorted(DIALECTS - {""}))
        raise ConfigurationError(f"feed {feed}: dialect {subscription.dialect!r} is none of {known}")
    if not subscription.api_key:
        raise ConfigurationError(f"feed {feed}: TickDB needs a key: set {feed.upper()}_API_KEY")
    unknown = subscription.kinds - CHANNELS.keys() - {Kind.EVENT}
    if unknown:
        names = ", ".join(sorted(kind.label for kind in unknown))
        raise ConfigurationError(f"feed {feed}: TickDB sends no {names}; its kinds are trade, quote and depth")


def _command(body: dict[str, object]) -> str:
    return msgspec.json.encode({"cmd": "subscribe", **body}).decode()


def _by_echo(symbols: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the subscribed symbols under every name they may come back by."""
    echoes: dict[str, tuple[str, ...]] = {}
    for symbol in symbols:
        bare = symbol.partition(".")[0]
        echoes[bare] = (*echoes.get(bare, ()), symbol)
    return echoes | {symbol: (symbol,) for symbol in symbols}


def _ns(moment: float) -> int:
    return round(moment * 1e6) * 1000 if moment < SECONDS_BELOW else round(moment * 1000) * 1000


def _refused(message: _Envelope) -> Fatal:
    cause = f"TickDB refuses {message.cmd[:40] or 'the connection'}: {message.code} {message.message[:200]}"
    if message.code == RATE_LIMITED:
        return Fatal(cause, retry_after_s=_retry_after_s(message), limited=True)
    return Fatal(cause, retry_after_s=SERVER_RETRY_S if message.code in SERVER_ERRORS else 0.0)


def _retry_after_s(message: _Envelope) -> float:
    seconds = message.retry_after
    return seconds if seconds is not None and 0 < seconds <= 3600 else RETRY_AFTER_S
