"""What stands under a message's title, in text: what matters most comes first, whatever the limit. Pure.

First the facts (since when, the last good value), then how to acknowledge, then what it means, the list, the links.
Links are whole or not there at all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import quote

from services.alerter.channels.fitting import Escape, clean, cut, length, listed, one_line, unescaped
from services.alerter.messages import Fact, Link, Message

ACKNOWLEDGE: Final = "Acknowledge"
MAX_NAME: Final = 60
MAX_FACT: Final = 300
MAX_HINT: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """How a channel writes text: what comes to ``fact`` and ``link`` is escaped already, but for addresses."""

    escape: Escape
    fact: Callable[[str, str], str]
    link: Callable[[str, str], str]


PLAIN: Final = Markup(
    escape=unescaped,
    fact=lambda name, text: f"{name}: {text}",
    link=lambda label, url: f"{label}: {url}",
)

HTML: Final = Markup(
    escape=escape,
    fact=lambda name, text: f"<b>{name}</b> {text}",
    link=lambda label, url: f'<a href="{escape(url)}">{label}</a>',
)


def title_of(message: Message) -> str:
    """Return the title in one line; never empty."""
    return one_line(message.title) or message.kind.value


def laid_out(message: Message, markup: Markup, limit: int, *, with_acknowledge: bool = True) -> str:
    """Return what stands under the title, at most ``limit`` long; how to acknowledge may stand elsewhere."""
    page = _Page(limit)
    acknowledge = acknowledgement(message, markup, limit // 2) if with_acknowledge else ""
    kept = _cost(acknowledge)
    for fact in message.facts:
        page.add(_fact(fact, markup, page.left - kept - 1))
    page.add(acknowledge)
    links = [link_line(link, markup) for link in message.links]
    share = 2 if message.items or links else 1
    page.add(cut(clean(message.text), (page.left - 1) // share, markup.escape))
    page.add(listed(message.items, page.left - 1 - sum(map(_cost, links)), markup.escape))
    for link in links:
        page.add(link)
    return "\n".join(page.lines)


def acknowledgement(message: Message, markup: Markup, limit: int) -> str:
    """Return the link that acknowledges; where there is none that fits, how to do it otherwise."""
    linked = link_line(Link(ACKNOWLEDGE, message.acknowledge_url or ""), markup)
    if linked and length(linked) <= limit:
        return linked
    return cut(one_line(message.hint), min(limit, MAX_HINT), markup.escape)


def link_line(link: Link, markup: Markup) -> str:
    """Return a link; nothing where its address is none."""
    url = address_of(link.url)
    return markup.link(cut(one_line(link.label) or "Link", MAX_NAME, markup.escape), url) if url else ""


def fact_lines(facts: Sequence[Fact]) -> list[str]:
    """Return facts as plain lines."""
    return [line for fact in facts if (line := _fact(fact, PLAIN, MAX_NAME + MAX_FACT))]


def address_of(url: str | None) -> str:
    """Return a web address in characters that no markup takes for its own; nothing where it is none."""
    text = quote(clean(url or ""), safe="/:?#[]@!$&'*+,;=%")
    return text if text.startswith(("https://", "http://")) else ""


class _Page:
    """Lines within a limit."""

    def __init__(self, limit: int) -> None:
        self.lines: list[str] = []
        self.left = limit + 1  # the last line needs no break after it

    def add(self, line: str) -> None:
        if line and _cost(line) <= self.left:
            self.lines.append(line)
            self.left -= _cost(line)


def _cost(line: str) -> int:
    return length(line) + 1 if line else 0


def _fact(fact: Fact, markup: Markup, room: int) -> str:
    name = cut(one_line(fact.name), MAX_NAME, markup.escape)
    left = room - length(markup.fact(name, ""))
    text = cut(one_line(fact.text), min(left, MAX_FACT), markup.escape)
    return markup.fact(name, text) if text else ""
