"""The scan as a message: a line a symbol, short enough for a phone. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from services.jobs.scan.market import Row, by_trouble, ordered

MOST_LINES: Final = 25
"""A message holds 3,000 characters on Slack, and nobody reads more on a phone; the result has every symbol."""

MOST_NAMED: Final = 8


def title(moving: Sequence[Row], rows: Sequence[Row]) -> str:
    """Return the headline: who moves, and how many were looked at."""
    if not moving:
        return f"Before the open: no mover among {len(rows)}"
    names = ", ".join(f"{one.symbol} {_percent(one.gap_percent)}" for one in moving[:3])
    more = f" and {len(moving) - 3} more" if len(moving) > 3 else ""
    return f"Before the open: {names}{more}"


def text(moving: Sequence[Row], rows: Sequence[Row]) -> str:
    """Return the lines, movers first, then what is missing and of what."""
    moved = {one.symbol for one in moving}
    known = [one for one in ordered(rows) if one.previous_close is not None]
    lines = [*(one for one in known if one.symbol in moved), *(one for one in known if one.symbol not in moved)]
    shown = [f"{'▸ ' if one.symbol in moved else ''}{_line(one)}" for one in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(f"and {len(lines) - MOST_LINES} more, which the run's result has")
    return "\n".join([*shown, *_missing(rows)])


def fields(day: date, moving: Sequence[Row]) -> dict[str, str]:
    """Return the labelled lines."""
    return {"day": day.isoformat(), "movers": ", ".join(one.symbol for one in moving[:MOST_LINES]) or "none"}


def _line(one: Row) -> str:
    previous = _number(one.previous_close)
    price = f"no trade yet today, {previous} before" if one.price is None else f"{_number(one.price)} from {previous}"
    volume = "" if one.volume_ratio is None else f", volume {one.volume_ratio:.1f}x"
    gap = f"{_percent(one.gap_percent)} " if one.gap_percent is not None else ""
    return f"{one.symbol} {gap}{price}{volume}"


def _missing(rows: Sequence[Row]) -> list[str]:
    found = by_trouble([one for one in rows if one.previous_close is None])
    return [f"{_named(symbols)}: {why}" for why, symbols in found.items()]


def _named(symbols: Sequence[str]) -> str:
    more = f" and {len(symbols) - MOST_NAMED} more" if len(symbols) > MOST_NAMED else ""
    return f"{', '.join(symbols[:MOST_NAMED])}{more}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:+.1f} %"


def _number(value: float | None) -> str:
    """Prices as people write them: cents for what costs a dollar, six digits for what costs less."""
    if value is None:
        return ""
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.6g}"
