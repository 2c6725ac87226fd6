"""Where a value lies in a picture, and which values are worth a line of their own. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

STEPS: Final = tuple(
    timedelta(minutes=minutes)
    for minutes in (
        *(1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720),
        *(days * 1440 for days in (1, 2, 7, 14, 28, 91, 182, 365)),
    )
)
EPOCH: Final = datetime(2001, 1, 1, tzinfo=UTC)
"""A Monday: steps of weeks begin on Mondays."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from values to pixels: ``low`` lies at ``start``, ``high`` at ``end``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return where a value lies, in pixels, to a tenth."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.start + share * (self.end - self.start), 1)


def nice_step(span: float, most: int) -> float:
    """Return a step of 1, 2 or 5 times a power of ten that divides a span into at most ``most`` parts.

    After P. Heckbert, "Nice Numbers for Graph Labels", Graphics Gems, 1990.
    """
    if not span > 0 or not math.isfinite(span):
        return 1.0
    power = 10.0 ** math.floor(math.log10(span / most))
    if not power:
        return span
    return next((power * factor for factor in (1, 2, 5) if span / (power * factor) <= most * (1 + 1e-9)), power * 10)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round values between two, both included, about ``most`` of them; one where they are the same.

    Between numbers so large that their difference is none, it is those two.
    """
    if not high > low:
        return [low]
    if not math.isfinite(high - low):
        return [low, high]
    step = nice_step(high - low, most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, min(last, first + 2 * most) + 1)]


def time_ticks(first: datetime, last: datetime, most: int = 6) -> list[datetime]:
    """Return round moments between two: full minutes, hours, days or weeks in UTC, at most ``most`` of them."""
    span = last - first
    step = next((step for step in STEPS if span / step <= most), STEPS[-1])
    start = EPOCH - (EPOCH - first) // step * step
    return [start + number * step for number in range(most + 1) if start + number * step <= last]


def written(value: float) -> str:
    """Return a number as an axis or a label shows it: at most six significant digits, thousands as k, M, G."""
    size = abs(value)
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e5, "k")):
        if size >= limit:
            return f"{value / (1e3 if letter == 'k' else limit):.4g}{letter}"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.6g}"


def moment(time: datetime, span: timedelta) -> str:
    """Return a moment as an axis of this span shows it."""
    return f"{time:%H:%M}" if span <= timedelta(days=1, hours=1) else f"{time:%d %b}"


def span_of(values: Iterable[float], *, margin: float = 0.05) -> tuple[float, float]:
    """Return the least and the greatest of some values with a margin, a share of their span, on both sides."""
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    room = (high - low) * margin or abs(high) * 0.01 or 1.0
    return low - room, high + room


def path(points: Sequence[tuple[float, float]]) -> str:
    """Return an SVG path through some points."""
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in points) if points else ""
