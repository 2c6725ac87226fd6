"""A price over time: its range as a band, its close as a line, its volume as columns below."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from services.api.charts.scale import Scale, moment, path, span_of, ticks, time_ticks, written
from services.api.templates import fill

WIDTH: Final = 640
HEIGHT: Final = 240
LEFT: Final = 8
RIGHT: Final = 72
TOP: Final = 30
BOTTOM: Final = 22
VOLUME: Final = 36
"""Pixels of the columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePoint:
    """One bar as the picture needs it; ``time`` is when it begins."""

    time: datetime
    low: float
    high: float
    close: float
    volume: float


def price_chart(points: Sequence[PricePoint], *, title: str, step: timedelta) -> str:
    """Return a picture (SVG) of bars of the length ``step``, in the order of time.

    Where a bar is missing the line is broken: nothing is drawn that was not traded.
    """
    if not points:
        return fill("charts/empty.svg", width=WIDTH, height=HEIGHT, title=title)
    first, last = points[0].time, points[-1].time + step
    low, high = span_of([value for point in points for value in (point.low, point.high)])
    across = Scale(first.timestamp(), last.timestamp(), LEFT, WIDTH - RIGHT)
    up = Scale(low, high, HEIGHT - BOTTOM - VOLUME - 8, TOP)
    pieces = list(_pieces(points, step))
    middle_s = step.total_seconds() / 2
    return fill(
        "charts/price.svg",
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        bottom=HEIGHT - BOTTOM,
        title=title,
        description=_described(points),
        prices=[(up(value), written(value)) for value in ticks(low, high, 4)],
        times=[(across(time.timestamp()), moment(time, last - first)) for time in time_ticks(first, last)],
        bands=[_band(piece, across, up, middle_s) for piece in pieces],
        lines=[
            path([(across(point.time.timestamp() + middle_s), up(point.close)) for point in piece]) for piece in pieces
        ],
        columns=_columns(points, across, step),
        rose=points[-1].close >= points[0].close,
    )


def _pieces(points: Sequence[PricePoint], step: timedelta) -> Iterator[Sequence[PricePoint]]:
    begin = 0
    for place, (before, after) in enumerate(pairwise(points), 1):
        if after.time - before.time > step:
            yield points[begin:place]
            begin = place
    yield points[begin:]


def _band(piece: Sequence[PricePoint], across: Scale, up: Scale, middle_s: float) -> str:
    above = [(across(point.time.timestamp() + middle_s), up(point.high)) for point in piece]
    below = [(across(point.time.timestamp() + middle_s), up(point.low)) for point in reversed(piece)]
    return path([*above, *below]) + "Z"


def _columns(points: Sequence[PricePoint], across: Scale, step: timedelta) -> list[tuple[float, float, float, float]]:
    """Return x, y, width and height of each."""
    most = max(point.volume for point in points)
    tall = Scale(0, most or 1.0, 0, VOLUME)
    width = max(0.5, round((across.end - across.start) * (step.total_seconds() / (across.high - across.low)) * 0.8, 2))
    return [
        (across(point.time.timestamp()), round(HEIGHT - BOTTOM - tall(point.volume), 1), width, tall(point.volume))
        for point in points
        if point.volume > 0
    ]


def _described(points: Sequence[PricePoint]) -> str:
    low, high = min(point.low for point in points), max(point.high for point in points)
    return (
        f"From {points[0].time:%Y-%m-%d %H:%M} UTC, {len(points)} bars: low {written(low)}, high {written(high)}, "
        f"last {written(points[-1].close)}."
    )
