"""What Binance's REST answers, from the market's own past.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias, overload

from services.simulator.candles import INTERVALS_MS, Candle
from services.simulator.exchange import Exchange, Listing
from services.simulator.history import Aggregate, Print, aggregates

Params: TypeAlias = Mapping[str, str]

DEFAULT_LIMIT: Final = 500
MOST_ROWS: Final = 1000
MOST_LEVELS: Final = 5000
MOST_TIME_MS: Final = 10**15


class RefusedError(Exception):
    """A request Binance answers with 400; ``code`` is one of its error codes."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: what it costs for its parameters, and who answers."""

    weight: Callable[[Params], int]
    answer: Callable[[Params], object]


class BinanceRest:
    """The endpoints by path below ``/api/v3``."""

    def __init__(self, exchange: Exchange, *, weight_limit: int) -> None:
        self._exchange = exchange
        self._weight_limit = weight_limit
        self.routes: Final = {
            "ping": Route(_costs(1), lambda _params: {}),
            "time": Route(_costs(1), lambda _params: {"serverTime": exchange.now_ms}),
            "exchangeInfo": Route(_costs(20), self.exchange_info),
            "depth": Route(depth_weight, self.depth),
            "trades": Route(_costs(25), self.trades),
            "historicalTrades": Route(_costs(25), self.historical_trades),
            "aggTrades": Route(_costs(4), self.agg_trades),
            "klines": Route(_costs(2), self.klines),
        }

    def exchange_info(self, params: Params) -> object:
        """Return the limits and the symbols."""
        listings = [self._listing(params)] if "symbol" in params else self._pairs()
        return {
            "timezone": "UTC",
            "serverTime": self._exchange.now_ms,
            "rateLimits": [
                _limit("REQUEST_WEIGHT", "MINUTE", 1, self._weight_limit),
                _limit("RAW_REQUESTS", "MINUTE", 5, 61_000),
            ],
            "exchangeFilters": [],
            "symbols": [_described(listing) for listing in listings],
        }

    def depth(self, params: Params) -> object:
        """Return the best levels of the book and the number of its latest change."""
        listing = self._listing(params)
        levels = min(_whole(params, "limit", 100, least=1), MOST_LEVELS)
        snapshot = listing.market.book.snapshot(levels)
        price, size = listing.writer.price, listing.writer.size
        return {
            "lastUpdateId": snapshot.last_id,
            "bids": [[price[p], size[q]] for p, q in snapshot.bids],
            "asks": [[price[p], size[q]] for p, q in snapshot.asks],
        }

    def trades(self, params: Params) -> object:
        """Return the latest trades, oldest first."""
        return self._trades_from(params, None)

    def historical_trades(self, params: Params) -> object:
        """Return trades from ``fromId`` on, or the latest."""
        return self._trades_from(params, _whole(params, "fromId", None, least=0))

    def agg_trades(self, params: Params) -> object:
        """Return aggregate trades by ``fromId`` (inclusive), by time, or the latest."""
        listing = self._listing(params)
        history, limit = listing.market.history, _rows(params)
        from_id = _whole(params, "fromId", None, least=0)
        start_ms = _whole(params, "startTime", None, least=0)
        end_ms = _whole(params, "endTime", None, least=0)
        if from_id is not None and (start_ms is not None or end_ms is not None):
            raise RefusedError(-1128, "Combination of optional parameters invalid.")
        if from_id is not None:
            begin = history.id_of_aggregate(from_id)
        elif start_ms is not None:
            begin = history.id_at_time(start_ms)
        else:
            begin = max(history.first_id, history.next_id - 4 * limit)
        end = history.next_id if end_ms is None else history.id_at_time(end_ms + 1)
        found = aggregates(history.slice(begin, max(0, min(end - begin, 8 * limit))))
        latest = from_id is None and start_ms is None
        chosen = list(found)[-limit:] if latest else list(islice(found, limit))
        return [_agg_row(listing, one) for one in chosen]

    def klines(self, params: Params) -> object:
        """Return candles from ``startTime`` to ``endTime``, or the latest."""
        listing = self._listing(params)
        interval = _required(params, "interval")
        if interval not in INTERVALS_MS:
            raise RefusedError(-1120, "Invalid interval.")
        start_ms = _whole(params, "startTime", None, least=0)
        end_ms = _whole(params, "endTime", MOST_TIME_MS, least=0)
        candles = listing.market.candles.between(start_ms or 0, end_ms, INTERVALS_MS[interval])
        limit = _rows(params)
        chosen = candles[-limit:] if start_ms is None else candles[:limit]
        return [_kline_row(listing, candle) for candle in chosen]

    def _trades_from(self, params: Params, from_id: int | None) -> object:
        listing, limit = self._listing(params), _rows(params)
        history = listing.market.history
        begin = history.next_id - limit if from_id is None else from_id
        return [_trade_row(listing, one) for one in history.slice(begin, limit)]

    def _listing(self, params: Params) -> Listing:
        listing = self._exchange.listings.get(_required(params, "symbol"))
        if listing is None or not listing.market.instrument.always_open:
            raise RefusedError(-1121, "Invalid symbol.")
        return listing

    def _pairs(self) -> list[Listing]:
        return [one for one in self._exchange.listings.values() if one.market.instrument.always_open]


def depth_weight(params: Params) -> int:
    """Return what a snapshot costs by its ``limit``."""
    levels = _whole(params, "limit", 100, least=1)
    return next((weight for most, weight in ((100, 5), (500, 25), (1000, 50)) if levels <= most), 250)


def _costs(weight: int) -> Callable[[Params], int]:
    return lambda _params: weight


def _required(params: Params, name: str) -> str:
    value = params.get(name, "")
    if not value:
        raise RefusedError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
    return value


def _rows(params: Params) -> int:
    return min(_whole(params, "limit", DEFAULT_LIMIT, least=1), MOST_ROWS)


@overload
def _whole(params: Params, name: str, default: int, *, least: int) -> int: ...
@overload
def _whole(params: Params, name: str, default: None, *, least: int) -> int | None: ...
def _whole(params: Params, name: str, default: int | None, *, least: int) -> int | None:
    text = params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise RefusedError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,18}}$'.")
    if int(text) < least:
        raise RefusedError(-1130, f"Data sent for parameter '{name}' is not valid.")
    return int(text)


def _limit(kind: str, interval: str, count: int, limit: int) -> dict[str, object]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit}


def _described(listing: Listing) -> dict[str, object]:
    one = listing.market.instrument
    tick, lot = listing.writer.price[1], listing.writer.size[1]
    return {
        "symbol": one.symbol,
        "status": "TRADING",
        "baseAsset": one.base,
        "baseAssetPrecision": 8,
        "quoteAsset": one.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "9000000.00000000", "stepSize": lot},
        ],
    }


def _trade_row(listing: Listing, one: Print) -> dict[str, object]:
    writer = listing.writer
    return {
        "id": one.trade_id,
        "price": writer.price[one.price],
        "qty": writer.size[one.size],
        "quoteQty": writer.turnover[one.price * one.size],
        "time": one.time_ms,
        "isBuyerMaker": one.maker,
        "isBestMatch": True,
    }


def _agg_row(listing: Listing, one: Aggregate) -> dict[str, object]:
    writer = listing.writer
    return {
        "a": one.agg_id,
        "p": writer.price[one.price],
        "q": writer.size[one.size],
        "f": one.first_id,
        "l": one.last_id,
        "T": one.time_ms,
        "m": one.maker,
        "M": True,
    }


def _kline_row(listing: Listing, candle: Candle) -> list[object]:
    price, size, turnover = listing.writer.price, listing.writer.size, listing.writer.turnover
    return [
        candle.open_ms,
        price[candle.open],
        price[candle.high],
        price[candle.low],
        price[candle.close],
        size[candle.volume],
        candle.close_ms,
        turnover[candle.turnover],
        candle.trades,
        size[candle.taker_volume],
        turnover[candle.taker_turnover],
        "0",
    ]
