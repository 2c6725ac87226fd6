"""What TickDB knows of symbols that the desk does not collect: daily candles, and the price of now."""

from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from nightdesk.errors import ExchangeError
from nightdesk.exchanges.history import Candle
from nightdesk.exchanges.shared_rest import SharedRest
from nightdesk.exchanges.tickdb import TickdbHistory
from services.jobs.scan.market import USUAL_DAYS, Day, Known, day_of
from services.jobs.scan.sessions import Sessions

log = structlog.get_logger()

NS: Final = 10**9
CANDLES: Final = USUAL_DAYS + 5
"""The usual, the last session, and some for today's and for days that a source counts and the exchange does not."""


def fetched(
    rest: SharedRest, history: TickdbHistory, source: str, symbols: Sequence[str], hours: Sessions
) -> list[Known]:
    """Ask for every symbol; raises UnavailableError when the source does not answer.

    A symbol that it refuses has that as its trouble.
    """
    days: dict[str, list[Day]] = {}
    refused: dict[str, str] = {}
    for symbol in symbols:
        try:
            days[symbol] = _days(rest, history, symbol, hours)
        except ExchangeError as error:
            refused[symbol] = f"{source} {'does not know it' if history.knows_not(error) else _why(error)}"
            log.warning("scan.refused", symbol=symbol, error=str(error))
    prices = _prices(rest, history, list(days), hours)
    return [
        Known(symbol=symbol, source=source, trouble=refused[symbol])
        if symbol in refused
        else Known(symbol=symbol, source=source, days=days[symbol], price=prices.get(symbol))
        for symbol in symbols
    ]


def _days(rest: SharedRest, history: TickdbHistory, symbol: str, hours: Sessions) -> list[Day]:
    candles = history.read_candles(rest.get(history.daily(symbol, CANDLES)))
    dated = [(day_of(one.open_ns / NS, hours.zone), one) for one in candles]
    return [Day(day=day, close=float(one.close), volume=float(one.volume)) for day, one in dated if day < hours.today]


def _prices(rest: SharedRest, history: TickdbHistory, symbols: Sequence[str], hours: Sessions) -> Mapping[str, float]:
    """Today's candle under way has the price; a source that begins it at the open has only trades before."""
    if not symbols:
        return {}
    try:
        latest = history.read_latest(rest.get(history.latest(symbols)), symbols)
    except ExchangeError as error:
        log.warning("scan.no_latest", error=str(error))
        latest = {}
    found = {symbol: float(one.close) for symbol, one in latest.items() if _is_of_today(one, hours)}
    for symbol in symbols:
        if symbol not in found:
            price = _last_trade(rest, history, symbol, hours)
            found |= {} if price is None else {symbol: price}
    return found


def _why(error: ExchangeError) -> str:
    return f"refuses it with status {error.status}" if error.status else f"refuses it: {error}"


def _is_of_today(candle: Candle, hours: Sessions) -> bool:
    return day_of(candle.open_ns / NS, hours.zone) == hours.today and not candle.is_empty


def _last_trade(rest: SharedRest, history: TickdbHistory, symbol: str, hours: Sessions) -> float | None:
    try:
        trades = history.read_around(symbol, rest.get(history.last_trade(symbol)), 0)
    except ExchangeError:
        return None
    begins_ns = int(hours.begins.timestamp()) * NS
    return trades[-1].price if trades and trades[-1].exchange_ns >= begins_ns else None
