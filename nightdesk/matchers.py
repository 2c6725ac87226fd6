r"""Which alerts are meant, as people write it in one line: ``alertname=SymbolSilent, symbol=BTC.*``. Pure.

A label, an equals sign, and a regular expression for the label's whole value. A comma before the next label separates;
one that belongs to a pattern and stands before something like a label is written ``\,``.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema

_SEPARATOR: Final = re.compile(r"\\.|(?P<comma>,)(?=\s*[a-zA-Z_][a-zA-Z0-9_]*\s*=)", re.DOTALL)
_SPECIAL: Final = re.compile(r"[.^$*+?{}\[\]\\|(),]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
MAX_PATTERN_CHARACTERS: Final = 500
LABEL: Final = r"^[a-zA-Z_][a-zA-Z0-9_]*$"


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


def read_matchers(text: str) -> dict[str, str]:
    """Return pattern by label; raises ValueError that says how to write them."""
    found: dict[str, str] = {}
    for piece in _pieces(text):
        label, sign, pattern = (part.strip() for part in piece.partition("="))
        if not sign or not label:
            raise ValueError(f"{piece[:80]!r} is no matcher; write label=pattern, as in alertname=FeedSilent")
        if label in found:
            raise ValueError(f"{label[:80]} stands there twice")
        found[label] = pattern
    return found


def written(matchers: Mapping[str, str]) -> str:
    """Return matchers in one line."""
    return ", ".join(f"{label}={pattern}" for label, pattern in matchers.items())


def exactly(labels: Mapping[str, str]) -> str:
    """Return matchers that mean these very values; a control character becomes any character."""
    return written({label: _CONTROL.sub(".", _SPECIAL.sub(r"\\\g<0>", value)) for label, value in labels.items()})


def _pieces(text: str) -> Iterator[str]:
    begin = 0
    for found in _SEPARATOR.finditer(text):
        if found["comma"]:
            yield text[begin : found.start()]
            begin = found.end()
    yield text[begin:]
