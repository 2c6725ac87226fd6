"""Coinbase Exchange: matches, ticker, level 2 and heartbeat.

Source: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels.

Level 2 has no sequence numbers: a message that cannot be read may have been a change of any book, so all books are
doubted and their snapshots asked for again.
"""

from collections.abc import Callable, Sequence
from math import nan
from typing import Any, Final, Literal, TypeAlias

import msgspec

from nightdesk.errors import CodecError, ConfigurationError
from nightdesk.ticks import NO_ID, NO_TIME, Depth, Event, EventName, Kind, Quote, Side, Tick, Trade
from services.collector.book import Book, synchronised
from services.collector.codec import Alive, Fatal, Keepalive, Reason, Received, Reject, Send, Subscription, receive_each
from services.collector.feeds.reading import UNREADABLE, Id, Level, MaybePrice, Price, Size, reader, refusal, time_ns

HEARTBEAT_S: Final = 5.0
"""One is promised each second and product; a few may be late."""

RENEWAL_NS: Final = 10_000_000_000
"""The books are asked for again at most every ten seconds: snapshots are large and take their time."""

BOOK_CHANNEL: Final = "level2_batch"
HEARTBEAT_CHANNEL: Final = "heartbeat"
CHANNELS: Final = {Kind.TRADE: "matches", Kind.QUOTE: "ticker", Kind.DEPTH: BOOK_CHANNEL}

MakerSide: TypeAlias = Literal["buy", "sell"]
Change: TypeAlias = tuple[MakerSide, Price, Size]

_TAKER: Final[dict[str, Side]] = {"buy": Side.SELL, "sell": Side.BUY}
"""The feed names the maker's side; the taker took the other."""


class _Message(msgspec.Struct, tag_field="type"):
    """Anything the feed sends; ``type`` says which."""


class _Match(_Message, tag="match", gc=False):
    product_id: str
    trade_id: Id
    price: Price
    size: Size
    side: MakerSide
    time: str


class _LastMatch(_Match, tag="last_match", gc=False):
    """The latest trade before the subscription: where the ids start from."""


class _Ticker(_Message, tag="ticker", gc=False):
    product_id: str
    best_bid: MaybePrice
    best_ask: MaybePrice
    sequence: Id | None = None
    best_bid_size: Size | None = None
    best_ask_size: Size | None = None
    time: str = ""


class _Snapshot(_Message, tag="snapshot", gc=False):
    product_id: str
    bids: list[Level]
    asks: list[Level]
    time: str = ""


class _Update(_Message, tag="l2update", gc=False):
    product_id: str
    changes: list[Change]
    time: str = ""


class _Heartbeat(_Message, tag="heartbeat", gc=False):
    product_id: str
    last_trade_id: Id = 0


class _Subscriptions(_Message, tag="subscriptions"):
    """What is subscribed by now."""


class _Error(_Message, tag="error"):
    message: str = ""
    reason: str = ""


class _Named(msgspec.Struct):
    type: str


_KNOWN: Final = _Match | _LastMatch | _Ticker | _Snapshot | _Update | _Heartbeat | _Subscriptions | _Error
_TYPES: Final = frozenset(
    ("match", "last_match", "ticker", "snapshot", "l2update", "heartbeat", "subscriptions", "error")
)
_read: Final[Callable[[bytes], Any]] = msgspec.json.Decoder(_KNOWN, strict=False).decode
_read_name: Final = reader(_Named)


class Product:
    """What one connection knows of one product."""

    __slots__ = ("announced_id", "book", "last", "symbol")

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.last: Trade | None = None
        self.announced_id = NO_ID
        self.book: Book | None = None


class CoinbaseCodec:
    """The language of one connection."""

    lifetime_s: float | None = None
    heartbeat_s: float | None = HEARTBEAT_S
    keepalive: Keepalive | None = None

    def __init__(self, subscription: Subscription) -> None:
        """Raise ConfigurationError for a kind the exchange does not send."""
        _check(subscription)
        self._subscription = subscription
        self._products = {symbol: Product(symbol) for symbol in subscription.symbols}
        self._is_confirmed = False
        self._is_doubtful = False
        self._wants_books = False
        self._renewed_ns = NO_TIME
        self._handlers: dict[type, Callable[[Any, int], Received]] = {
            _Update: self._update,
            _Ticker: self._ticker,
            _Match: self._match,
            _LastMatch: self._match,
            _Heartbeat: self._heartbeat,
            _Snapshot: self._snapshot,
            _Subscriptions: self._subscriptions,
            _Error: self._error,
        }

    def url(self) -> str:
        """Return the feed's one address."""
        return self._subscription.ws_url

    def opening(self) -> Sequence[str]:
        """Return the subscription; the exchange hangs up on who has not sent it within five seconds."""
        channels = [CHANNELS[kind] for kind in sorted(self._kinds)]
        return [self._request("subscribe", [*channels, HEARTBEAT_CHANNEL])]

    def ready(self) -> bool:
        """Return whether the subscription is confirmed and every book has its snapshot."""
        has_books = Kind.DEPTH not in self._kinds or all(p.book is not None for p in self._products.values())
        return self._is_confirmed and has_books

    def receive(self, raw: bytes, received_ns: int) -> Received:
        """Read one message."""
        try:
            message = _read(raw)
            ticks, controls = self._handlers[type(message)](message, received_ns)
        except UNREADABLE as error:
            raise self._unreadable(raw, error) from error
        if self._is_doubtful:
            ticks = self._leave_books(ticks, received_ns)
            controls = controls or (Alive(),)
        return ticks, (*controls, *self._renewal(received_ns)) if self._wants_books else controls

    def receive_all(self, raws: Sequence[bytes], received_ns: int, reject: Reject) -> Received:
        """Read messages that came together."""
        return receive_each(self.receive, raws, received_ns, reject)

    def fetched(self, key: str, body: bytes, received_ns: int) -> Received:  # noqa: ARG002 - the port's signature
        """Nothing is ever asked for over REST."""
        raise CodecError(Reason.UNKNOWN_TYPE, f"an answer to no question: {key[:40]}, {len(body)} bytes")

    @property
    def _kinds(self) -> frozenset[Kind]:
        return self._subscription.kinds - {Kind.EVENT}

    def _request(self, verb: str, channels: list[str]) -> str:
        request = {"type": verb, "product_ids": list(self._products), "channels": channels}
        return msgspec.json.encode(request).decode()

    def _product(self, symbol: str) -> Product:
        product = self._products.get(symbol)
        if product is None:
            raise CodecError(Reason.UNKNOWN_SYMBOL, f"product {symbol[:40]} is not subscribed")
        return product

    def _match(self, data: _Match, received_ns: int) -> Received:
        product = self._product(data.product_id)
        side = _TAKER[data.side]
        at_ns = time_ns(data.time)
        tick = Trade(product.symbol, data.trade_id, data.price, data.size, side, at_ns, received_ns)
        last = product.last
        if last is not None and data.trade_id <= last.trade_id:
            return (tick,), ()
        product.last = tick
        if last is None or data.trade_id == last.trade_id + 1:
            return (tick,), ()
        cause = f"{data.trade_id - last.trade_id - 1} ids of trade did not arrive"
        gap = _about_trades(last, EventName.SEQUENCE_BREAK, data.trade_id - 1, cause, received_ns)
        return (gap, tick), ()

    def _ticker(self, data: _Ticker, received_ns: int) -> Received:
        product = self._product(data.product_id)
        tick = Quote(
            symbol=product.symbol,
            sequence=NO_ID if data.sequence is None else data.sequence,
            bid_price=data.best_bid or nan,
            bid_size=_or_nan(data.best_bid_size) if data.best_bid else nan,
            ask_price=data.best_ask or nan,
            ask_size=_or_nan(data.best_ask_size) if data.best_ask else nan,
            exchange_ns=_time_ns_or_none(data.time),
            received_ns=received_ns,
        )
        return (tick,), ()

    def _snapshot(self, data: _Snapshot, received_ns: int) -> Received:
        product = self._product(data.product_id)
        said = () if product.book else (synchronised(product.symbol, received_ns),)
        book = product.book = Book()
        book.replace(data.bids, data.asks)
        ticks, controls = self._depth(product, book, data.time, received_ns)
        return (*said, *ticks), controls

    def _update(self, data: _Update, received_ns: int) -> Received:
        product = self._product(data.product_id)
        book = product.book
        if book is None:  # its snapshot could not be read, or is on its way
            self._wants_books = Kind.DEPTH in self._kinds
            return (), (Alive(product.symbol),)
        book.bids.apply([(price, size) for side, price, size in data.changes if side == "buy"])
        book.asks.apply([(price, size) for side, price, size in data.changes if side == "sell"])
        return self._depth(product, book, data.time, received_ns)

    def _depth(self, product: Product, book: Book, time: str, received_ns: int) -> Received:
        tick = book.depth(
            product.symbol,
            self._subscription.depth_levels,
            sequence=NO_ID,
            exchange_ns=_time_ns_or_none(time),
            received_ns=received_ns,
        )
        return (tick,), ()

    def _heartbeat(self, data: _Heartbeat, received_ns: int) -> Received:
        product = self._product(data.product_id)
        last, to_id = product.last, data.last_trade_id
        if last is None or to_id <= max(last.trade_id, product.announced_id):
            return (), (Alive(product.symbol),)
        product.announced_id = to_id
        cause = f"the heartbeat names trade {to_id}"
        event = _about_trades(last, EventName.ANNOUNCED, to_id, cause, received_ns)
        return (event,), (Alive(product.symbol),)

    def _subscriptions(self, _: _Subscriptions, __: int) -> Received:
        self._is_confirmed = True
        return (), (Alive(),)

    @staticmethod
    def _error(data: _Error, _: int) -> Received:
        return (), (Fatal(f"Coinbase refuses: {data.message[:200]} {data.reason[:200]}".rstrip()),)

    def _unreadable(self, raw: bytes, error: Exception) -> CodecError:
        """Doubt the books unless the message is plainly about something else."""
        rejection = refusal(error)
        name = _name_of(raw)
        if name and name not in _TYPES:
            return CodecError(Reason.UNKNOWN_TYPE, f"type {name[:40]}")
        if name in {"", "l2update", "snapshot"}:
            self._is_doubtful = Kind.DEPTH in self._kinds
        return rejection

    def _leave_books(self, ticks: Sequence[Tick], received_ns: int) -> Sequence[Tick]:
        """Return what remains to be said without the books: they are doubtful, and so is what they just gave."""
        breaks = [_doubt(product, received_ns) for product in self._products.values() if product.book]
        for product in self._products.values():
            product.book = None
        self._is_doubtful = False
        self._wants_books = True
        return [*(tick for tick in ticks if not isinstance(tick, Depth)), *breaks]

    def _renewal(self, received_ns: int) -> Sequence[Send]:
        """Return the requests that make the exchange begin its books anew, with snapshots."""
        self._wants_books = any(product.book is None for product in self._products.values())
        if not self._wants_books or received_ns - self._renewed_ns < RENEWAL_NS:
            return ()
        self._wants_books = False
        self._renewed_ns = received_ns
        return [Send(self._request(verb, [BOOK_CHANNEL])) for verb in ("unsubscribe", "subscribe")]


def _check(subscription: Subscription) -> None:
    unknown = subscription.kinds - CHANNELS.keys() - {Kind.EVENT}
    if unknown:
        names = ", ".join(sorted(kind.label for kind in unknown))
        raise ConfigurationError(
            f"feed {subscription.feed}: Coinbase sends no {names}; its kinds are trade, quote and depth"
        )


def _about_trades(last: Trade, name: EventName, to_id: int, cause: str, received_ns: int) -> Event:
    return Event(
        symbol=last.symbol,
        name=name,
        kind=Kind.TRADE,
        from_id=last.trade_id + 1,
        to_id=to_id,
        since_ns=last.received_ns,
        cause=cause,
        received_ns=received_ns,
    )


def _doubt(product: Product, received_ns: int) -> Event:
    return Event(
        symbol=product.symbol,
        name=EventName.SEQUENCE_BREAK,
        kind=Kind.DEPTH,
        from_id=NO_ID,
        to_id=NO_ID,
        since_ns=received_ns,
        cause="a message that may have changed the book could not be read",
        received_ns=received_ns,
    )


def _name_of(raw: bytes) -> str:
    try:
        return _read_name(raw).type
    except UNREADABLE:
        return ""


def _or_nan(size: float | None) -> float:
    return nan if size is None else size


def _time_ns_or_none(time: str) -> int:
    return time_ns(time) if time else NO_TIME
