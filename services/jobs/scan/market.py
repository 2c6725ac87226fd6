"""A symbol's last days and its price of today, and what they come to. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from statistics import fmean
from typing import Final

USUAL_DAYS: Final = 20
"""A month of sessions: so many days before the last one are its usual."""

LEAST_DAYS: Final = 5
"""Fewer are no usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One completed day of a symbol."""

    day: date
    close: float
    volume: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a source knows of a symbol: completed days, the oldest first, and what it last traded at, and when.

    ``price`` is None where there was no trade today. ``trouble`` says why a source knows nothing.
    """

    symbol: str
    source: str
    days: Sequence[Day] = ()
    price: float | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the scan; None is what could not be known, and ``missing`` says why."""

    symbol: str
    source: str
    previous_day: date | None = None
    previous_close: float | None = None
    price: float | None = None
    gap_percent: float | None = None
    volume: float | None = None
    volume_ratio: float | None = None
    missing: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return it as a result tells it."""
        return {
            "symbol": self.symbol,
            "source": self.source,
            "previous_day": None if self.previous_day is None else self.previous_day.isoformat(),
            "previous_close": self.previous_close,
            "price": self.price,
            "gap_percent": _rounded(self.gap_percent),
            "volume": self.volume,
            "volume_ratio": _rounded(self.volume_ratio),
            "missing": list(self.missing),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What makes a mover: a gap of at least so many percent, up or down, and so many times the usual volume."""

    gap_percent: float
    volume_ratio: float


def day_of(time_s: float, zone: tzinfo) -> date:
    """Return the exchange's day of a daily candle.

    Some sources date it with the day's name at midnight UTC, some with a moment of the day on the exchange's clock.
    """
    moment = datetime.fromtimestamp(time_s, UTC)
    is_name = (moment.hour, moment.minute, moment.second) == (0, 0, 0)
    return moment.date() if is_name else moment.astimezone(zone).date()


def row(known: Known, previous_session: date) -> Row:
    """Return what is to be said of a symbol whose last session was on that day."""
    if known.trouble:
        return Row(symbol=known.symbol, source=known.source, missing=(known.trouble,))
    last = known.days[-1] if known.days else None
    if last is None or last.day < previous_session:
        older = "" if last is None else f", the newest is of {last.day}"
        return Row(
            symbol=known.symbol,
            source=known.source,
            price=known.price,
            missing=(f"no data of the last session, {previous_session}{older}",),
        )
    return _row(known, last, _usual(known.days[:-1]))


def _row(known: Known, last: Day, usual: float | None) -> Row:
    missing = [] if known.price is not None else ["no trade yet today"]
    if usual is None:
        missing.append("its usual volume is not known yet")
    return Row(
        symbol=known.symbol,
        source=known.source,
        previous_day=last.day,
        previous_close=last.close,
        price=known.price,
        gap_percent=_gap_percent(known.price, last.close),
        volume=last.volume,
        volume_ratio=None if usual is None else last.volume / usual,
        missing=tuple(missing),
    )


def _gap_percent(price: float | None, close: float) -> float | None:
    return None if price is None or close <= 0 else (price / close - 1) * 100


def _usual(days: Sequence[Day]) -> float | None:
    """The mean volume of the days before; None while there are too few, or nobody traded."""
    volumes = [one.volume for one in days[-USUAL_DAYS:]]
    usual = fmean(volumes) if len(volumes) >= LEAST_DAYS else 0.0
    return usual or None


def ordered(rows: Sequence[Row]) -> list[Row]:
    """Return the rows, the widest gap first; those without a gap come last."""
    return sorted(rows, key=lambda one: (one.gap_percent is None, -abs(one.gap_percent or 0.0), one.symbol))


def movers(rows: Sequence[Row], limits: Limits) -> list[Row]:
    """Return the rows that move enough, on volume enough; an unknown volume is not enough where one is asked for."""
    return [
        one
        for one in ordered(rows)
        if one.gap_percent is not None
        and abs(one.gap_percent) >= limits.gap_percent
        and (one.volume_ratio or 0.0) >= limits.volume_ratio
    ]


def by_trouble(rows: Sequence[Row]) -> Mapping[str, list[str]]:
    """Return the symbols of which something is missing, by what it is."""
    found: dict[str, list[str]] = {}
    for one in rows:
        for text in one.missing:
            found.setdefault(text, []).append(one.symbol)
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
