"""Days of ticks in PostgreSQL: read, put back, dropped, and what is written down of their files."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeAlias, TypeVar

from nightdesk.store.database import Connection, HinderedError, translated
from nightdesk.store.tables import TABLES
from nightdesk.store.unit import COPY
from nightdesk.ticks import Kind
from services.jobs.archive.checksum import Checksum
from services.jobs.archive.columns import Rows, received, size_bytes
from services.jobs.archive.copying import pieces
from services.jobs.archive.parquet import Names
from services.jobs.archive.planning import TableDay

T = TypeVar("T")

CHUNK_BYTES: Final = 8 * 1024 * 1024
"""Of values at a time: the server holds twice as much, and whoever archives about six times."""

FIRST_PAGES: Final = 128
DROP_TRIES: Final = 10

KINDS: Final[Mapping[str, Kind]] = {table: kind for kind, table in TABLES.items()}

EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Before anything was archived."""

Tell: TypeAlias = Callable[[float, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is written down of a day's file. ``location`` is relative to the archive.

    ``stored`` says that PostgreSQL has all of its rows as well.
    """

    location: str
    bytes: int
    checksum: Checksum
    sha256: str
    stored: bool


@cache
def statement(name: str) -> bytes:
    """Return the text of ``sql/<name>.sql``."""
    return files("services.jobs").joinpath("sql", f"{name}.sql").read_bytes()


@contextmanager
def locked(connection: Connection, one: TableDay) -> Iterator[None]:
    """Keep a day to oneself, among those who archive or restore; raises HinderedError when it is not given."""
    values = {"table": TABLES[one.kind], "day": f"{one.day}"}
    with translated():
        connection.execute(statement("archive_lock"), values)
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(statement("archive_unlock"), values)


@contextmanager
def transaction(connection: Connection, *, snapshot: bool = False) -> Iterator[None]:
    """Do what is in the block all or not at all; with ``snapshot``, on what was committed before."""
    with translated(), connection.transaction():
        if snapshot:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def partitions(connection: Connection) -> dict[TableDay, int]:
    """Return every day that has a partition, with its pages."""
    with translated():
        found = connection.execute(statement("archive_partitions"), {"tables": list(KINDS)}).fetchall()
    return {TableDay(day, KINDS[table]): int(pages) for table, day, pages in found}


def gap_days(connection: Connection, *, since: date, before: date) -> set[TableDay]:
    """Return the days with a gap in ticks that may still be filled."""
    with translated():
        found = connection.execute(statement("archive_gaps"), {"since": midnight(since), "before": midnight(before)})
        return {TableDay(day, Kind(kind)) for kind, day in found.fetchall() if kind in TABLES}


def restored_days(connection: Connection, since: datetime) -> set[TableDay]:
    """Return the days that were put back since then."""
    with translated():
        found = connection.execute(statement("archive_restored_days"), {"since": since}).fetchall()
    return {TableDay(day, KINDS[table]) for table, day in found}


def archived(connection: Connection, day: date) -> list[TableDay]:
    """Return the tables of which this day is archived."""
    with translated():
        found = connection.execute(statement("archive_days_of"), {"day": day}).fetchall()
    return [TableDay(day, KINDS[table]) for (table,) in found]


def text(one: TableDay) -> str:
    """Return a table's day as a person reads it."""
    return f"{TABLES[one.kind]} of {one.day}"


def names(connection: Connection) -> Names:
    """Return feed and symbol of every number."""
    with translated():
        found = connection.execute(statement("archive_symbols")).fetchall()
    return {number: (feed, symbol) for number, feed, symbol in found}


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a day, and how far in it they end: pages, of how many."""

    rows: Rows
    read: int
    pages: int


def read(connection: Connection, one: TableDay) -> Iterator[Piece]:
    """Read a day, some 8 MB at a time; inside a transaction on a snapshot. Raises StrangeRowsError."""
    pages = partitions(connection).get(one, 0)
    values = {"from": midnight(one.day), "to": midnight(one.day + timedelta(days=1))}
    low, step = 0, FIRST_PAGES
    while low < pages:
        span = {"low": f"({low},0)", "high": f"({low + step},0)"}
        rows = _rows(connection, one.kind, {**values, **span})
        low += step
        if rows is not None:
            yield Piece(rows, min(low, pages), pages)
        step = _next_step(step, size_bytes(rows) if rows is not None else 0)


def ahead(pieces: Iterator[T]) -> Iterator[T]:
    """Fetch the next one while this one is worked on: the server has a core of its own."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = pool.submit(next, pieces, None)
            yield piece


def copy_back(connection: Connection, kind: Kind, rows: Rows) -> None:
    """Put rows into their table."""
    with connection.cursor() as cursor, cursor.copy(COPY[kind]) as copy:
        for piece in pieces(rows):
            copy.write(piece)


def ensure_day(connection: Connection, one: TableDay) -> None:
    """Make the partition unless it is there."""
    with translated():
        connection.execute(statement("archive_ensure_day"), _key(one))


def kept(connection: Connection, one: TableDay) -> Kept | None:
    """Return what is written down of a day's file."""
    with translated():
        row = connection.execute(statement("archive_row"), _key(one)).fetchone()
    if row is None:
        return None
    location, count, size, text, sha256, stored = row
    return Kept(location=location, bytes=size, checksum=Checksum.read(count, text), sha256=sha256, stored=stored)


def write_down(connection: Connection, one: TableDay, file: Kept) -> None:
    """Write down a day's file in place of the one before."""
    values = {
        "location": file.location, "rows": file.checksum.rows, "bytes": file.bytes, "checksum": file.checksum.text,
        "file_sha256": file.sha256,
    }  # fmt: skip
    with translated():
        connection.execute(statement("archive_write_row"), {**_key(one), **values})


def mark_restored(connection: Connection, one: TableDay) -> None:
    """Write down that PostgreSQL has all rows of the file again; in the transaction that puts them there."""
    connection.execute(statement("archive_mark_restored"), _key(one))


def drop(connection: Connection, one: TableDay, rows: int, file: Kept | None = None) -> bool:
    """Drop a day if it holds exactly so many rows; return whether it did.

    ``file`` is written down in the same transaction: it has rows that PostgreSQL is to have no more.

    Raises HinderedError when others used the table at each of ten tries of a second.
    """
    for left in reversed(range(DROP_TRIES)):
        try:
            return _drop(connection, one, rows, file)
        except HinderedError:
            if not left:
                raise
    raise AssertionError("the last try returns or raises")


def midnight(day: date) -> datetime:
    """Return when a UTC day begins."""
    return datetime.combine(day, time(), UTC)


def _drop(connection: Connection, one: TableDay, rows: int, file: Kept | None) -> bool:
    with transaction(connection):
        row = connection.execute(statement("archive_drop_day"), {**_key(one), "rows": rows}).fetchone()
        dropped = row is not None and bool(row[0])
        if dropped:
            if file is not None:
                write_down(connection, one, file)
            connection.execute(statement("archive_mark_dropped"), _key(one))
    return dropped


def _rows(connection: Connection, kind: Kind, values: Mapping[str, Any]) -> Rows | None:
    with connection.cursor(binary=True) as cursor:
        cursor.execute(statement(f"archive_{TABLES[kind]}"), values, prepare=False)
        sent = cursor.fetchone()
        described: Iterable[Any] = cursor.description or ()
    if sent is None or not sent[0]:
        return None
    columns = dict(zip((column.name for column in described), sent, strict=True))
    return received(kind, columns.pop("rows"), columns)


def _next_step(step: int, seen_bytes: int) -> int:
    """Pages for the next piece: as many as hold what one is to hold, twice as many at most."""
    wanted = step * CHUNK_BYTES // max(seen_bytes, 1)
    return max(16, min(wanted, 2 * step))


def _key(one: TableDay) -> dict[str, Any]:
    return {"table": TABLES[one.kind], "day": one.day}
