"""Ten liquid pairs and how often each trades, quotes and changes its book: the market of a realistic day.

Trades a second are averages over months where two published messages tell them, since an exchange's trade ids are
contiguous: the difference of two ids over the difference of their times.

    BTCUSDT   34.4   ids 6268487624 and 6595931385 of 2026-05-03 and 2026-08-21 (34.8 between 2026-04-05 and 05-03)
    ETHUSDT   51.0   ids 3408559518 and 4049338705 of 2026-01-02 and 2026-05-28
    XRPUSDT    5.7   ids 467097955 and 886915093 of 2022-09-09 and 2025-01-16; busier since, so more is assumed

Quotes: ``btcusdt@bookTicker`` alone was 87, 91 and 256 messages a second in three spells of ten seconds
(https://github.com/tarasko/picows/issues/41). Depth: ``@depth@100ms`` sends at most ten a second and pair, and a liquid
book changes in every tenth of a second. All else is assumed, on the high side: the recordings that are at hand are of
pairs that hardly trade (nknusdt in 2021: 5 depth updates, 2.5 quotes and 0.03 aggregate trades a second).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Pace:
    """Events a second, on average."""

    trades_per_s: float
    quotes_per_s: float
    depth_per_s: float = 10.0


PAIRS: Final[Mapping[str, Pace]] = {
    "BTCUSDT": Pace(35.0, 145.0),
    "ETHUSDT": Pace(51.0, 120.0),
    "SOLUSDT": Pace(20.0, 80.0),
    "XRPUSDT": Pace(12.0, 60.0),
    "BNBUSDT": Pace(12.0, 60.0),
    "DOGEUSDT": Pace(10.0, 50.0),
    "ADAUSDT": Pace(5.0, 40.0),
    "LINKUSDT": Pace(5.0, 40.0),
    "AVAXUSDT": Pace(5.0, 40.0),
    "LTCUSDT": Pace(5.0, 40.0),
}


def ticks_per_s() -> dict[str, float]:
    """Return what the ten pairs do together in a second, by kind."""
    return {
        "trade": sum(one.trades_per_s for one in PAIRS.values()),
        "quote": sum(one.quotes_per_s for one in PAIRS.values()),
        "depth": sum(one.depth_per_s for one in PAIRS.values()),
    }
