"""What TickDB's REST answers, from the market's own past. https://docs.tickdb.ai/en/rest"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from services.simulator.candles import INTERVALS_MS, Candle
from services.simulator.exchange import Exchange, Listing
from services.simulator.tickdb import LEVELS, TickdbError, Writer

Params: TypeAlias = Mapping[str, str]

DEFAULT_ROWS: Final = 100
MOST_ROWS: Final = 1000
MOST_TIME_MS: Final = 10**15

US_SESSIONS: Final = (
    {"begin_time": 400, "end_time": 930, "trade_session": 1},
    {"begin_time": 930, "end_time": 1600, "trade_session": 0},
    {"begin_time": 1600, "end_time": 2000, "trade_session": 2},
)
"""In New York's time: before, during and after the regular session. Half days end earlier and are not told here."""


class TickdbRest:
    """The endpoints by path below ``/v1/market``."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._writers = {name: Writer(one.market.instrument) for name, one in exchange.listings.items()}
        self.routes: Final[dict[str, Callable[[Params], object]]] = {
            "kline": self.kline,
            "kline/latest": self.kline_latest,
            "trades": self.trades,
            "depth": self.depth,
            "trading-sessions": self.trading_sessions,
        }

    def kline(self, params: Params) -> object:
        """Return completed candles, the oldest first."""
        listing, interval, limit = self._listing(params, "symbol"), _interval(params), _rows(params)
        start_ms = _whole(params, "start_time", 0)
        end_ms = _whole(params, "end_time", MOST_TIME_MS)
        if start_ms > end_ms:
            raise TickdbError(2003, "Invalid time range: start_time is after end_time")
        candles = listing.market.candles.between(start_ms, end_ms, INTERVALS_MS[interval])
        done = [candle for candle in candles if candle.close_ms < self._exchange.now_ms]
        chosen = done[:limit] if "start_time" in params else done[-limit:]
        return self._klines(listing, interval, chosen)

    def kline_latest(self, params: Params) -> object:
        """Return the candle under way of each symbol."""
        interval = _interval(params)
        names = [name for name in params.get("symbols", "").split(",") if name]
        if not names:
            raise TickdbError(2001, "symbols parameter is required")
        return [self._latest(self._named(name), interval) for name in names]

    def trades(self, params: Params) -> object:
        """Return the latest trades, the oldest first; there is no time range."""
        listing, limit = self._listing(params, "symbol"), _rows(params)
        history = listing.market.history
        writer = self._writers[listing.symbol]
        found = history.slice(history.next_id - limit, limit)
        return {"symbol": listing.symbol, "trades": [writer.trade(one) for one in found]}

    def depth(self, params: Params) -> object:
        """Return the best levels of the book."""
        listing = self._listing(params, "symbol")
        writer = self._writers[listing.symbol]
        snapshot = listing.market.book.snapshot(LEVELS)
        sides = {"bids": writer.levels(snapshot.bids), "asks": writer.levels(snapshot.asks)}
        return {"symbol": listing.symbol, **sides, "timestamp": self._exchange.now_ms}

    def trading_sessions(self, params: Params) -> object:
        """Return the hours of a market, in its own time zone."""
        market = params.get("market", "").upper()
        if market != "US":
            raise TickdbError(2001, "market parameter must be US here")
        return [{"market": market, "trading_sessions": list(US_SESSIONS)}]

    def _latest(self, listing: Listing, interval: str) -> object:
        length_ms = INTERVALS_MS[interval]
        open_ms = self._exchange.now_ms - self._exchange.now_ms % length_ms
        return self._klines(listing, interval, listing.market.candles.between(open_ms, open_ms, length_ms))

    def _klines(self, listing: Listing, interval: str, candles: list[Candle]) -> dict[str, object]:
        writer = self._writers[listing.symbol]
        return {"symbol": listing.symbol, "interval": interval, "klines": [writer.kline(one) for one in candles]}

    def _listing(self, params: Params, name: str) -> Listing:
        symbol = params.get(name, "")
        if not symbol:
            raise TickdbError(2001, f"{name} parameter is required")
        return self._named(symbol)

    def _named(self, symbol: str) -> Listing:
        listing = self._exchange.listings.get(symbol.upper())
        if listing is None:
            raise TickdbError(2002, f"Symbol not found: {symbol}"[:200])
        return listing


def _interval(params: Params) -> str:
    interval = params.get("interval", "")
    if interval not in INTERVALS_MS:
        raise TickdbError(2001, f"interval parameter must be one of {', '.join(INTERVALS_MS)}")
    return interval


def _rows(params: Params) -> int:
    rows = _whole(params, "limit", DEFAULT_ROWS)
    if not 1 <= rows <= MOST_ROWS:
        raise TickdbError(2004, f"limit must be from 1 to {MOST_ROWS}")
    return rows


def _whole(params: Params, name: str, default: int) -> int:
    text = params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise TickdbError(2001, f"{name} must be a whole number of at most 15 digits")
    return int(text)
