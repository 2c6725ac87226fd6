"""TickDB REST: the latest trades without a time range, and completed candles.

Source: https://docs.tickdb.ai/en/rest. Errors are in ``code`` whatever the HTTP status. A request costs one. A trade's
id may be "0" and is not promised to be contiguous: it is not taken.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Final, TypeAlias

import msgspec

from nightdesk.admission import Interval
from nightdesk.errors import ExchangeError, UnavailableError
from nightdesk.exchanges.history import NS_PER_MS, Candle, Ms, Page, Price, Request, Size, decoder
from nightdesk.ticks import NO_ID, Kind, Side, Trade

ROWS: Final = 1000

RATE_LIMITED: Final = 3001
SYMBOL_NOT_FOUND: Final = 2002
SERVER_ERRORS: Final = range(5000, 6000)

SECONDS_BELOW: Final = 9e9
"""A time below is in seconds (until the year 2255), one above in milliseconds (since April 1970)."""

Moment: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=(2**63 - 1) // NS_PER_MS)]

_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}


class _Verdict(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Envelope(_Verdict):
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Trade(msgspec.Struct, gc=False):
    price: Price
    quantity: Size
    side: str = ""
    timestamp: Moment = 0.0


class _Trades(msgspec.Struct):
    trades: list[_Trade]


class _Kline(msgspec.Struct, gc=False):
    time: Ms
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal | None = None


class _Klines(msgspec.Struct):
    klines: list[_Kline]
    symbol: str = ""


_read_envelope: Final = decoder(_Envelope)
_read_verdict: Final = decoder(_Verdict)
_read_trades: Final = decoder(_Trades)
_read_klines: Final = decoder(_Klines)
_read_latest: Final = decoder(list[_Klines])


class TickdbHistory:
    """The latest trades, without ids, and candles."""

    sources: Mapping[Kind, str] = {}
    time_source = "tickdb trades"
    candle_source = "tickdb kline"
    candles_a_page = ROWS

    def __init__(self, rest_url: str) -> None:
        self._root = f"{rest_url.rstrip('/')}/market"

    def headers(self, api_key: str) -> Mapping[str, str]:
        """Return the key's header; nothing answers without one."""
        return {"X-API-Key": api_key} if api_key else {}

    def limited(self, body: bytes) -> bool:
        """Code 3001 is the limit, whatever the status."""
        return _code(body) == RATE_LIMITED

    def knows_not(self, error: ExchangeError) -> bool:
        """Code 2002 is an unknown symbol."""
        return _code(error.content) == SYMBOL_NOT_FOUND

    def used(self, headers: Mapping[str, str]) -> float | None:  # noqa: ARG002  it does not say
        """It does not say."""
        return None

    def ticks(self, kind: Kind, symbol: str, wanted: Interval) -> Request | None:  # noqa: ARG002  it has no ids
        """There is nothing to ask for by id."""
        return None

    def read_ticks(self, kind: Kind, symbol: str, body: bytes, wanted: Interval, received_ns: int) -> Page:  # noqa: ARG002  it has no ids
        """There is nothing to read by id."""
        return Page(ticks=(), covered=None)

    def around(self, symbol: str, from_ns: int, to_ns: int) -> Request | None:  # noqa: ARG002  there is no time range
        """Ask for the latest trades: there is no time range."""
        return Request(url=f"{self._root}/trades?symbol={symbol}&limit={ROWS}")

    def read_around(self, symbol: str, body: bytes, received_ns: int) -> Sequence[Trade]:
        """Read the latest trades."""
        found = [
            Trade(
                symbol, NO_ID, one.price, one.quantity, _SIDES.get(one.side, Side.UNKNOWN), _ns(one.timestamp),
                received_ns,
            )
            for one in _read_trades(_data(body)).trades
        ]  # fmt: skip
        return sorted(found, key=lambda one: one.exchange_ns)

    def candles(self, symbol: str, from_ns: int, to_ns: int) -> Request:
        """Ask for completed one-minute candles."""
        span = f"start_time={from_ns // NS_PER_MS}&end_time={to_ns // NS_PER_MS - 1}"
        return Request(url=f"{self._root}/kline?symbol={symbol}&interval=1m&limit={ROWS}&{span}")

    def read_candles(self, body: bytes) -> Sequence[Candle]:
        """Read candles, which come the oldest first."""
        return sorted(map(_candle, _read_klines(_data(body)).klines), key=lambda one: one.open_ns)

    # --- days, for whoever looks at symbols that are not collected ---

    def daily(self, symbol: str, count: int) -> Request:
        """Ask for the last completed daily candles, which ``read_candles`` reads."""
        return Request(url=f"{self._root}/kline?symbol={symbol}&interval=1d&limit={count}")

    def latest(self, symbols: Sequence[str]) -> Request:
        """Ask for the daily candle under way of each symbol."""
        return Request(url=f"{self._root}/kline/latest?symbols={','.join(symbols)}&interval=1d")

    def read_latest(self, body: bytes, symbols: Sequence[str]) -> Mapping[str, Candle]:
        """Read the answer to ``latest``; a symbol that it echoes may lack its suffix, and one may have no candle."""
        told = {one.symbol: one.klines for one in _read_latest(_data(body))}
        found = {symbol: told.get(symbol) or told.get(symbol.partition(".")[0]) for symbol in symbols}
        return {symbol: _candle(klines[-1]) for symbol, klines in found.items() if klines}

    def last_trade(self, symbol: str) -> Request:
        """Ask for the last trade, which ``read_around`` reads."""
        return Request(url=f"{self._root}/trades?symbol={symbol}&limit=1")


def _candle(one: _Kline) -> Candle:
    return Candle(
        open_ns=one.time * NS_PER_MS, open=one.open, high=one.high, low=one.low, close=one.close,
        volume=one.volume, quote_volume=one.quote_volume,
    )  # fmt: skip


def _code(body: bytes) -> int:
    try:
        return int(_read_verdict(body).code)
    except ExchangeError:
        return 0


def _data(body: bytes) -> bytes:
    """Return what is in the envelope; raises what its code means."""
    envelope = _read_envelope(body)
    if envelope.code in SERVER_ERRORS:
        raise UnavailableError(f"TickDB: code {envelope.code}: {envelope.message[:200]}")
    if envelope.code:
        raise ExchangeError(f"TickDB refuses: code {envelope.code}: {envelope.message[:200]}", content=body)
    return bytes(envelope.data)


def _ns(moment: float) -> int:
    return round(moment * 1e6) * 1000 if moment < SECONDS_BELOW else round(moment * 1000) * 1000
