"""One row checked: the record, or what is wrong with it. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from nightdesk.orders.faults import Fault, cut, shown
from nightdesk.orders.kinds import Kind
from nightdesk.orders.models import Recorded

_PREFIX: Final = "Value error, "


def checked(kind: Kind, place: int, given: Mapping[str, Any]) -> Recorded | list[Fault]:
    """Return the record of a row, else its faults, the first of each column."""
    try:
        return kind.model.model_validate(given)
    except ValidationError as error:
        first: dict[str, Fault] = {}
        for one in error.errors(include_url=False, include_context=False):
            column = str(one["loc"][0]) if one["loc"] else ""
            first.setdefault(column, Fault(place, cut(column), _reason(one["type"], one["msg"], one["input"])))
        return list(first.values())


def _reason(kind: str, text: str, given: object) -> str:
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is no field that is known here"
    if text.startswith(_PREFIX):
        return text.removeprefix(_PREFIX) if given == "" else f"{shown(given)} {text.removeprefix(_PREFIX)}"
    return f"{shown(given)}: {text}"
