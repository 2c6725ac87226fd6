"""The kinds of fields that rows of orders have, the same from CSV as from JSON. Pure."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from nightdesk.reports.amounts import plain

MAX_DIGITS: Final = 28
MAX_PLACES: Final = 18
"""Before the point as well as behind it; a wei is the smallest unit that anybody trades in."""

MAX_WRITTEN: Final = 64
"""Characters of a number; more is not looked at."""

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199

_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?")
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?",
    re.IGNORECASE,
)


def positive(given: object) -> Decimal:
    """Return a number above zero exactly as it is written; raises ValueError."""
    if isinstance(given, bool) or not isinstance(given, str | int | Decimal):
        raise ValueError("is no number")  # noqa: TRY004  pydantic takes it for a wrong value
    text = str(given)
    if len(text) > MAX_WRITTEN or not _NUMBER.fullmatch(text):
        raise ValueError("is no number such as 1234.5")
    number = Decimal(text)
    if number <= 0:
        raise ValueError("is not above zero")
    _, digits, exponent = number.as_tuple()
    places = -exponent if isinstance(exponent, int) else 0
    if len(digits) > MAX_DIGITS or places > MAX_PLACES or number.adjusted() >= MAX_PLACES:
        raise ValueError(f"has more than {MAX_DIGITS} digits in all, or more than {MAX_PLACES} on a side of the point")
    return number


def moment(given: object) -> datetime:
    """Return a time in UTC; one without a zone is UTC. Raises ValueError."""
    if isinstance(given, datetime):
        return given.astimezone(UTC)
    if not isinstance(given, str) or not _TIME.fullmatch(given):
        raise ValueError("is no time such as 2026-11-02T14:30:00Z")
    time = datetime.fromisoformat(given.upper().replace(",", "."))
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise ValueError(f"is not between the years {FIRST_YEAR} and {LAST_YEAR}")
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)


def words(max_length: int, *, empty: bool = False) -> BeforeValidator:
    """Return what reads a text of one line, without blanks around it."""

    def read(given: object) -> str:
        if not isinstance(given, str):
            raise ValueError("is no text")  # noqa: TRY004  pydantic takes it for a wrong value
        text = given.strip()
        if not text and not empty:
            raise ValueError("is missing")
        if len(text) > max_length:
            raise ValueError(f"is longer than {max_length} characters")
        if not text.isprintable():
            raise ValueError("is not UTF-8" if _undecoded(text) else "has a control character in it")
        return text

    return BeforeValidator(read)


def _lower(given: object) -> object:
    return given.strip().lower() if isinstance(given, str) else given


def _undecoded(text: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in text)


Positive = Annotated[
    Decimal,
    BeforeValidator(positive),
    PlainSerializer(plain, return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": f"^{_NUMBER.pattern}$", "maxLength": MAX_WRITTEN},
                {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 10**MAX_PLACES},
            ],
            "examples": ["187.25"],
        },
        mode="validation",
    ),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$", "examples": ["187.25"]}, mode="serialization"),
]
"""A number above zero of at most 28 digits, exact: in JSON a string, or a number read without a binary float."""

Moment = Annotated[datetime, BeforeValidator(moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Lower = BeforeValidator(_lower)
