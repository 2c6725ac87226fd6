"""Record a batch in one transaction: all of it, or nothing.

The rows go into a table of the transaction's own by COPY, where they hold up nobody; then what is new is added and what
differs is changed by one statement, in the order of the keys, so that two imports at once wait and never deadlock.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from nightdesk.orders.batches import Placed
from nightdesk.orders.faults import Fault, Faults, refused, shown
from nightdesk.orders.kinds import INSTRUMENTS, ORDERS, TRADERS, Kind
from nightdesk.orders.models import Counts
from nightdesk.store.database import Connection, translated

BLOCK_ROWS: Final = 5000

Rows = list[dict[str, Any]]
Told = Callable[[int], None]
"""Takes how many rows were read so far."""


@cache
def statement(name: str) -> bytes:
    """Return the text of ``sql/<name>.sql``."""
    return files("nightdesk.orders").joinpath("sql", f"{name}.sql").read_bytes()


def load(
    connection: Connection, kind: Kind, batch: Iterable[Placed], *, create: bool = False, told: Told = lambda _: None
) -> Counts:
    """Record a batch and return what it came to; with ``create``, unknown instruments and traders of orders as well.

    Raises BatchError when something is wrong with it, UnavailableError and HinderedError when it may be tried again.
    """
    with translated(), connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement(f"stage_{kind.name}"))
        received = _copy(cursor, kind, batch, told)
        cursor.execute(statement("analyze_staged"))
        _refuse(_twice(kind, _rows(cursor, f"twice_{kind.name}")), received)
        if kind is ORDERS:
            _name_all(cursor, received, create=create)
        (counts,) = _rows(cursor, f"merge_{kind.name}")
    return Counts(received=received, **counts, unchanged=received - counts["added"] - counts["changed"])


def _copy(cursor: "psycopg.Cursor[Any]", kind: Kind, batch: Iterable[Placed], told: Told) -> int:
    """Copy the rows block by block: what is read meanwhile counts for no statement's time limit."""
    received = 0
    for block in _blocks(_lines(kind, batch)):
        with cursor.copy(statement("copy_staged")) as copy:
            copy.write("".join(block))
        received += len(block)
        told(received)
    return received


def _name_all(cursor: "psycopg.Cursor[Any]", received: int, *, create: bool) -> None:
    """See to it that every instrument and trader that orders name is there; raises BatchError."""
    if create:
        cursor.execute(statement("create_instruments"))
        cursor.execute(statement("create_traders"))
        return
    faults = Faults()
    for kind, column in ((INSTRUMENTS, "symbol"), (TRADERS, "trader")):
        found = _rows(cursor, f"unknown_{kind.name}")
        faults.add([Fault(row["first"], column, _unknown(kind, row)) for row in found], rows=0)
    faults.rows = _rows(cursor, "unknown_rows")[0]["rows"] if faults.listed else 0
    _refuse(faults, received)


def _rows(cursor: "psycopg.Cursor[Any]", name: str) -> Rows:
    return cursor.execute(statement(name)).fetchall()


def _refuse(faults: Faults, received: int) -> None:
    if faults.rows:
        raise refused(faults, received)


def _twice(kind: Kind, found: Rows) -> Faults:
    faults = Faults()
    listed = [Fault(row["other"], kind.key, f"{shown(row['key'])} is there twice", row["first"]) for row in found]
    faults.add(listed, rows=found[0]["all_rows"] if found else 0)
    return faults


def _unknown(kind: Kind, row: dict[str, Any]) -> str:
    others = "" if row["rows"] == 1 else f" ({row['rows']:,} rows name it)"
    noun = kind.name.removesuffix("s")
    return f"{noun} {shown(row['name'])} is not recorded{others}; record {kind.name} first, or ask with create=yes"


def _lines(kind: Kind, batch: Iterable[Placed]) -> Iterator[str]:
    """Yield records as COPY reads them. No value has a tab or an end of line; see ``fields.words``."""
    columns = kind.columns
    for place, record in batch:
        values = vars(record)
        yield "\t".join([str(place), *[_escaped(values[column]) for column in columns]]) + "\n"


def _escaped(value: object) -> str:
    return "\\N" if value is None else str(value).replace("\\", "\\\\")


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in lines:
        block.append(line)
        if len(block) == BLOCK_ROWS:
            yield block
            block = []
    yield block
