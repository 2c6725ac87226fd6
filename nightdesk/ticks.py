"""What a feed says, one struct a kind.

A tick is a trade, a quote or a depth. Aggregate trades and an exchange's own klines travel the same path under kinds
of their own; an event is the feed speaking about itself (connected, disconnected, a break in a sequence).

Times are Unix nanoseconds in UTC. ``exchange_ns`` is 0 where the exchange sends no time: local time is never put in
its place. Identifiers are ``NO_ID`` where the exchange sends none. Prices and sizes are doubles, exact for the up to
15 significant digits that exchanges send; ``NaN`` says "there is none" (an empty side of a book).
"""

from enum import IntEnum, StrEnum
from typing import Final, TypeAlias

import msgspec

NO_ID: Final = -1
NO_TIME: Final = 0


class Kind(IntEnum):
    """The kinds a stream carries; the numbers are part of the frame format and never change."""

    TRADE = 1
    AGG_TRADE = 2
    QUOTE = 3
    DEPTH = 4
    KLINE = 5
    EVENT = 6

    @property
    def label(self) -> str:
        """The kind's name in metrics, logs, SQL and the api."""
        return self.name.lower()


class Side(IntEnum):
    """The taker's side of a trade."""

    UNKNOWN = 0
    BUY = 1
    SELL = -1


class EventName(StrEnum):
    """What a feed may say about itself."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    ROLLED_OVER = "rolled_over"
    SEQUENCE_BREAK = "sequence_break"
    SYNCHRONISED = "synchronised"
    ANNOUNCED = "announced"
    CONFLATED = "conflated"


class Trade(msgspec.Struct, gc=False):
    """One trade. ``trade_id`` is contiguous per symbol where the exchange makes it so."""

    symbol: str
    trade_id: int
    price: float
    size: float
    side: int
    exchange_ns: int
    received_ns: int


class AggTrade(msgspec.Struct, gc=False):
    """Trades of one taker order at one price, as Binance aggregates them; never folded into bars."""

    symbol: str
    agg_id: int
    first_id: int
    last_id: int
    price: float
    size: float
    side: int
    exchange_ns: int
    received_ns: int


class Quote(msgspec.Struct, gc=False):
    """Best bid and ask. ``sequence`` rises with every quote of a symbol, not by one."""

    symbol: str
    sequence: int
    bid_price: float
    bid_size: float
    ask_price: float
    ask_size: float
    exchange_ns: int
    received_ns: int


class Depth(msgspec.Struct, gc=False):
    """The top of the local book after one event.

    ``bids`` and ``asks`` are flat: price, size, price, size, best first. ``spread`` is best ask less best bid, NaN
    with an empty side; ``pressure_ratio`` is the bid size over the ask size of the top five levels, NaN when a side is
    empty.
    """

    symbol: str
    sequence: int
    bids: list[float]
    asks: list[float]
    spread: float
    pressure_ratio: float
    exchange_ns: int
    received_ns: int


class Kline(msgspec.Struct, gc=False):
    """The exchange's own candle of ``interval``; ``closed`` once it says so."""

    symbol: str
    interval: str
    open_ns: int
    close_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    trades: int
    closed: bool
    exchange_ns: int
    received_ns: int


class Event(msgspec.Struct, gc=False):
    """The feed about itself; ``symbol`` is empty when it concerns every symbol of the shard.

    ``kind`` is the kind concerned (0 for all); ``from_id`` and ``to_id`` bound what a sequence break or an
    announcement names, inclusive, ``NO_ID`` when it names none. ``since_ns`` is when what the event ends began (for
    ``connected``: when the feed was last heard). ``cause`` is one readable line.
    """

    symbol: str
    name: str
    kind: int
    from_id: int
    to_id: int
    since_ns: int
    cause: str
    received_ns: int


Tick: TypeAlias = Trade | AggTrade | Quote | Depth | Kline | Event

KIND_OF: Final[dict[type, Kind]] = {
    Trade: Kind.TRADE,
    AggTrade: Kind.AGG_TRADE,
    Quote: Kind.QUOTE,
    Depth: Kind.DEPTH,
    Kline: Kind.KLINE,
    Event: Kind.EVENT,
}
