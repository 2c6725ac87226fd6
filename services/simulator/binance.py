"""Binance's words: what it pushes and what its REST answers, field by field.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams and .../rest-api
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from services.simulator.book import Diff, Level, Snapshot
from services.simulator.candles import INTERVALS_MS, Candle
from services.simulator.history import Aggregate, Prints
from services.simulator.instruments import Decimals, Instrument
from services.simulator.market import Top

DEPTHS: Final = (5, 10, 20)
STREAMS: Final = (
    "trade",
    "aggTrade",
    "bookTicker",
    "depth",
    "depth@100ms",
    *(f"depth{levels}{speed}" for levels in DEPTHS for speed in ("", "@100ms")),
    *(f"kline_{interval}" for interval in INTERVALS_MS),
)
SHUTDOWN_STREAM: Final = "!serverShutdown"

Json: TypeAlias = dict[str, object]


class Writer:
    """Writes one symbol's events the way the exchange prints them."""

    def __init__(self, instrument: Instrument) -> None:
        self._symbol = instrument.symbol
        self.price = Decimals(instrument.price_places)
        self.size = Decimals(instrument.size_places)
        self.turnover = Decimals(instrument.price_places + instrument.size_places)

    def trades(self, prints: Prints) -> list[str]:
        """Return ``trade`` events; ``m`` true says that the buyer was the maker."""
        symbol, price, size = self._symbol, self.price, self.size
        ids = range(prints.first_id, prints.first_id + len(prints))
        return [
            f'{{"e":"trade","E":{t},"s":"{symbol}","t":{i},"p":"{price[p]}","q":"{size[q]}","T":{t},'
            f'"m":{"true" if m else "false"},"M":true}}'
            for i, p, q, m, t in zip(ids, prints.price, prints.size, prints.maker, prints.time_ms, strict=True)
        ]

    def aggregates(self, aggregates: Iterable[Aggregate]) -> list[str]:
        """Return ``aggTrade`` events."""
        return [
            f'{{"e":"aggTrade","E":{a.time_ms},"s":"{self._symbol}","a":{a.agg_id},"p":"{self.price[a.price]}",'
            f'"q":"{self.size[a.size]}","f":{a.first_id},"l":{a.last_id},"T":{a.time_ms},'
            f'"m":{"true" if a.maker else "false"},"M":true}}'
            for a in aggregates
        ]

    def book_tickers(self, tops: Iterable[Top]) -> list[str]:
        """Return ``bookTicker`` events: no type, no time."""
        symbol, price, size = self._symbol, self.price, self.size
        return [
            f'{{"u":{top.last_id},"s":"{symbol}","b":"{price[top.bid]}","B":"{size[top.bid_size]}",'
            f'"a":"{price[top.ask]}","A":"{size[top.ask_size]}"}}'
            for top in tops
        ]

    def diff(self, diff: Diff, time_ms: int) -> str:
        """Return a ``depthUpdate`` event."""
        return (
            f'{{"e":"depthUpdate","E":{time_ms},"s":"{self._symbol}","U":{diff.first_id},"u":{diff.last_id},'
            f'"b":{self.levels(diff.bids)},"a":{self.levels(diff.asks)}}}'
        )

    def partial(self, snapshot: Snapshot) -> str:
        """Return a partial book: no symbol, no time."""
        return (
            f'{{"lastUpdateId":{snapshot.last_id},"bids":{self.levels(snapshot.bids)},'
            f'"asks":{self.levels(snapshot.asks)}}}'
        )

    def kline(self, candle: Candle, interval: str, time_ms: int, *, closed: bool) -> str:
        """Return a ``kline`` event."""
        price, size, turnover = self.price, self.size, self.turnover
        return (
            f'{{"e":"kline","E":{time_ms},"s":"{self._symbol}","k":{{"t":{candle.open_ms},"T":{candle.close_ms},'
            f'"s":"{self._symbol}","i":"{interval}","f":{candle.first_id},"L":{candle.last_id},'
            f'"o":"{price[candle.open]}","c":"{price[candle.close]}","h":"{price[candle.high]}",'
            f'"l":"{price[candle.low]}","v":"{size[candle.volume]}","n":{candle.trades},'
            f'"x":{"true" if closed else "false"},"q":"{turnover[candle.turnover]}",'
            f'"V":"{size[candle.taker_volume]}","Q":"{turnover[candle.taker_turnover]}","B":"0"}}}}'
        )

    def levels(self, levels: Sequence[Level]) -> str:
        """Return levels as a JSON array of pairs of strings."""
        return "[" + ",".join([f'["{self.price[p]}","{self.size[q]}"]' for p, q in levels]) + "]"


def shutdown(time_ms: int) -> str:
    """Return the event that asks for a new connection at once."""
    return f'{{"e":"serverShutdown","E":{time_ms}}}'


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks on the socket."""

    method: str
    params: tuple[str, ...]
    id: int | str | None


class BadRequestError(Exception):
    """A message the exchange answers with an error; ``code`` and ``text`` are Binance's."""

    def __init__(self, code: int, text: str, request_id: object = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.request_id = request_id


METHODS: Final = frozenset({"SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY"})


def request_of(message: object) -> Request:
    """Return the request in a decoded message. Raises BadRequestError."""
    if not isinstance(message, dict):
        raise BadRequestError(2, "Invalid request: request must be a JSON object")
    request_id = message.get("id")
    if request_id is not None and (isinstance(request_id, bool) or not isinstance(request_id, int | str)):
        raise BadRequestError(2, "Invalid request: request ID must be an unsigned integer or a string")
    method = message.get("method")
    if not isinstance(method, str) or method not in METHODS:
        raise BadRequestError(2, f"Invalid request: unknown method {method!r}"[:200], request_id)
    params = message.get("params", [])
    if not isinstance(params, list):
        raise BadRequestError(2, "Invalid request: params must be an array", request_id)
    if method in {"SUBSCRIBE", "UNSUBSCRIBE"} and not all(isinstance(p, str) and p for p in params):
        raise BadRequestError(2, "Invalid request: params must be an array of strings", request_id)
    return Request(method, tuple(str(p) for p in params), request_id)
