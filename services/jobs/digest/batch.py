"""The lines of one piece of a file, as PostgreSQL takes them: rows to COPY, and what is added to the counts. Pure."""

import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, TypeAlias

from services.jobs.digest.cutting import LONGEST_LINE_BYTES, Piece
from services.jobs.digest.fingerprints import cleaned
from services.jobs.digest.guard import GivenUpError
from services.jobs.digest.parsing import DAY_US, EPOCH, MICROSECOND, OVERLONG, Line, Parse

SAMPLES: Final = 10
"""Lines kept of those that were not understood, a day, source and reason."""

_SAMPLE_BYTES: Final = 2000
"""Of a line, before it is cleaned and cut."""

_HEAD: Final = struct.Struct("!hiqiqiq").pack
_LENGTH: Final = struct.Struct("!i").pack
_NULL: Final = _LENGTH(-1)
_COLUMNS: Final = 9
_JSONB_VERSION: Final = b"\x01"

COPY_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_END: Final = b"\xff\xff"
"""https://www.postgresql.org/docs/current/sql-copy.html, binary format."""

Day: TypeAlias = int
"""Days since 2000-01-01, UTC."""


@dataclass(slots=True)
class ErrorCount:
    """Errors alike, of one day; times in microseconds from 2000."""

    service: str
    level: str
    event: str
    template: str
    sample: str
    first_us: int
    last_us: int
    lines: int = 0


@dataclass(slots=True)
class UnparsedCount:
    """Lines that were not understood, of one day and reason."""

    lines: int = 0
    samples: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Heard:
    """When a service was heard, in microseconds from 2000."""

    first_us: int
    last_us: int


class Batch:
    """Takes pieces of one file and sums them up."""

    def __init__(self, *, log_file_id: int, path: str, parse: Parse, last_us: int) -> None:
        """``last_us`` is the time of the line before: lines that have none are counted on its day.

        ``length`` is how many bytes of the file were taken.
        """
        self._file_id = log_file_id
        self._path = path
        self._parse = parse
        self._heads: dict[tuple[str, str, str], bytes] = {}
        self._parts: list[bytes] = []
        self.last_us = last_us
        self.length = 0
        self.lines = 0
        self.counts: Counter[tuple[Day, str, str, str]] = Counter()
        self.errors: dict[tuple[Day, str], ErrorCount] = {}
        self.unparsed: dict[tuple[Day, str], UnparsedCount] = {}
        self.services: dict[str, Heard] = {}

    def add(self, piece: Piece) -> None:
        """Take the lines of a piece; raises GivenUpError before a line that nobody looks at any more."""
        if piece.is_overlong:
            self._refuse(piece.data, piece.offset, OVERLONG)
        else:
            self._take_all(piece)
        self.length += piece.length

    def _take_all(self, piece: Piece) -> None:
        at = piece.offset
        try:
            for line in piece.data.removesuffix(b"\n").split(b"\n"):
                self._take(line, at)
                at += len(line) + 1
        except GivenUpError:
            self.length += at - piece.offset
            raise

    def rows(self) -> bytes:
        """Return the rows of ``log_events`` in PostgreSQL's binary form."""
        return b"".join([COPY_HEADER, *self._parts, COPY_END])

    @property
    def unparsed_lines(self) -> int:
        """Return how many lines were not understood."""
        return sum(one.lines for one in self.unparsed.values())

    def _take(self, line: bytes, at: int) -> None:
        found = self._parse(line.removesuffix(b"\r")) if len(line) <= LONGEST_LINE_BYTES else OVERLONG
        if isinstance(found, str):
            self._refuse(line, at, found)
            return
        self.lines += 1
        self.last_us = found.time_us
        self.counts[found.time_us // DAY_US, found.service, found.level, found.event] += 1
        self._hear(found)
        if found.kinship is not None:
            self._count_error(found)
        self._parts.append(self._row(found, at))

    def _refuse(self, line: bytes, at: int, reason: str) -> None:
        self.lines += 1
        count = self.unparsed.setdefault((self.last_us // DAY_US, reason), UnparsedCount())
        count.lines += 1
        if len(count.samples) < SAMPLES:
            shown = cleaned(line[:_SAMPLE_BYTES].decode("utf-8", "replace"))
            count.samples.append({"path": self._path, "offset": at, "line": shown})

    def _hear(self, line: Line) -> None:
        heard = self.services.setdefault(line.service, Heard(line.time_us, line.time_us))
        heard.first_us = min(heard.first_us, line.time_us)
        heard.last_us = max(heard.last_us, line.time_us)

    def _count_error(self, line: Line) -> None:
        kinship = line.kinship
        assert kinship is not None  # noqa: S101  what _take looks at
        key = line.time_us // DAY_US, kinship.fingerprint
        count = self.errors.get(key)
        if count is None:
            count = self.errors[key] = ErrorCount(
                line.service, line.level, line.event, kinship.template, kinship.sample, line.time_us, line.time_us
            )
        count.lines += 1
        count.first_us = min(count.first_us, line.time_us)
        count.last_us = max(count.last_us, line.time_us)

    def _row(self, line: Line, at: int) -> bytes:
        names = line.service, line.level, line.event
        head = self._heads.get(names)
        if head is None:
            head = self._heads[names] = b"".join([_text(name) for name in names])
        return b"".join(
            (
                _HEAD(_COLUMNS, 8, self._file_id, 8, at, 8, line.time_us),
                head,
                _text(line.message),
                _NULL if line.kinship is None else _text(line.kinship.fingerprint),
                _LENGTH(len(line.fields) + 1),
                _JSONB_VERSION,
                line.fields,
            )
        )


def day_of(day: Day) -> date:
    """Return the date."""
    return EPOCH.date() + timedelta(days=day)


def us_of(moment: Any) -> int:  # noqa: ANN401  a datetime; the driver's rows have no types
    """Return microseconds from 2000."""
    return int((moment - EPOCH) // MICROSECOND)


def _text(text: str) -> bytes:
    data = text.encode()
    return _LENGTH(len(data)) + data
