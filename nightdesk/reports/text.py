"""Reports as plain text: tables of fixed width and charts made of characters. Pure.

Lines are at most ``WIDTH`` columns wide, hold no control character and end without blanks, so that a terminal, a mail
and a file show them alike.
"""

import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

WIDTH: Final = 80
GAP: Final = "  "
BAR: Final = "#"
CUT: Final = ".."
SMALLEST: Final = 4
"""Columns that a column of words keeps, however little room there is."""


def title(text: str) -> list[str]:
    """Return a heading that fills the line."""
    return ["=" * WIDTH, cut(text, WIDTH), "=" * WIDTH]


def section(text: str) -> list[str]:
    """Return the heading of a part, after an empty line."""
    shown = cut(text, WIDTH)
    return ["", shown, "-" * width_of(shown)]


def pairs(facts: Sequence[tuple[str, str]]) -> list[str]:
    """Return labelled values, one a line, the values below each other."""
    widest = max((width_of(label) for label, _ in facts), default=0)
    return [cut(f"{padded(label + ':', widest + 1)} {value}", WIDTH).rstrip() for label, value in facts]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], sides: str) -> list[str]:
    """Return a table; ``sides`` has a letter a column: ``l`` for words, which may be cut, ``r`` for numbers.

    A line is wider than others only where its numbers are.
    """
    lines = [heads, *rows]
    widths = _fitting([max(width_of(line[at]) for line in lines) for at in range(len(heads))], sides)
    rule = GAP.join("-" * width for width in widths)
    written = [_line(line, widths, sides) for line in lines]
    return [written[0], rule, *written[1:]]


def bars(values: Sequence[tuple[str, Decimal | int, str]], *, mark: str = BAR) -> list[str]:
    """Return a chart of bars: of each value its label, the amount that its bar's length shows, and how that is said.

    The longest bar fills the line; what is more than nothing has one mark at least.
    """
    labels = max((width_of(label) for label, _, _ in values), default=0)
    said = max((width_of(text) for _, _, text in values), default=0)
    labels = min(labels, WIDTH // 3)
    room = max(WIDTH - labels - said - 2 * len(GAP), 1)
    most = max((amount for _, amount, _ in values), default=0)
    return [
        cut(
            f"{padded(label, labels)}{GAP}{_right(text, said)}{GAP}{mark * _length(amount, most, room)}", WIDTH
        ).rstrip()
        for label, amount, text in values
    ]


def number(value: Decimal | float, places: int = 0) -> str:
    """Return a number with its thousands apart, rounded to so many places."""
    text = f"{value:,.{places}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text


def share(ratio: Decimal | float) -> str:
    """Return a ratio as per cent."""
    return f"{number(ratio * 100, 1)} %"


def width_of(text: str) -> int:
    """Return how many columns a text takes: two for wide characters, none for what only marks another."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def cut(text: str, width: int) -> str:
    """Return a text without control characters that takes at most ``width`` columns; what is cut ends with dots."""
    clean = "".join(character if character.isprintable() else "?" for character in text)
    if width_of(clean) <= width:
        return clean
    kept, room = "", width - len(CUT)
    for character in clean:
        room -= _columns(character)
        if room < 0:
            break
        kept += character
    return (kept + CUT)[: max(width, 0)]


def padded(text: str, width: int) -> str:
    """Return a text that takes exactly ``width`` columns, cut or filled up with blanks."""
    shown = cut(text, width)
    return shown + " " * (width - width_of(shown))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _right(text: str, width: int) -> str:
    return " " * (width - width_of(text)) + text


def _line(cells: Sequence[str], widths: Sequence[int], sides: str) -> str:
    shown = (
        padded(cell, width) if side == "l" else _right(cell, width)
        for cell, width, side in zip(cells, widths, sides, strict=True)
    )
    return GAP.join(shown).rstrip()


def _fitting(widths: list[int], sides: str) -> list[int]:
    """Take from the widest columns of words until the line fits; a number is never cut, since it would be another."""
    fitted = list(widths)
    words = [at for at, side in enumerate(sides) if side == "l"]
    while sum(fitted) + len(GAP) * (len(fitted) - 1) > WIDTH:
        widest = max(words, key=lambda at: fitted[at], default=None)
        if widest is None or fitted[widest] <= SMALLEST:
            break
        fitted[widest] -= 1
    return fitted


def _length(amount: Decimal | float, most: Decimal | float, room: int) -> int:
    if amount <= 0 or most <= 0:
        return 0
    return max(int(room * Decimal(amount) / Decimal(most)), 1)
