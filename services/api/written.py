"""How figures, moments and JSON are written on a page. Pure."""

import json
from datetime import datetime
from decimal import Decimal
from math import floor, isfinite, log10
from typing import Final
from urllib.parse import quote

from nightdesk import durations
from nightdesk.reports import text as fixed_width
from nightdesk.reports import trades_text

MINUTE_S: Final = 60.0
SHORT_CHARACTERS: Final = 90


def number(value: float | Decimal | None, digits: int = 9) -> str:
    """Return a number with so many significant digits at most, thousands apart; nothing for None."""
    if value is None:
        return ""
    if not value or not isfinite(value):
        return f"{value:g}"
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    decimals = max(0, digits - 1 - floor(log10(abs(float(value)))))
    text = f"{round(exact, decimals):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def age(length_s: float | None) -> str:
    """Return how old something is: tenths of a second below a minute, then in words; nothing for None."""
    if length_s is None:
        return ""
    return f"{max(0.0, length_s):.1f} s" if length_s < MINUTE_S else durations.written(length_s)


def moment(at: datetime | None) -> str:
    """Return a moment for reading; the desk's clock is UTC, and its pages say so once."""
    return "" if at is None else f"{at:%a %d %b %H:%M:%S}"


def clock(at: datetime | None) -> str:
    """Return the time of the day."""
    return "" if at is None else f"{at:%H:%M:%S}"


def plain_json(value: object) -> str:
    """Return JSON that people read."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def short(value: object) -> str:
    """Return the plain facts of a job's result in one short line."""
    if not isinstance(value, dict):
        return ""
    plain = (f"{name} {fact}" for name, fact in value.items() if isinstance(fact, str | int | float) and fact != "")
    return cut(", ".join(plain))


def cut(text: str | None) -> str:
    """Return the first line of a text, no longer than a table has room for."""
    line = (text or "").strip().partition("\n")[0]
    return line if len(line) <= SHORT_CHARACTERS else f"{line[: SHORT_CHARACTERS - 1].rstrip()}…"


def sentence(text: str) -> str:
    """Return words with a capital at their beginning and a full stop at their end."""
    clean = text.strip()
    return clean[:1].upper() + clean[1:] + ("" if clean.endswith((".", "!", "?")) else ".")


def piece(text: str) -> str:
    """Return a text as one piece of a path, whatever characters it has."""
    return quote(text, safe="")


FILTERS: Final = {
    "count": fixed_width.number,
    "money": trades_text.money,
    "share": fixed_width.share,
    "number": number,
    "age": age,
    "moment": moment,
    "clock": clock,
    "plain_json": plain_json,
    "short": short,
    "cut": cut,
    "sentence": sentence,
    "piece": piece,
}
"""What templates call them."""
