"""One-minute bars as a fold that can be merged.

A bar opens with its lowest key and closes with its highest; highs, lows and sums do not care about order. So bars of
parts of a minute, in any order, merge into the bar of the whole, and late trades need no recomputation. The key is the
trade's id, or its time where it has none; among equal keys the first to arrive opens and the last closes.
"""

from dataclasses import dataclass, fields
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from nightdesk.ticks import Side

Ints: TypeAlias = npt.NDArray[np.int64]
Doubles: TypeAlias = npt.NDArray[np.float64]

MINUTE_NS: Final = 60 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Bars as columns, one entry a symbol and minute; ``minute`` is Unix time in minutes, ``trades`` a count."""

    symbol: Ints
    minute: Ints
    open: Doubles
    high: Doubles
    low: Doubles
    close: Doubles
    volume: Doubles
    buy_volume: Doubles
    quote_volume: Doubles
    trades: Ints
    open_key: Ints
    close_key: Ints

    def __len__(self) -> int:
        return len(self.symbol)


COLUMNS: Final = tuple(field.name for field in fields(Bars))


def fold(
    *,
    symbol: npt.NDArray[np.integer],
    time_ns: Ints,
    key: Ints,
    price: Doubles,
    size: Doubles,
    side: npt.NDArray[np.integer],
) -> Bars:
    """Return the bars of at least one trade; the columns are parallel and in the order of arrival."""
    minute = time_ns // MINUTE_NS
    if not _grouped(symbol, minute):
        order = np.lexsort((minute, symbol))
        symbol, minute, key, side = symbol[order], minute[order], key[order], side[order]
        price, size = price[order], size[order]
    starts = _starts(symbol, minute)
    counts = np.diff(np.append(starts, len(symbol)))
    open_key = np.minimum.reduceat(key, starts)
    close_key = np.maximum.reduceat(key, starts)
    (opening,) = np.nonzero(key == np.repeat(open_key, counts))
    (closing,) = np.nonzero(key == np.repeat(close_key, counts))
    return Bars(
        symbol=symbol[starts].astype(np.int64),
        minute=minute[starts],
        open=price[opening[np.searchsorted(opening, starts)]],
        high=np.maximum.reduceat(price, starts),
        low=np.minimum.reduceat(price, starts),
        close=price[closing[np.searchsorted(closing, starts + counts) - 1]],
        volume=np.add.reduceat(size, starts),
        buy_volume=np.add.reduceat(np.where(side == Side.BUY, size, 0.0), starts),
        quote_volume=np.add.reduceat(price * size, starts),
        trades=counts.astype(np.int64),
        open_key=open_key,
        close_key=close_key,
    )


def _grouped(symbol: npt.NDArray[np.integer], minute: Ints) -> bool:
    """Whether rows of one bar are already neighbours, as they are when a batch came sorted by symbol and on time."""
    later = (symbol[1:] > symbol[:-1]) | ((symbol[1:] == symbol[:-1]) & (minute[1:] >= minute[:-1]))
    return bool(later.all())


def _starts(symbol: npt.NDArray[np.integer], minute: Ints) -> Ints:
    changes = (symbol[1:] != symbol[:-1]) | (minute[1:] != minute[:-1])
    return np.concatenate(([0], np.nonzero(changes)[0] + 1))
