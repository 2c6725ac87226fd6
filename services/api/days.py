"""UTC days in paths and queries."""

import re
from datetime import date
from http import HTTPStatus
from typing import Annotated, Final, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

from nightdesk.problems import FieldProblem, RequestError, responses

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2200
_FORM: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _written(value: object) -> object:
    """Let only one way of writing a day pass: a number of seconds would be one as well."""
    if isinstance(value, str) and not _FORM.fullmatch(value):
        raise ValueError("is no day; write it like 2026-11-19")
    return value


Day: TypeAlias = Annotated[
    date, BeforeValidator(_written), WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-19"]})
]
"""A UTC day, as 2026-11-19."""

NO_DAY: Final = responses({404: "no desk has a report of such a day"})


def checked(day: date) -> date:
    """Return a day that a report can be made of; raises RequestError, 404, for those no desk was there."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        detail = f"there is no report of {day}"
        raise RequestError(HTTPStatus.NOT_FOUND, [FieldProblem(field="day", place="path", detail=detail)])
    return day
