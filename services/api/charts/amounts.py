"""Amounts side by side: columns over time, or bars of what has a name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.api.charts.scale import Scale, ticks, written
from services.api.templates import fill

WIDTH: Final = 640
HEIGHT: Final = 220
LEFT: Final = 8
RIGHT: Final = 64
TOP: Final = 30
BOTTOM: Final = 24
LABELS: Final = 8
ROW: Final = 26
NAME: Final = 190
NAME_LENGTH: Final = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """One column or bar; ``marked`` is the part of it that stands out, such as what is new."""

    label: str
    value: float
    marked: float = 0.0


def column_chart(amounts: Sequence[Amount], *, title: str) -> str:
    """Return a picture (SVG) of columns from left to right; values are not negative."""
    if not amounts:
        return fill("charts/empty.svg", width=WIDTH, height=HEIGHT, title=title)
    most = max(one.value for one in amounts) or 1.0
    up = Scale(0, most, HEIGHT - BOTTOM, TOP)
    room = (WIDTH - LEFT - RIGHT) / len(amounts)
    every = -(-len(amounts) // LABELS)
    return fill(
        "charts/columns.svg",
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        bottom=HEIGHT - BOTTOM,
        title=title,
        description=_described(amounts),
        values=[(up(value), written(value)) for value in ticks(0, most, 4)],
        columns=[_column(one, LEFT + place * room, room, up) for place, one in enumerate(amounts)],
        labels=[
            (round(LEFT + (place + 0.5) * room, 1), one.label)
            for place, one in enumerate(amounts)
            if place % every == 0
        ],
    )


def bar_chart(amounts: Sequence[Amount], *, title: str) -> str:
    """Return a picture (SVG) of bars below each other, each with its name and its value."""
    if not amounts:
        return fill("charts/empty.svg", width=WIDTH, height=HEIGHT, title=title)
    along = Scale(0, max(one.value for one in amounts) or 1.0, 0, WIDTH - NAME - RIGHT)
    return fill(
        "charts/bars.svg",
        width=WIDTH,
        height=TOP + ROW * len(amounts) + 8,
        left=NAME,
        title=title,
        description=_described(amounts),
        bars=[
            (TOP + place * ROW, _cut(one.label), along(one.value), along(one.marked), written(one.value))
            for place, one in enumerate(amounts)
        ],
        thick=ROW - 8,
    )


def _column(one: Amount, x: float, room: float, up: Scale) -> tuple[float, float, float, float, float]:
    """Return x, width, the top of the whole, its height, and the height of what is marked."""
    top = up(one.value)
    return (
        round(x + room * 0.1, 1),
        round(room * 0.8, 2),
        top,
        round(up.start - top, 1),
        round(up.start - up(one.marked), 1),
    )


def _cut(label: str) -> str:
    return label if len(label) <= NAME_LENGTH else f"{label[: NAME_LENGTH - 1]}…"


def _described(amounts: Sequence[Amount]) -> str:
    return "; ".join(f"{one.label} {written(one.value)}" for one in amounts) + "."
