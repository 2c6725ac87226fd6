"""The fold of trades into bars, against a loop over one trade at a time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nightdesk.bars import COLUMNS, MINUTE_NS, Bars, fold


@dataclass(frozen=True)
class Row:
    symbol: int
    time_ns: int
    key: int
    price: float
    size: float
    side: int


rows = st.lists(
    st.builds(
        Row,
        symbol=st.integers(1, 3),
        time_ns=st.integers(0, 3 * MINUTE_NS),
        key=st.integers(0, 6),
        price=st.integers(1, 1000).map(float),
        size=st.integers(1, 50).map(float),
        side=st.sampled_from([-1, 0, 1]),
    ),
    min_size=1,
    max_size=40,
)


def folded(trades: Sequence[Row]) -> Bars:
    def column(name: str, dtype: type) -> np.ndarray:
        return np.array([getattr(trade, name) for trade in trades], dtype=dtype)

    return fold(
        symbol=column("symbol", np.int32),
        time_ns=column("time_ns", np.int64),
        key=column("key", np.int64),
        price=column("price", np.float64),
        size=column("size", np.float64),
        side=column("side", np.int8),
    )


def as_dictionaries(bars: Bars) -> list[dict[str, float]]:
    return [
        dict(zip(COLUMNS, row, strict=True))
        for row in zip(*(getattr(bars, name).tolist() for name in COLUMNS), strict=True)
    ]


def slowly(trades: Sequence[Row]) -> list[dict[str, float]]:
    found = []
    for symbol, minute in sorted({(trade.symbol, trade.time_ns // MINUTE_NS) for trade in trades}):
        mine = [trade for trade in trades if (trade.symbol, trade.time_ns // MINUTE_NS) == (symbol, minute)]
        keys = [trade.key for trade in mine]
        found.append(
            {
                "symbol": symbol,
                "minute": minute,
                "open": next(trade.price for trade in mine if trade.key == min(keys)),
                "high": max(trade.price for trade in mine),
                "low": min(trade.price for trade in mine),
                "close": next(trade.price for trade in reversed(mine) if trade.key == max(keys)),
                "volume": math.fsum(trade.size for trade in mine),
                "buy_volume": math.fsum(trade.size for trade in mine if trade.side == 1),
                "quote_volume": math.fsum(trade.price * trade.size for trade in mine),
                "trades": len(mine),
                "open_key": min(keys),
                "close_key": max(keys),
            }
        )
    return found


@given(rows)
def test_the_fold_is_what_a_loop_computes(trades: list[Row]) -> None:
    assert as_dictionaries(folded(trades)) == slowly(trades)


def test_without_ids_the_first_to_arrive_opens_and_the_last_closes() -> None:
    same = {"symbol": 1, "time_ns": 5, "key": 5, "size": 1.0, "side": 0}
    bars = folded([Row(price=10.0, **same), Row(price=30.0, **same), Row(price=20.0, **same)])

    assert (bars.open[0], bars.high[0], bars.close[0]) == (10.0, 30.0, 20.0)
