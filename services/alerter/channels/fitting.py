"""Text within the limits of an API: cut between characters, never within what escapes one. Pure.

Lengths are UTF-16 code units: what some APIs count (Telegram, Discord), and never less than what the others do.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

Escape: TypeAlias = Callable[[str], str]
"""Writes text so that a channel shows it as it is; the escaped whole is its escaped characters, one after the other."""

ELLIPSIS: Final = "…"
BULLET: Final = "• "
MAX_ITEM: Final = 300

_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\ud800-\udfff\u2028\u2029]")


def unescaped(text: str) -> str:
    """Return the text as it is."""
    return text


def length(text: str) -> int:
    """Return how long a text is for the strictest of those who count."""
    return len(text) + sum(character > "\uffff" for character in text)


def clean(text: str) -> str:
    """Return the text without control characters, and what is no character replaced; lines stay."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def one_line(text: str) -> str:
    """Return the text in one line."""
    return " ".join(clean(text).split())


def cut(text: str, limit: int, escape: Escape = unescaped) -> str:
    """Return the escaped text, or as much of it as fits with an ellipsis; nothing where not even that fits."""
    if limit <= 0:
        return ""
    if len(text) <= limit and length(whole := escape(text)) <= limit:
        return whole
    left = limit - length(ELLIPSIS)
    kept = []
    for character in text[:limit]:
        left -= length(escape(character))
        if left < 0:
            break
        kept.append(escape(character))
    return "".join(kept).rstrip() + ELLIPSIS


def listed(items: Sequence[str], room: int, escape: Escape = unescaped) -> str:
    """Return the items, one a line, as many as fit, and how many more there are."""
    lines = [BULLET + cut(one_line(item), MAX_ITEM, escape) for item in items[: max(0, room)]]
    ends = [0]
    for line in lines:
        ends.append(ends[-1] + length(line) + 1)
    if len(lines) == len(items) and ends[-1] - 1 <= room:
        return "\n".join(lines)
    for count in range(len(lines), -1, -1):
        more = f"+{len(items) - count} more"
        if count < len(items) and ends[count] + length(more) <= room:
            return "\n".join([*lines[:count], more])
    return ""
