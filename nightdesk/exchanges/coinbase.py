"""Coinbase Exchange REST: trades paged back by id, and candles.

Source: https://docs.cdp.coinbase.com/exchange/reference/exchangerestapi_getproducttrades and
https://docs.cdp.coinbase.com/exchange/reference/exchangerestapi_getproductcandles. A request costs one, whatever it
asks.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Literal

import msgspec

from nightdesk.admission import Interval
from nightdesk.errors import ExchangeError
from nightdesk.exchanges.history import MINUTE_NS, Candle, Id, Page, Price, Request, Size, covered, decoder, unreadable
from nightdesk.ticks import Kind, Side, Trade

ROWS: Final = 1000
CANDLES: Final = 300

_TIME: Final = re.compile(r"([0-9-]{10}T[0-9:]{8})(?:\.([0-9]+))?Z")

_TAKER: Final = {"buy": Side.SELL, "sell": Side.BUY}
"""The exchange names the maker's side; the taker took the other."""


class _Trade(msgspec.Struct, gc=False):
    trade_id: Id
    price: Price
    size: Size
    side: Literal["buy", "sell"]
    time: str


class _Candle(msgspec.Struct, array_like=True, gc=False):
    time: int
    low: Decimal
    high: Decimal
    open: Decimal
    close: Decimal
    volume: Decimal


_read_trades: Final = decoder(list[_Trade])
_read_candles: Final = decoder(list[_Candle])


class CoinbaseHistory:
    """Trades by id for as long as the product exists, and candles without counts."""

    sources: Mapping[Kind, str] = {Kind.TRADE: "coinbase trades"}
    time_source = ""
    candle_source = "coinbase candles"
    candles_a_page = CANDLES

    def __init__(self, rest_url: str) -> None:
        self._root = f"{rest_url.rstrip('/')}/products"

    def headers(self, api_key: str) -> Mapping[str, str]:  # noqa: ARG002  public data
        """Return nothing: the data is public."""
        return {}

    def limited(self, body: bytes) -> bool:  # noqa: ARG002  its status tells
        """Its status tells: 429."""
        return False

    def knows_not(self, error: ExchangeError) -> bool:
        """An unknown product is not found."""
        return error.status == 404

    def used(self, headers: Mapping[str, str]) -> float | None:  # noqa: ARG002  it does not say
        """It does not say."""
        return None

    def ticks(self, kind: Kind, symbol: str, wanted: Interval) -> Request | None:  # noqa: ARG002  trades only
        """Ask from the highest id back: ``after`` is a cursor, and what follows it is older."""
        return Request(url=f"{self._root}/{symbol}/trades?after={wanted[1] + 1}&limit={ROWS}")

    def read_ticks(self, kind: Kind, symbol: str, body: bytes, wanted: Interval, received_ns: int) -> Page:  # noqa: ARG002  trades only
        """Read a page, which comes newest first."""
        trades = _trades(symbol, body, received_ns)
        inside = [one for one in trades if wanted[0] <= one.trade_id <= wanted[1]]
        return Page(ticks=inside, covered=covered([one.trade_id for one in trades], wanted, rising=False))

    def around(self, symbol: str, from_ns: int, to_ns: int) -> Request | None:  # noqa: ARG002  not by time
        """Nothing finds trades by their time."""
        return None

    def read_around(self, symbol: str, body: bytes, received_ns: int) -> Sequence[Trade]:  # noqa: ARG002  not by time
        """There is nothing to read."""
        return ()

    def candles(self, symbol: str, from_ns: int, to_ns: int) -> Request:
        """Ask for one-minute candles; both ends are inclusive."""
        span = f"start={_iso(from_ns)}&end={_iso(to_ns - MINUTE_NS)}"
        return Request(url=f"{self._root}/{symbol}/candles?granularity=60&{span}")

    def read_candles(self, body: bytes) -> Sequence[Candle]:
        """Read candles, which come newest first."""
        found = [
            Candle(
                open_ns=one.time * 10**9, open=one.open, high=one.high, low=one.low, close=one.close, volume=one.volume
            )
            for one in _read_candles(body)
        ]
        return sorted(found, key=lambda one: one.open_ns)


def _trades(symbol: str, body: bytes, received_ns: int) -> list[Trade]:
    found = [
        Trade(symbol, one.trade_id, one.price, one.size, _TAKER[one.side], _ns(one.time), received_ns)
        for one in _read_trades(body)
    ]
    return sorted(found, key=lambda one: one.trade_id)


def _iso(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ns(text: str) -> int:
    """Return an ISO 8601 time in UTC as Unix nanoseconds, exact to its last digit."""
    found = _TIME.fullmatch(text)
    if found is None:
        unreadable(ValueError(f"no time in UTC: {text[:40]!r}"))
    try:
        seconds = int(datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp())
    except (ValueError, OverflowError) as error:
        unreadable(error)
    return seconds * 10**9 + int((found[2] or "")[:9].ljust(9, "0"))
