"""Binance spot: combined streams of trades, aggregate trades, quotes, depth and klines.

Sources: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams and, for the books,
its section "How to manage a local order book correctly".

Every subscription is a ``SUBSCRIBE`` message on ``/stream``: its answer says from when a stream is live, so a depth
snapshot asked for after it can never be older than the first change, however quiet the symbol.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import count
from math import nan
from typing import Final, Generic, TypeVar

import msgspec

from nightdesk.errors import CodecError, ConfigurationError
from nightdesk.exchanges import binance
from nightdesk.ticks import NO_ID, NO_TIME, AggTrade, Depth, Event, EventName, Kind, Kline, Quote, Tick, Trade
from services.collector.book import Book, synchronised
from services.collector.codec import (
    Alive,
    Control,
    Fatal,
    Fetch,
    Keepalive,
    Reason,
    Receive,
    Received,
    Reject,
    Rollover,
    Subscription,
)
from services.collector.feeds.reading import (
    NS_PER_MS,
    UNREADABLE,
    Id,
    Level,
    MaybePrice,
    Ms,
    Price,
    Size,
    reader,
    refusal,
)

MAX_STREAMS: Final = 1024
STREAMS_A_MESSAGE: Final = 256
"""Four messages at most, within the limit of five a second."""

HEADS_A_STREAM: Final = 2
"""In so many ways a stream's messages may begin before they are no longer learnt."""

LIFETIME_S: Final = 24 * 3600 - 600.0
BUFFERED_CHANGES: Final = 4096
"""What one symbol may hold while its snapshot is on its way: nearly seven minutes at ten changes a second."""

PARTIAL_LEVELS: Final = (5, 10, 20)
KLINE_INTERVALS: Final = frozenset(
    "1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M".split()  # noqa: SIM905 - as the documentation lists them
)

_BUY: Final = 1
_SELL: Final = -1
_STREAM_AT: Final = len(b'{"stream":"')

T = TypeVar("T")


class _Trade(msgspec.Struct, gc=False):
    s: str
    t: Id
    p: Price
    q: Size
    T: Ms
    m: bool


class _AggTrade(msgspec.Struct, gc=False):
    s: str
    a: Id
    p: Price
    q: Size
    f: Id
    l: Id  # noqa: E741 - the exchange's name
    T: Ms
    m: bool


class _BookTicker(msgspec.Struct, gc=False):
    u: Id
    s: str
    b: MaybePrice
    B: Size
    a: MaybePrice
    A: Size


class _Change(msgspec.Struct, gc=False):
    s: str
    E: Ms
    U: Id
    u: Id
    b: list[Level]
    a: list[Level]


class _Snapshot(msgspec.Struct, gc=False):
    lastUpdateId: Id  # noqa: N815 - the exchange's name
    bids: list[Level]
    asks: list[Level]


class _Candle(msgspec.Struct, gc=False):
    t: Ms
    T: Ms
    i: str
    o: Price
    h: Price
    l: Price  # noqa: E741 - the exchange's name
    c: Price
    v: Size
    n: Id
    x: bool


class _Kline(msgspec.Struct, gc=False):
    s: str
    E: Ms
    k: _Candle


class _Of(msgspec.Struct, Generic[T], gc=False):
    """What the combined endpoint puts around a stream's message."""

    data: T


class _Refusal(msgspec.Struct):
    code: int
    msg: str = ""


class _Other(msgspec.Struct):
    """Anything that is no stream of ours: answers, the exchange's own notices, frames without a wrapper."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw()
    e: str = ""
    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: _Refusal | None = None
    code: int | None = None
    msg: str = ""


class TradeStream:
    """Trades; their ids are contiguous, so a jump is a break in the sequence."""

    __slots__ = ("heard_ns", "next_id", "symbol")

    read: Final = staticmethod(reader(_Of[_Trade]))

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.next_id = NO_ID
        self.heard_ns = NO_TIME

    def receive(self, raw: bytes, received_ns: int) -> Received:
        """Read one trade; an id at or below the last is passed on, for the store knows whether it has it."""
        data = self.read(raw).data
        symbol, trade_id, next_id = self.symbol, data.t, self.next_id
        if data.s != symbol:
            raise _foreign(data.s, symbol)
        side = _SELL if data.m else _BUY
        tick = Trade(symbol, trade_id, data.p, data.q, side, data.T * NS_PER_MS, received_ns)
        if trade_id < next_id:
            return (tick,), ()
        since_ns, self.heard_ns, self.next_id = self.heard_ns, received_ns, trade_id + 1
        if next_id in {trade_id, NO_ID}:
            return (tick,), ()
        gap = _sequence_break(
            symbol, Kind.TRADE, from_id=next_id, to_id=trade_id - 1, since_ns=since_ns, received_ns=received_ns
        )
        return (gap, tick), ()


class AggTradeStream:
    """Aggregate trades; their ids are contiguous too."""

    __slots__ = ("_last", "_symbol")

    read: Final = staticmethod(reader(_Of[_AggTrade]))

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol
        self._last: AggTrade | None = None

    def receive(self, raw: bytes, received_ns: int) -> Received:
        """Read one aggregate trade."""
        data = self.read(raw).data
        symbol = self._symbol
        if data.s != symbol:
            raise _foreign(data.s, symbol)
        side = _SELL if data.m else _BUY
        at_ns = data.T * NS_PER_MS
        tick = AggTrade(symbol, data.a, data.f, data.l, data.p, data.q, side, at_ns, received_ns)
        last = self._last
        if last is not None and data.a <= last.agg_id:
            return (tick,), ()
        self._last = tick
        if last is None or data.a == last.agg_id + 1:
            return (tick,), ()
        gap = _break(last, Kind.AGG_TRADE, from_id=last.agg_id + 1, to_id=data.a - 1, received_ns=received_ns)
        return (gap, tick), ()


class QuoteStream:
    """The book ticker; it carries no time. A price of 0 says that the side is empty."""

    __slots__ = ("_symbol",)

    read: Final = staticmethod(reader(_Of[_BookTicker]))

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol

    def receive(self, raw: bytes, received_ns: int) -> Received:
        """Read one quote."""
        data = self.read(raw).data
        symbol = self._symbol
        if data.s != symbol:
            raise _foreign(data.s, symbol)
        bid, bid_size = (data.b, data.B) if data.b else (nan, nan)
        ask, ask_size = (data.a, data.A) if data.a else (nan, nan)
        return (Quote(symbol, data.u, bid, bid_size, ask, ask_size, NO_TIME, received_ns),), ()


class KlineStream:
    """The exchange's own candles."""

    __slots__ = ("_symbol",)

    read: Final = staticmethod(reader(_Of[_Kline]))

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol

    def receive(self, raw: bytes, received_ns: int) -> Received:
        """Read one state of a candle."""
        data = self.read(raw).data
        symbol, k = self._symbol, data.k
        if data.s != symbol:
            raise _foreign(data.s, symbol)
        tick = Kline(
            symbol=symbol,
            interval=k.i,
            open_ns=k.t * NS_PER_MS,
            close_ns=k.T * NS_PER_MS,
            open=k.o,
            high=k.h,
            low=k.l,
            close=k.c,
            volume=k.v,
            trades=k.n,
            closed=k.x,
            exchange_ns=data.E * NS_PER_MS,
            received_ns=received_ns,
        )
        return (tick,), ()


class PartialDepthStream:
    """The top of the book as the exchange cuts it, with neither symbol nor time inside."""

    __slots__ = ("_levels", "_symbol")

    read: Final = staticmethod(reader(_Of[_Snapshot]))

    def __init__(self, symbol: str, levels: int) -> None:
        self._symbol = symbol
        self._levels = levels

    def receive(self, raw: bytes, received_ns: int) -> Received:
        """Read one top of the book."""
        data = self.read(raw).data
        book = Book()
        book.replace(data.bids, data.asks)
        tick = book.depth(
            self._symbol,
            self._levels,
            sequence=data.lastUpdateId,
            exchange_ns=NO_TIME,
            received_ns=received_ns,
        )
        return (tick,), ()


class DepthStream:
    """Changes of the book, added to a snapshot that the session fetches.

    While the snapshot is on its way the changes wait in ``_waiting``, contiguous and bounded. Once it is there the
    book is synchronised and every change gives a tick.
    """

    __slots__ = ("_book", "_heard_ns", "_is_asked", "_last_id", "_levels", "_snapshot", "_symbol", "_waiting")

    read: Final = staticmethod(reader(_Of[_Change]))
    read_snapshot: Final = staticmethod(reader(_Snapshot))

    def __init__(self, symbol: str, levels: int, rest_url: str) -> None:
        self._symbol = symbol
        self._levels = levels
        self._snapshot = Fetch(key=symbol, url=binance.depth_url(rest_url, symbol), weight=binance.DEPTH_WEIGHT)
        self._book: Book | None = None
        self._waiting: deque[_Change] = deque(maxlen=BUFFERED_CHANGES)
        self._is_asked = False
        self._last_id = NO_ID
        self._heard_ns = NO_TIME

    @property
    def is_synchronised(self) -> bool:
        """Whether the local book is the exchange's."""
        return self._book is not None

    def ask(self) -> tuple[Fetch, ...]:
        """Return the snapshot to fetch, once."""
        if self._is_asked:
            return ()
        self._is_asked = True
        return (self._snapshot,)

    def receive(self, raw: bytes, received_ns: int) -> Received:
        """Read one change: apply it, or keep it until the snapshot is there."""
        change = self.read(raw).data
        symbol, last_id, book = self._symbol, self._last_id, self._book
        if change.s != symbol:
            raise _foreign(change.s, symbol)
        if change.u <= last_id:
            return (), (Alive(symbol),)
        since_ns, self._heard_ns = self._heard_ns, received_ns
        if NO_ID < last_id < change.U - 1:
            return self._resynchronise(change, since_ns, received_ns)
        self._last_id = change.u
        if book is None:
            self._waiting.append(change)
            return (), self.ask() or (Alive(symbol),)
        book.apply(change.b, change.a)
        return (self._tick(book, change.E * NS_PER_MS, received_ns),), ()

    def fetched(self, body: bytes, received_ns: int) -> Received:
        """Take the snapshot and the waiting changes it does not hold; ask again for one that is too old."""
        snapshot = self.read_snapshot(body)
        if self._book is not None:
            return (), (Alive(self._symbol),)
        last_id = snapshot.lastUpdateId
        later = [change for change in self._waiting if change.u > last_id]
        if later and last_id < later[0].U - 1:
            return (), (self._snapshot,)
        book = self._book = Book()
        book.replace(snapshot.bids, snapshot.asks)
        for change in later:
            book.apply(change.b, change.a)
        self._waiting.clear()
        self._last_id = max(last_id, self._last_id)
        at_ns = later[-1].E * NS_PER_MS if later else NO_TIME
        return (synchronised(self._symbol, received_ns), self._tick(book, at_ns, received_ns)), ()

    def _tick(self, book: Book, exchange_ns: int, received_ns: int) -> Depth:
        return book.depth(
            self._symbol,
            self._levels,
            sequence=self._last_id,
            exchange_ns=exchange_ns,
            received_ns=received_ns,
        )

    def _resynchronise(self, change: _Change, since_ns: int, received_ns: int) -> Received:
        event = _sequence_break(
            self._symbol,
            Kind.DEPTH,
            from_id=self._last_id + 1,
            to_id=change.U - 1,
            since_ns=since_ns,
            received_ns=received_ns,
        )
        self._is_asked = self._is_asked and self._book is None
        self._book = None
        self._waiting.clear()
        self._waiting.append(change)
        self._last_id = change.u
        return (event,), self.ask()


class BinanceCodec:
    """The language of one connection.

    A subscription whose ``dialect`` is "partial" takes the exchange's cut of the book (``depth20@100ms``) instead of
    keeping one, which costs no snapshot.
    """

    lifetime_s: float | None = LIFETIME_S
    heartbeat_s: float | None = None
    keepalive: Keepalive | None = None

    def __init__(self, subscription: Subscription) -> None:
        """Raise ConfigurationError for what the exchange would refuse."""
        self._subscription = subscription
        self._symbols = {symbol.lower(): symbol for symbol in subscription.symbols}
        self._streams: dict[bytes, Receive] = {}
        self._trades: dict[bytes, TradeStream] = {}
        self._books: dict[str, DepthStream] = {}
        self._unconfirmed = dict(zip(count(1), self._chunks(), strict=False))
        # One longer than the longest name, so that the quote behind every name is within.
        self._head_end = _STREAM_AT + 1 + max(map(len, self._streams), default=0)
        self._heads: dict[bytes, TradeStream] = {}

    def url(self) -> str:
        """Return the combined endpoint; what to send over it is subscribed once connected."""
        return f"{self._subscription.ws_url.rstrip('/')}/stream"

    def opening(self) -> Sequence[str]:
        """Return the subscriptions, at most four messages."""
        return [
            msgspec.json.encode({"method": "SUBSCRIBE", "params": names, "id": number}).decode()
            for number, names in self._unconfirmed.items()
        ]

    def ready(self) -> bool:
        """Return whether every subscription is confirmed and every book is synchronised."""
        return not self._unconfirmed and all(book.is_synchronised for book in self._books.values())

    def receive(self, raw: bytes, received_ns: int) -> Received:
        """Read one message: the stream's name stands at its head, so one look finds who reads it."""
        receive = self._streams.get(raw[_STREAM_AT : raw.find(b'"', _STREAM_AT)])
        try:
            return self._other(raw, received_ns) if receive is None else receive(raw, received_ns)
        except UNREADABLE as error:
            raise refusal(error) from error

    def receive_all(self, raws: Sequence[bytes], received_ns: int, reject: Reject) -> Received:
        """Read messages that came together.

        Nearly all are the next trade of their stream. Those are read here, without a call for each: a third of the
        time that ``receive`` takes is saved.
        """
        ticks: list[Tick] = []
        controls: list[Control] = []
        add, stream_of, read, end = ticks.append, self._heads.get, TradeStream.read, self._head_end
        for raw in raws:
            stream = stream_of(raw[_STREAM_AT:end])
            try:
                if stream is not None:
                    data = read(raw).data
                    trade_id, symbol = data.t, stream.symbol
                    if trade_id == stream.next_id and data.s == symbol:
                        stream.next_id = trade_id + 1
                        stream.heard_ns = received_ns
                        side = _SELL if data.m else _BUY
                        add(Trade(symbol, trade_id, data.p, data.q, side, data.T * NS_PER_MS, received_ns))
                        continue
                found, asked = self.receive(raw, received_ns)
            except Exception as error:  # noqa: BLE001  a defect in a codec must not end the session
                reject(refusal(error) if isinstance(error, UNREADABLE) else error, raw)
            else:
                ticks += found
                controls += asked
                if stream is None:
                    self._learn(raw)
        return ticks, controls

    def _learn(self, raw: bytes) -> None:
        """Note how a trade's message begins: its stream's name and, up to the longest name's length, what follows."""
        stream = self._trades.get(raw[_STREAM_AT : raw.find(b'"', _STREAM_AT, self._head_end)])
        if stream is not None and len(self._heads) < HEADS_A_STREAM * len(self._trades):
            self._heads[raw[_STREAM_AT : self._head_end]] = stream

    def fetched(self, key: str, body: bytes, received_ns: int) -> Received:
        """Read a depth snapshot; ``key`` is its symbol."""
        book = self._books.get(key)
        if book is None:
            raise CodecError(Reason.UNKNOWN_SYMBOL, f"an answer to no question: {key[:40]}, {len(body)} bytes")
        try:
            return book.fetched(body, received_ns)
        except UNREADABLE as error:
            raise refusal(error) from error

    def _chunks(self) -> Iterator[list[str]]:
        names = list(_stream_names(self._subscription))
        if len(names) > MAX_STREAMS:
            raise ConfigurationError(
                f"feed {self._subscription.feed}: {len(names)} streams (symbols times kinds); "
                f"Binance allows {MAX_STREAMS} a connection: take fewer symbols or kinds"
            )
        for name in names:
            self._open(name)
        for start in range(0, len(names), STREAMS_A_MESSAGE):
            yield names[start : start + STREAMS_A_MESSAGE]

    def _open(self, name: str) -> Receive:
        """Return the reader of a stream, kept from its first message on."""
        lowered, _, channel = name.partition("@")
        symbol = self._symbols.get(lowered)
        if symbol is None:
            raise CodecError(Reason.UNKNOWN_SYMBOL, f"stream {name[:60]} is not of a subscribed symbol")
        receive = self._reader_of(symbol, channel)
        self._streams[name.encode()] = receive
        return receive

    def _reader_of(self, symbol: str, channel: str) -> Receive:
        name, _, interval = channel.removesuffix("@100ms").partition("_")
        match name, interval:
            case "trade", "":
                stream = self._trades[f"{symbol.lower()}@{channel}".encode()] = TradeStream(symbol)
                return stream.receive
            case "aggTrade", "":
                return AggTradeStream(symbol).receive
            case "bookTicker", "":
                return QuoteStream(symbol).receive
            case "kline", _ if interval in KLINE_INTERVALS:
                return KlineStream(symbol).receive
            case "depth5" | "depth10" | "depth20", "":
                return PartialDepthStream(symbol, self._subscription.depth_levels).receive
            case "depth", "":
                return self._book_of(symbol).receive
        raise CodecError(Reason.UNKNOWN_TYPE, f"channel {channel[:40]}")

    def _book_of(self, symbol: str) -> DepthStream:
        if symbol not in self._books:
            wanted = self._subscription
            self._books[symbol] = DepthStream(symbol, wanted.depth_levels, wanted.rest_url)
        return self._books[symbol]

    def _other(self, raw: bytes, received_ns: int) -> Received:
        message = _read_other(raw)
        if message.stream:
            return self._first_of(message, received_ns)
        if message.e:
            return self._notice(message.e)
        if message.error is not None:
            return (), (_refused(message.error),)
        if message.code is not None:
            return (), (_refused(_Refusal(message.code, message.msg)),)
        if message.result or message.id is not None:
            return self._confirmed(message.id)
        raise CodecError(Reason.UNKNOWN_TYPE, f"neither a stream nor an answer: {raw[:80]!r}")

    def _first_of(self, message: _Other, received_ns: int) -> Received:
        if message.stream.startswith("!"):
            return self._notice(message.stream[1:])
        receive = self._streams.get(message.stream.encode()) or self._open(message.stream)
        return receive(b'{"data":%b}' % bytes(message.data), received_ns)

    @staticmethod
    def _notice(name: str) -> Received:
        if name == "serverShutdown":
            return (), (Rollover("serverShutdown: the exchange is about to close this connection"),)
        raise CodecError(Reason.UNKNOWN_TYPE, f"event {name[:40]}")

    def _confirmed(self, number: int | str | None) -> Received:
        """A confirmed stream is live, so from here on a snapshot cannot be too old."""
        names = self._unconfirmed.pop(number, ()) if isinstance(number, int) else ()
        symbols = (self._symbols[name.partition("@")[0]] for name in names if "@depth@" in name)
        fetches = [fetch for symbol in symbols for fetch in self._books[symbol].ask()]
        return (), (Alive(), *fetches)


_read_other: Final = reader(_Other)


def _stream_names(subscription: Subscription) -> Iterator[str]:
    channels = [_channel(kind, subscription) for kind in sorted(subscription.kinds) if kind is not Kind.EVENT]
    for symbol in subscription.symbols:
        for channel in channels:
            yield f"{symbol.lower()}@{channel}"


def _channel(kind: Kind, subscription: Subscription) -> str:
    match kind:
        case Kind.TRADE:
            return "trade"
        case Kind.AGG_TRADE:
            return "aggTrade"
        case Kind.QUOTE:
            return "bookTicker"
        case Kind.KLINE:
            return _kline_channel(subscription)
        case _:
            return _depth_channel(subscription)


def _kline_channel(subscription: Subscription) -> str:
    if subscription.kline_interval not in KLINE_INTERVALS:
        known = ", ".join(sorted(KLINE_INTERVALS))
        raise ConfigurationError(
            f"feed {subscription.feed}: kline_interval {subscription.kline_interval!r} is none of {known}"
        )
    return f"kline_{subscription.kline_interval}"


def _depth_channel(subscription: Subscription) -> str:
    if subscription.dialect == "":
        return "depth@100ms"
    if subscription.dialect != "partial":
        raise ConfigurationError(
            f'feed {subscription.feed}: dialect {subscription.dialect!r} is neither "" nor "partial"'
        )
    for levels in PARTIAL_LEVELS:
        if levels >= subscription.depth_levels:
            return f"depth{levels}@100ms"
    raise ConfigurationError(
        f"feed {subscription.feed}: DEPTH_LEVELS {subscription.depth_levels} is above the {PARTIAL_LEVELS[-1]} "
        'levels of a partial book; take fewer, or the dialect ""'
    )


def _break(last: Trade | AggTrade, kind: Kind, *, from_id: int, to_id: int, received_ns: int) -> Event:
    since_ns = last.received_ns
    return _sequence_break(last.symbol, kind, from_id=from_id, to_id=to_id, since_ns=since_ns, received_ns=received_ns)


def _sequence_break(symbol: str, kind: Kind, *, from_id: int, to_id: int, since_ns: int, received_ns: int) -> Event:
    return Event(
        symbol=symbol,
        name=EventName.SEQUENCE_BREAK,
        kind=kind,
        from_id=from_id,
        to_id=to_id,
        since_ns=since_ns,
        cause=f"{to_id - from_id + 1} ids of {kind.label} did not arrive",
        received_ns=received_ns,
    )


def _foreign(symbol: str, expected: str) -> CodecError:
    return CodecError(Reason.UNKNOWN_SYMBOL, f"{symbol[:40]} on a stream of {expected}")


def _refused(refusal_: _Refusal) -> Fatal:
    return Fatal(f"Binance refuses: {refusal_.code} {refusal_.msg[:200]}")
