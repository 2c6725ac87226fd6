"""TickDB's words: what it pushes and what clients ask on its socket.

https://docs.tickdb.ai/en/websocket. Pairs are pushed as one flat trade a message with ids and milliseconds; stocks as
lists of trades whose ids are "0", in seconds, with depth under the bare ticker: the documentation shows both.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast

from services.simulator.book import Level, Snapshot
from services.simulator.candles import Candle
from services.simulator.history import Print
from services.simulator.instruments import Decimals, Instrument
from services.simulator.market import Top

CHANNELS: Final = ("ticker", "depth", "trade")
LEVELS: Final = 10

Row: TypeAlias = dict[str, str | int]


class TickdbError(Exception):
    """What TickDB answers with a code other than 0; ``code`` is one of https://docs.tickdb.ai/en/errors."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Writer:
    """Writes one symbol's events the way TickDB prints them."""

    def __init__(self, instrument: Instrument) -> None:
        self.symbol = instrument.symbol
        self.bound = not instrument.always_open
        self._bare = instrument.base if self.bound else instrument.symbol
        self.price = Decimals(instrument.price_places, instrument.price_places)
        self.size = Decimals(instrument.size_places, instrument.size_places)
        places = instrument.price_places + instrument.size_places
        self.turnover = Decimals(places, places)

    def trades(self, prints: Sequence[Print]) -> list[str]:
        """Return ``trade`` messages: one for each trade of a pair, one for all trades of a stock."""
        rows = [self.trade(one) for one in prints]
        if self.bound:
            return [_push("trade", {"symbol": self.symbol, "trades": rows})] if rows else []
        return [_push("trade", {"symbol": self.symbol, **row}) for row in rows]

    def trade(self, one: Print) -> Row:
        """Return one trade."""
        return {
            "id": "0" if self.bound else str(one.trade_id),
            "price": self.price[one.price],
            "quantity": self.size[one.size],
            "side": "sell" if one.maker else "buy",
            "timestamp": one.time_ms // 1000 if self.bound else one.time_ms,
        }

    def ticker(self, last: Candle, top: Top, time_ms: int) -> str:
        """Return a ``ticker`` message: with best prices for a pair, with the last price alone for a stock."""
        data: dict[str, object] = {"symbol": self.symbol, "last_price": self.price[last.close]}
        if not self.bound:
            data |= {"bid_price": self.price[top.bid], "ask_price": self.price[top.ask]}
        return _push("ticker", {**data, "timestamp": time_ms})

    def depth(self, snapshot: Snapshot, time_ms: int) -> str:
        """Return a ``depth`` message, a snapshot."""
        data = {
            "symbol": self._bare,
            "bids": self.levels(snapshot.bids),
            "asks": self.levels(snapshot.asks),
            "timestamp": time_ms,
        }
        return _push("depth", data)

    def levels(self, levels: Sequence[Level]) -> list[list[str]]:
        """Return levels as pairs of strings."""
        return [[self.price[price], self.size[size]] for price, size in levels]

    def kline(self, candle: Candle) -> Row:
        """Return one candle of the REST answer."""
        return {
            "time": candle.open_ms,
            "open": self.price[candle.open],
            "high": self.price[candle.high],
            "low": self.price[candle.low],
            "close": self.price[candle.close],
            "volume": self.size[candle.volume],
            "quote_volume": self.turnover[candle.turnover],
        }


def _push(name: str, data: Mapping[str, object]) -> str:
    return json.dumps({"cmd": name, "data": data}, separators=(",", ":"))


def topic(channel: str, symbol: str) -> str:
    """Return the hub's topic of one channel of one symbol."""
    return f"tickdb/{channel}/{symbol}"


@dataclass(frozen=True, slots=True)
class Command:
    """What a client says: a subscription names channels and symbols, a ping or a pong nothing."""

    name: Literal["subscribe", "unsubscribe", "ping", "pong"]
    channels: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()


def command_of(message: object, known: Iterable[str]) -> Command:
    """Return the command in a decoded message, in any of the documented forms. Raises TickdbError."""
    if not isinstance(message, dict):
        raise TickdbError(4002, "message must be a JSON object")
    name = message.get("cmd", message.get("type"))
    if name in ("ping", "pong"):
        return Command(cast('Literal["ping", "pong"]', name))
    if name not in ("subscribe", "unsubscribe"):
        raise TickdbError(4001, f"unknown command {name!r}"[:200])
    wish = message.get("data", message.get("params"))
    if not isinstance(wish, dict):
        raise TickdbError(2001, "data is required")
    channels = _strings(wish.get("channels", [wish["channel"]] if "channel" in wish else None), "channel")
    symbols = _strings(wish.get("symbols"), "symbols")
    check(channels, symbols, known)
    return Command(cast('Literal["subscribe", "unsubscribe"]', name), channels, symbols)


def check(channels: Iterable[str], symbols: Iterable[str], known: Iterable[str]) -> None:
    """Raise TickdbError unless all channels and symbols exist."""
    for channel in channels:
        if channel not in CHANNELS:
            raise TickdbError(2001, f"unknown channel {channel!r}"[:200])
    for symbol in symbols:
        if symbol not in known:
            raise TickdbError(2002, f"Symbol not found: {symbol}"[:200])


def _strings(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        raise TickdbError(2001, f"{name} parameter is required")
    return tuple(value)
