"""What arrived, as a person reads it. Pure: nothing is asked of the alerter, only what stands in a message counts."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

SLACK: Final = "slack-desk"
PUSHOVER: Final = "pushover"


class Sign(StrEnum):
    """The sign that a title begins with: how urgent it is, or that it is over."""

    CRITICAL = "\N{LARGE RED CIRCLE}"
    WARNING = "\N{LARGE ORANGE CIRCLE}"
    INFO = "\N{LARGE BLUE CIRCLE}"
    OVER = "\N{LARGE GREEN CIRCLE}"


_DIGEST: Final = re.compile(r"Digest: ")
_AGAIN: Final = re.compile(r"(Nobody has acknowledged|Still firing) ")
_PREFIX: Final = re.compile(r"(Nobody has acknowledged for|Still firing after|Over after|Came and went within) [^:]*: ")
_NUMBER: Final = re.compile(r"make ack ID=(\d+)")
_BULLET: Final = "• "
_OVER: Final = "over: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message as it arrived: when (Unix seconds), on which channel, its sign, title and lines.

    ``is_delivered`` says whether its channel took it: what is refused or hangs has reached nobody.
    """

    at_s: float
    channel: str
    sign: Sign
    title: str
    lines: tuple[str, ...] = ()
    is_delivered: bool = True

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join([self.title, *self.lines])

    @property
    def is_digest(self) -> bool:
        """Whether it is a digest."""
        return _DIGEST.match(self.title) is not None

    @property
    def is_again(self) -> bool:
        """Whether it calls a second time about something."""
        return _AGAIN.match(self.title) is not None

    @property
    def is_page(self) -> bool:
        """Whether it calls for somebody: critical, and not over."""
        return self.sign is Sign.CRITICAL

    @property
    def is_soft(self) -> bool:
        """Whether it is one of those that a person reads when there is time."""
        return self.sign in {Sign.WARNING, Sign.INFO}

    @property
    def subjects(self) -> tuple[str, ...]:
        """What it is about: the lines of its list, those left out that are over, or its title alone."""
        listed = [line.removeprefix(_BULLET) for line in self.lines if line.startswith(_BULLET)]
        kept = [line for line in listed if not line.startswith(_OVER)]
        return tuple(kept) or (_PREFIX.sub("", self.title, count=1),)

    @property
    def number(self) -> int | None:
        """The number by which it wants to be acknowledged, if it does."""
        found = _NUMBER.search(self.text)
        return None if found is None else int(found[1])


def slack(body: Mapping[str, Any], at_s: float, *, is_delivered: bool = True) -> Told:
    """Read what was posted to Slack."""
    sign, _, rest = str(body["text"]).partition(" ")
    blocks = (block for card in body.get("attachments", []) for block in card["blocks"])
    return Told(
        at_s=at_s,
        channel=SLACK,
        sign=Sign(sign),
        title=html.unescape(rest.removeprefix("*").removesuffix("*")),
        lines=tuple(html.unescape(line) for block in blocks for line in _lines(block)),
        is_delivered=is_delivered,
    )


def pushover(body: Mapping[str, Any], at_s: float, *, is_delivered: bool = True) -> Told:
    """Read what was posted to Pushover."""
    sign, _, title = str(body["title"]).partition(" ")
    lines = tuple(str(body["message"]).splitlines())
    return Told(at_s=at_s, channel=PUSHOVER, sign=Sign(sign), title=title, lines=lines, is_delivered=is_delivered)


def first(told: Iterable[Told], words: re.Pattern[str], *, from_s: float) -> Told | None:
    """Return the first that was delivered from a moment on, has the words in it and does not say that it is over."""
    fitting = (
        one
        for one in told
        if one.is_delivered and one.at_s >= from_s and one.sign is not Sign.OVER and words.search(one.text)
    )
    return min(fitting, key=lambda one: one.at_s, default=None)


def _lines(block: Mapping[str, Any]) -> Iterator[str]:
    for part in [*block.get("fields", []), *([block["text"]] if "text" in block else [])]:
        yield from str(part["text"]).splitlines()
