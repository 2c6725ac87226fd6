"""What an incident is: a function that does the harm and says from when on a rule's condition holds because of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from tests.night.scene import Scene

PAGE_LIMIT_S: Final = 45.0
"""Three scrapes and evaluations, a poll, ``for`` and a delivery take twenty; the rest is for a machine that is busy."""

DIGEST_LIMIT_S: Final = 240.0
"""The longest time between two digests of the fast week, and some."""


def nothing() -> None:
    """Leave it as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """What was done: from when on its condition holds (Unix s), by the fault and the threshold, and what mends it.

    ``for``, scrape, evaluation, poll, waits and delivery are not part of the condition: they are what is measured.
    """

    condition_s: float
    mend: Callable[[], None] = nothing


Strike: TypeAlias = Callable[[Scene], Harm]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident of the week.

    It strikes ``at_s`` seconds after the beginning, or up to two seconds later. ``expected`` is the alert, ``words``
    are what a person has to read. It is mended once that is told and ``hold_s`` have passed, or never (``stays``).
    """

    name: str
    at_s: float
    strike: Strike
    expected: str
    words: re.Pattern[str]
    also: tuple[re.Pattern[str], ...] = ()
    limit_s: float = PAGE_LIMIT_S
    hold_s: float = 0.0
    stays: bool = False
    acknowledges: bool = True
    """Whether the person acknowledges what is paged about it."""

    is_digested: bool = False


def page(name: str, at_s: float, strike: Strike, expected: str, words: str, **options: Any) -> Incident:
    """Return an incident that somebody is called for."""
    return Incident(
        name=name, at_s=at_s, strike=strike, expected=f"{expected}, page", words=re.compile(words), **options
    )


def notice(name: str, at_s: float, strike: Strike, expected: str, words: str, **options: Any) -> Incident:
    """Return an incident that a route tells of at once."""
    return replace(page(name, at_s, strike, expected, words, **options), expected=f"{expected}, notice")


def digested(name: str, at_s: float, strike: Strike, expected: str, words: str, **options: Any) -> Incident:
    """Return an incident that is told in a digest, by policy."""
    late = {"limit_s": DIGEST_LIMIT_S, "is_digested": True}
    return replace(page(name, at_s, strike, expected, words, **late, **options), expected=f"{expected}, digest")
