"""Read rows of orders from CSV, as spreadsheets and databases write it. Pure.

The first line names the columns, in any order. Comma, semicolon or tab parts them, whichever the first line has;
blank lines are left out. Values are parts of lines, so that a file of any size is read in little memory.
"""

import csv
from collections.abc import Iterable, Iterator
from typing import Final

from nightdesk.orders.faults import BatchError, Fault
from nightdesk.orders.kinds import Kind

SEPARATORS: Final = (",", ";", "\t")
MARK: Final = "\ufeff"
"""What some programs begin a UTF-8 file with."""

MAX_LINE: Final = 64 * 1024
"""Characters of one line, beyond any that makes sense."""

Row = tuple[int, dict[str, str] | Fault]


def rows(kind: Kind, lines: Iterable[str]) -> Iterator[Row]:
    """Yield each row's first line number and its values by column; raises BatchError where it cannot be read further.

    ``lines`` keep their ends. In place of a row with too many or too few values comes a fault that says so.
    """
    numbered = iter(_bounded(lines))
    header = _header(numbered)
    separator = _separator(kind, header)
    columns = _columns(kind, next(csv.reader([header], delimiter=separator), []))
    reader = csv.reader(numbered, delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 2
        try:
            values = next(reader, None)
        except csv.Error as error:
            raise _unreadable(line, str(error)) from error
        if values is None:
            return
        if any(value.strip() for value in values):
            yield line, _named(line, columns, values)


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE:
            raise _unreadable(number, f"is longer than {MAX_LINE} characters")
        yield line


def _header(lines: Iterator[str]) -> str:
    header = next(lines, "").removeprefix(MARK)
    if not header.strip():
        raise BatchError("the file is empty, or its first line is: it has to name the columns", [])
    return header


def _separator(kind: Kind, header: str) -> str:
    """Return what parts the header into most of the names that are known."""

    def known(separator: str) -> int:
        return len({_name(word) for word in header.split(separator)} & set(kind.columns))

    return max(SEPARATORS, key=known)


def _columns(kind: Kind, header: list[str]) -> list[str]:
    """Return the names of the columns; raises BatchError that names what is unknown, missing or there twice."""
    names = [_name(word) for word in header]
    faults = [
        *(Fault(1, name, "is no column that is known here") for name in names if name not in kind.columns),
        *(Fault(1, name, "is missing") for name in kind.required if name not in names),
        *(Fault(1, name, "is there twice") for name in dict.fromkeys(names) if names.count(name) > 1),
    ]
    if faults:
        raise BatchError(f"the first line has to name columns of {kind.name}: {', '.join(kind.columns)}", faults)
    return names


def _name(word: str) -> str:
    return word.strip().strip('"').strip().lower().replace(" ", "_")


def _named(line: int, columns: list[str], values: list[str]) -> dict[str, str] | Fault:
    if len(values) != len(columns):
        return Fault(line, "", f"{len(values)} values for {len(columns)} columns")
    return {name: value.strip() for name, value in zip(columns, values, strict=True)}


def _unreadable(line: int, reason: str) -> BatchError:
    return BatchError(f"line {line} cannot be read: {reason}; nothing is recorded", [Fault(line, "", reason)])
