"""Is a stored bar the exchange's own, to the last digit of its steps? Pure.

Prices are compared as they are. Sums of sizes are sums of doubles: they are compared in the exchange's steps, which are
taken from its own candles, and a turnover of more digits than a double has as far as a double can tell.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from sys import float_info
from typing import Any, Final

from nightdesk.exchanges.history import Candle

PRICES: Final = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBar:
    """A minute as it is stored."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    trades: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The least differences between two volumes and two turnovers."""

    volume: Decimal
    quote_volume: Decimal


def steps_of(candles: Iterable[Candle]) -> Steps:
    """Return the steps of a day's candles: its finest price, its finest volume, and their product."""
    price = volume = 0
    for one in candles:
        price = max(price, *(_places(getattr(one, name)) for name in PRICES))
        volume = max(volume, _places(one.volume))
    return Steps(volume=Decimal(1).scaleb(-volume), quote_volume=Decimal(1).scaleb(-volume - price))


def differences(bar: StoredBar, candle: Candle, steps: Steps) -> dict[str, list[str]]:
    """Return what is not equal: our number and theirs, by name; nothing when all is."""
    found = {name: (getattr(bar, name), getattr(candle, name)) for name in PRICES}
    wrong: dict[str, tuple[Any, Any]] = {
        name: pair for name, pair in found.items() if Decimal(repr(float(pair[0]))) != pair[1]
    }
    if not _same(bar.volume, candle.volume, steps.volume, bar.trades):
        wrong["volume"] = (bar.volume, candle.volume)
    theirs = candle.quote_volume
    if theirs is not None and not _same(bar.quote_volume, theirs, steps.quote_volume, bar.trades):
        wrong["quote_volume"] = (bar.quote_volume, theirs)
    if candle.trades is not None and candle.trades != bar.trades:
        wrong["trades"] = (bar.trades, candle.trades)
    return {name: [_text(ours), _text(other)] for name, (ours, other) in wrong.items()}


def of_klines(rows: Iterable[tuple[Any, ...]]) -> dict[int, Candle]:
    """Return stored candles of the exchange by minute: its digits, which a double keeps up to fifteen of."""
    return {
        minute: Candle(
            open_ns=minute * 60 * 10**9,
            **_decimals({"open": o, "high": high, "low": low, "close": close, "volume": volume}),
            trades=trades if trades >= 0 else None,
        )
        for minute, o, high, low, close, volume, trades in rows
    }


def _decimals(numbers: Mapping[str, float]) -> dict[str, Any]:
    return {name: Decimal(repr(float(value))) for name, value in numbers.items()}


def _same(ours: float, theirs: Decimal, step: Decimal, additions: int) -> bool:
    """Whether a sum rounds to theirs, give or take what that many additions of doubles lose."""
    lost = Decimal(abs(ours) * float_info.epsilon * (additions + 1))
    return abs(Decimal(ours) - theirs) < max(step / 2, lost)


def _places(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _text(number: float | Decimal) -> str:
    return str(number.normalize()) if isinstance(number, Decimal) else repr(number)
