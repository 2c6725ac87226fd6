"""Which alerts are meant: labels, each against a regular expression that has to match the whole value. Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema

Labels: TypeAlias = Mapping[str, str]

MAX_PATTERN_CHARACTERS = 500
LABEL = r"^[a-zA-Z_][a-zA-Z0-9_]*$"


def _label(name: str) -> str:
    if not re.fullmatch(LABEL, name):
        raise ValueError(f"{name[:80]!r} is no label name; letters, digits and _ only")
    return name


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{text[:80]!r} is no regular expression: {error}") from error
    return text


Pattern: TypeAlias = Annotated[str, Field(max_length=MAX_PATTERN_CHARACTERS), AfterValidator(_pattern)]
Matchers: TypeAlias = Annotated[
    dict[Annotated[str, AfterValidator(_label), WithJsonSchema({"type": "string", "pattern": LABEL})], Pattern],
    Field(min_length=1, max_length=20),
]
"""Label to pattern; all of them have to match. A label that is missing counts as empty, as in Prometheus."""


def matches(matchers: Mapping[str, str], labels: Labels) -> bool:
    """Return whether every matcher matches."""
    for name, pattern in matchers.items():  # noqa: SIM110  twice as fast, and every look asks it of every alert
        if not _fits(pattern, labels.get(name, "")):
            return False
    return True


@lru_cache(maxsize=10_000)
def _fits(pattern: str, value: str) -> bool:
    return _compiled(pattern).fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
