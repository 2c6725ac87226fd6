"""Binance spot REST: what to ask, what it costs, and how to read the answers.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from nightdesk.admission import Interval
from nightdesk.errors import ExchangeError
from nightdesk.exchanges.history import NS_PER_MS, Candle, Id, Ms, Page, Price, Request, Size, covered, decoder
from nightdesk.ticks import AggTrade, Kind, Side, Trade

DEPTH_LIMIT: Final = 1000
DEPTH_WEIGHT: Final = 50
"""The cost of a depth snapshot of 501 to 1,000 levels."""

ROWS: Final = 1000
"""The most rows of trades, aggregate trades and klines in one answer."""

TRADES_WEIGHT: Final = 25
AGG_TRADES_WEIGHT: Final = 4
KLINES_WEIGHT: Final = 2

_INVALID_SYMBOL: Final = -1121


def depth_url(rest_url: str, symbol: str) -> str:
    """Return where the book's snapshot of ``symbol`` is, with ``DEPTH_LIMIT`` levels a side."""
    return f"{rest_url.rstrip('/')}/api/v3/depth?symbol={symbol}&limit={DEPTH_LIMIT}"


class _Trade(msgspec.Struct, gc=False):
    id: Id
    price: Price
    qty: Size
    time: Ms
    isBuyerMaker: bool  # noqa: N815  the exchange's name


class _AggTrade(msgspec.Struct, gc=False):
    a: Id
    p: Price
    q: Size
    f: Id
    l: Id  # noqa: E741  the exchange's name
    T: Ms
    m: bool


class _Kline(msgspec.Struct, array_like=True, gc=False):
    open_ms: Ms
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    close_ms: Ms
    quote_volume: Decimal
    trades: int


class _Refusal(msgspec.Struct):
    code: int = 0


_read_trades: Final = decoder(list[_Trade])
_read_agg_trades: Final = decoder(list[_AggTrade])
_read_klines: Final = decoder(list[_Kline])
_read_refusal: Final = decoder(_Refusal)


class BinanceHistory:
    """Trades and aggregate trades by id for as long as the symbol exists, and candles."""

    sources: Mapping[Kind, str] = {Kind.TRADE: "binance historicalTrades", Kind.AGG_TRADE: "binance aggTrades"}
    time_source = "binance historicalTrades"
    candle_source = "binance klines"
    candles_a_page = ROWS

    def __init__(self, rest_url: str) -> None:
        self._root = f"{rest_url.rstrip('/')}/api/v3"

    def headers(self, api_key: str) -> Mapping[str, str]:
        """Return the key's header, which public data does without."""
        return {"X-MBX-APIKEY": api_key} if api_key else {}

    def limited(self, body: bytes) -> bool:  # noqa: ARG002  its statuses tell
        """Statuses tell: 429 and 418."""
        return False

    def knows_not(self, error: ExchangeError) -> bool:
        """Code -1121 is an invalid symbol."""
        try:
            return bool(_read_refusal(error.content).code == _INVALID_SYMBOL)
        except ExchangeError:
            return False

    def used(self, headers: Mapping[str, str]) -> float | None:
        """Return what ``X-MBX-USED-WEIGHT-1M`` says, which counts everybody at this address."""
        text = headers.get("X-MBX-USED-WEIGHT-1M", "")
        return float(text) if text.isdecimal() else None

    def ticks(self, kind: Kind, symbol: str, wanted: Interval) -> Request | None:
        """Ask from the lowest id on; always for a whole page, which costs the same and shows what lies beyond."""
        name, weight = _BY_ID[kind]
        return Request(
            url=f"{self._root}/{name}?symbol={symbol}&fromId={wanted[0]}&limit={ROWS}", weight=weight
        )  # fmt: skip

    def read_ticks(self, kind: Kind, symbol: str, body: bytes, wanted: Interval, received_ns: int) -> Page:
        """Read a page, the lowest id first."""
        if kind is Kind.TRADE:
            trades: Sequence[Trade | AggTrade] = _trades(symbol, body, received_ns)
            ids = [one.trade_id for one in trades if isinstance(one, Trade)]
        else:
            trades = _agg_trades(symbol, body, received_ns)
            ids = [one.agg_id for one in trades if isinstance(one, AggTrade)]
        low, high = wanted
        inside = [one for one, tick_id in zip(trades, ids, strict=True) if low <= tick_id <= high]
        return Page(ticks=inside, covered=covered(ids, wanted, rising=True))

    def around(self, symbol: str, from_ns: int, to_ns: int) -> Request | None:
        """Ask for the aggregate trades of a stretch of time, which name the ids of their trades."""
        span = f"startTime={from_ns // NS_PER_MS}&endTime={to_ns // NS_PER_MS}"
        return Request(url=f"{self._root}/aggTrades?symbol={symbol}&{span}&limit={ROWS}", weight=AGG_TRADES_WEIGHT)

    def read_around(self, symbol: str, body: bytes, received_ns: int) -> Sequence[Trade]:
        """Return the first and the last trade of each aggregate: not all that were made, but where they lie."""
        return [
            Trade(symbol, trade_id, one.price, one.size, one.side, one.exchange_ns, received_ns)
            for one in _agg_trades(symbol, body, received_ns)
            for trade_id in (one.first_id, one.last_id)
        ]

    def candles(self, symbol: str, from_ns: int, to_ns: int) -> Request:
        """Ask for one-minute klines."""
        span = f"startTime={from_ns // NS_PER_MS}&endTime={to_ns // NS_PER_MS - 1}"
        url = f"{self._root}/klines?symbol={symbol}&interval=1m&{span}&limit={ROWS}"
        return Request(url=url, weight=KLINES_WEIGHT)

    def read_candles(self, body: bytes) -> Sequence[Candle]:
        """Read klines, which come the oldest first."""
        return [
            Candle(
                open_ns=one.open_ms * NS_PER_MS, open=one.open, high=one.high, low=one.low, close=one.close,
                volume=one.volume, quote_volume=one.quote_volume, trades=one.trades,
            )
            for one in _read_klines(body)
        ]  # fmt: skip


_BY_ID: Final[Mapping[Kind, tuple[str, int]]] = {
    Kind.TRADE: ("historicalTrades", TRADES_WEIGHT),
    Kind.AGG_TRADE: ("aggTrades", AGG_TRADES_WEIGHT),
}


def _trades(symbol: str, body: bytes, received_ns: int) -> list[Trade]:
    return [
        Trade(symbol, one.id, one.price, one.qty, _taker(one.isBuyerMaker), one.time * NS_PER_MS, received_ns)
        for one in _read_trades(body)
    ]


def _agg_trades(symbol: str, body: bytes, received_ns: int) -> list[AggTrade]:
    return [
        AggTrade(symbol, one.a, one.f, one.l, one.p, one.q, _taker(one.m), one.T * NS_PER_MS, received_ns)
        for one in _read_agg_trades(body)
    ]


def _taker(buyer_is_maker: bool) -> Side:  # noqa: FBT001  the exchange's fact
    return Side.SELL if buyer_is_maker else Side.BUY
