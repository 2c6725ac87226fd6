"""A batch read whole: its records one after the other, or what is wrong with it. Pure."""

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from nightdesk.orders import csv_files
from nightdesk.orders.faults import BatchError, Fault, Faults, refused
from nightdesk.orders.kinds import Kind
from nightdesk.orders.models import Recorded
from nightdesk.orders.rows import checked

MAX_JSON_ROWS: Final = 10_000
MAX_JSON_BYTES: Final = 4 * 1024 * 1024
MAX_MARKS: Final = MAX_JSON_ROWS * 20
"""More values than the largest batch has: what is read takes many times the memory of what was sent."""

Placed = tuple[int, Recorded]


def from_csv(kind: Kind, lines: Iterable[str]) -> Iterator[Placed]:
    """Yield the records of a file with their lines; raises BatchError after the last one if any row is wrong."""
    return _whole(kind, csv_files.rows(kind, lines))


def from_json(kind: Kind, body: bytes) -> Iterator[Placed]:
    """Yield the records of a JSON object ``{kind: [...]}`` with their places, from 0; raises BatchError."""
    return _whole(kind, enumerate(_listed(kind, body)))


def _whole(kind: Kind, rows: Iterable[tuple[int, Any]]) -> Iterator[Placed]:
    faults, received = Faults(), 0
    for place, given in rows:
        received += 1
        found = _checked(kind, place, given)
        if isinstance(found, list):
            faults.add(found)
        elif not faults.rows:
            yield place, found
    if faults.rows:
        raise refused(faults, received)


def _checked(kind: Kind, place: int, given: object) -> Recorded | list[Fault]:
    if isinstance(given, Fault):
        return [given]
    if not isinstance(given, dict):
        return [Fault(place, "", "is no object")]
    return checked(kind, place, given)


def _listed(kind: Kind, body: bytes) -> list[object]:
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_MARKS:
        raise BatchError(f"more values than {MAX_JSON_ROWS:,} {kind.name} have; send them as text/csv", [])
    try:
        # The numbers exactly as they are written: a float would round them.
        given = json.loads(body, parse_float=Decimal, parse_int=_whole_number, parse_constant=_no_number)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise BatchError(f"the body is no JSON: {error}", []) from error
    if not isinstance(given, dict) or set(given) != {kind.name} or not isinstance(given[kind.name], list):
        raise BatchError(f'the body has to be {{"{kind.name}": [...]}}', [])
    listed: list[object] = given[kind.name]
    if len(listed) > MAX_JSON_ROWS:
        raise BatchError(f"{len(listed):,} rows; JSON takes {MAX_JSON_ROWS:,} at once, text/csv any number", [])
    return listed


def _whole_number(text: str) -> Decimal:
    return Decimal(text)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")
