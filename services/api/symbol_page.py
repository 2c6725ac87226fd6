"""One symbol: how its price went, in figures beside the chart. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.api.charts.price import PricePoint, price_chart
from services.api.models import Bar, Interval, LatestTick

LIVE: Final = timedelta(seconds=10)
"""How often the chart of a short range is drawn anew, and the page with it."""

SLOW: Final = timedelta(minutes=1)


class Range(StrEnum):
    """How far a chart looks back."""

    H2 = "2h"
    D1 = "1d"
    D7 = "7d"
    D30 = "30d"
    D90 = "90d"

    @property
    def span(self) -> timedelta:
        """Its length."""
        return timedelta(minutes=Interval.H1.minutes * 2) if self is Range.H2 else timedelta(days=int(self[:-1]))

    @property
    def words(self) -> str:
        """Its length, as people say it."""
        count, unit = int(self[:-1]), "hour" if self[-1] == "h" else "day"
        return f"{count} {unit}{'' if count == 1 else 's'}"

    @property
    def interval(self) -> Interval:
        """The bars it is drawn of: some hundred of them."""
        return {
            Range.H2: Interval.M1, Range.D1: Interval.M5, Range.D7: Interval.M30, Range.D30: Interval.H1,
            Range.D90: Interval.H4,
        }[self]  # fmt: skip

    @property
    def every(self) -> timedelta:
        """After which time the chart is worth drawing anew."""
        return LIVE if self in {Range.H2, Range.D1} else SLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a price went over a range: the first bar's open, the last one's close and what lay between."""

    first: float
    last: float
    low: float
    high: float
    volume: float
    trades: int

    @property
    def change_percent(self) -> float:
        """By how much it rose or fell, to a hundredth; never minus nothing."""
        return round((self.last / self.first - 1) * 100, 2) + 0.0 if self.first else 0.0


def course(bars: Sequence[Bar]) -> Course | None:
    """Return how the price went, None where nothing was traded."""
    if not bars:
        return None
    return Course(
        first=bars[0].open,
        last=bars[-1].close,
        low=min(bar.low for bar in bars),
        high=max(bar.high for bar in bars),
        volume=sum(bar.volume for bar in bars),
        trades=sum(bar.trades for bar in bars),
    )


def chart(symbol: str, bars: Iterable[Bar], wanted: Range) -> str:
    """Return the picture (SVG) of a range."""
    points = [PricePoint(time=bar.time, low=bar.low, high=bar.high, close=bar.close, volume=bar.volume) for bar in bars]
    step = timedelta(minutes=wanted.interval.minutes)
    return price_chart(points, title=f"{symbol}, last {wanted.words}", step=step)


def drawn_at(now: datetime, wanted: Range) -> datetime:
    """Return the moment that a chart shown now ends at: the same for some seconds, so that it is drawn once."""
    return now - timedelta(seconds=now.timestamp() % wanted.every.total_seconds())


def said_of(symbol: str, found: Course | None, wanted: Range) -> str:
    """Return in words what the chart shows."""
    if found is None:
        return f"{symbol} over the last {wanted.words}: nothing was traded."
    return (
        f"{symbol} over the last {wanted.words}: from {found.first:,.9g} to {found.last:,.9g},"
        f" low {found.low:,.9g}, high {found.high:,.9g}."
    )


def facts(tick: LatestTick) -> str:
    """Return what the last tick of a kind says, in one line."""
    named = {
        "": tick.side, "price": tick.price, "size": tick.size, "bid": tick.bid_price, "bid size": tick.bid_size,
        "ask": tick.ask_price, "ask size": tick.ask_size, "spread": tick.spread, "pressure": tick.pressure_ratio,
    }  # fmt: skip
    return ", ".join(f"{name} {_written(value)}".strip() for name, value in named.items() if value is not None)


def _written(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.6g}" if abs(value) < 1e5 else f"{value:,.2f}"
