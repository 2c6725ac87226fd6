"""Read rows of orders from CSV, as spreadsheets and databases write it. Pure.

The first line names the columns, in any order. Comma, semicolon or tab parts them, whichever the first line has;
blank lines are left out. Values are parts of lines, so that a file of any size is read in little memory.
"""

import csv
from collections.abc import Iterable, Iterator
from typing import Final

from nightdesk.orders.faults import BatchError, Fault, cut
from nightdesk.orders.kinds import Kind

SEPARATORS: Final = (",", ";", "\t")
MARK: Final = "\ufeff"
"""What some programs begin a UTF-8 file with."""

MAX_LINE: Final = 64 * 1024
"""Characters of one row, beyond any that makes sense, in however many lines it is written."""

MAX_COLUMNS: Final = 100

Row = tuple[int, dict[str, str] | Fault]


def rows(kind: Kind, lines: Iterable[str]) -> Iterator[Row]:
    """Yield each row's first line number and its values by column; raises BatchError where it cannot be read further.

    ``lines`` keep their ends. In place of a row with too many or too few values comes a fault that says so.
    """
    bounded = _Bounded(lines)
    header = _header(bounded)
    separator = _separator(kind, header)
    columns = _columns(kind, _values(csv.reader([header], delimiter=separator), 1) or [])
    reader = csv.reader(bounded, delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 2
        bounded.begin()
        values = _values(reader, line)
        if values is None:
            return
        if any(value.strip() for value in values):
            yield line, _named(line, columns, values)


class _Bounded:
    """Lines, as long as no row has too many of them: quotes can hold a file together as one row."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._number = 0
        self.begin()

    def begin(self) -> None:
        """Begin a row."""
        self._left = MAX_LINE

    def __iter__(self) -> Iterator[str]:
        """Return itself: lines are read once."""
        return self

    def __next__(self) -> str:
        """Return the next line; raises BatchError where the row is too long by it."""
        line = next(self._lines)
        self._number += 1
        self._left -= len(line)
        if self._left < 0:
            raise _unreadable(self._number, f"is longer than {MAX_LINE} characters")
        return line


def _values(reader: Iterator[list[str]], line: int) -> list[str] | None:
    """Return the values of the next row, which begins on this line; None after the last one."""
    try:
        return next(reader, None)
    except csv.Error as error:
        raise _unreadable(line, str(error)) from error


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
    if len(names) > MAX_COLUMNS:
        raise _unreadable(1, f"names {len(names):,} columns")
    faults = [
        *(Fault(1, cut(name), "is no column that is known here") for name in names if name not in kind.columns),
        *(Fault(1, name, "is missing") for name in kind.required if name not in names),
        *(Fault(1, cut(name), "is there twice") for name in dict.fromkeys(names) if names.count(name) > 1),
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
