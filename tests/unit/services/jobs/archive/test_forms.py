"""Rows come through Parquet and through PostgreSQL's formats bit by bit."""

import io
import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from nightdesk.store.tables import NAMES
from nightdesk.ticks import Kind
from services.jobs.archive.columns import LISTS, NULLABLE, Lists, Rows, StrangeRowsError, Values, form, length, received
from services.jobs.archive.copying import pieces
from services.jobs.archive.draft import Ids, renumbered
from services.jobs.archive.parquet import Writer, row_groups
from tests.unit.services.jobs.archive.rows import any_rows, listed

NAMED = {1: ("a", "BTC"), 2: ("b", "BTC"), 3: ("b", "Ü/€")}


def sent(kind: Kind, rows: Rows) -> dict[str, bytes]:
    """What PostgreSQL sends for these rows."""
    found: dict[str, bytes] = {}
    nulls = np.zeros(length(rows), dtype=">i2")
    for name in NAMES[kind]:
        column = rows[name]
        if isinstance(column, Lists):
            ends = np.cumsum(column.counts)
            parts = [column.numbers[end - count : end] for end, count in zip(ends, column.counts, strict=True)]
            found[name] = b"".join(map(array_send, parts))
            found[f"{name}_counts"] = column.counts.astype(">i4").tobytes()
            continue
        null = np.zeros(length(rows), np.bool_) if column.null is None else column.null
        found[name] = column.numbers[~null].astype(form(name)).tobytes()
        if name in NULLABLE[kind]:
            nulls += null.astype(np.int16) << NULLABLE[kind].index(name)
    return {**found, "nulls": nulls.tobytes()}


def array_send(values: np.ndarray) -> bytes:
    if not len(values):
        return struct.pack(">iii", 0, 0, 701)
    sent = values.astype(">f8").tobytes()
    elements = b"".join(struct.pack(">i", 8) + sent[place : place + 8] for place in range(0, len(sent), 8))
    return struct.pack(">iiiii", 1, 0, 701, len(values), 1) + elements


def taken_apart(copied: bytes, kind: Kind) -> list[Any]:
    """The rows of a binary COPY, field by field."""
    place, found = 19, []
    while (fields := struct.unpack_from(">h", copied, place)[0]) != -1:
        place += 2
        row = []
        for _ in range(fields):
            (size,) = struct.unpack_from(">i", copied, place)
            place += 4
            row.append(None if size < 0 else copied[place : place + size])
            place += max(size, 0)
        found.append(tuple(row))
    return found


def as_fields(rows: Rows) -> list[Any]:
    def field(name: str, value: bytes | None) -> bytes | None:
        if value is None:
            return None
        if name in LISTS:
            return array_send(np.frombuffer(value, np.float64))
        return np.frombuffer(value, np.dtype(form(name)).newbyteorder("=")).astype(form(name)).tobytes()

    return [tuple(field(name, value) for name, value in zip(rows, row, strict=True)) for row in listed(rows)]


def key(row: Any) -> str:
    return repr(row)


@settings(max_examples=30)
@given(any_rows())
def test_what_postgresql_sends_is_understood(given_rows: tuple[Kind, Rows]) -> None:
    kind, rows = given_rows

    assert listed(received(kind, length(rows), sent(kind, rows))) == listed(rows)


@settings(max_examples=30)
@given(any_rows())
def test_rows_come_back_from_a_file(given_rows: tuple[Kind, Rows]) -> None:
    kind, rows = given_rows
    file = io.BytesIO()
    writer = Writer(file, kind, NAMED)
    writer.add(rows)
    writer.add(rows)
    writer.close()

    parts = list(row_groups(kind, pa.BufferReader(file.getvalue())))

    assert [sorted(listed(part), key=key) for part, _ in parts] == [sorted(listed(rows), key=key)] * 2
    numbers = set(rows["symbol_id"].numbers.tolist())
    assert parts[0][1] == {number: name for number, name in NAMED.items() if number in numbers}


@settings(max_examples=30)
@given(any_rows())
def test_rows_go_back_as_they_came(given_rows: tuple[Kind, Rows]) -> None:
    kind, rows = given_rows

    assert sorted(taken_apart(b"".join(pieces(rows)), kind), key=key) == sorted(as_fields(rows), key=key)


@pytest.mark.parametrize(
    "lists",
    [
        struct.pack(">iiiiiii", 2, 0, 701, 1, 1, 1, 1) + struct.pack(">id", 8, 1.0),
        struct.pack(">iiiii", 1, 1, 701, 1, 1) + struct.pack(">i", -1) + bytes(8),
    ],
)
def test_lists_of_lists_and_lists_with_nulls_are_refused(lists: bytes) -> None:
    values = {name: bytes(np.dtype(form(name)).itemsize) for name in NAMES[Kind.DEPTH] if name not in LISTS}
    one, both = struct.pack(">i", 1), {"bids": lists, "asks": lists}

    with pytest.raises(StrangeRowsError):
        received(Kind.DEPTH, 1, {**values, "nulls": bytes(2), **both, "bids_counts": one, "asks_counts": one})


def trades(symbols: list[int], ids: list[int | None]) -> Rows:
    null = np.array([one is None for one in ids])
    return {
        "symbol_id": Values(np.array(symbols, np.int32)),
        "trade_id": Values(np.array([one or 0 for one in ids], np.int64), null if null.any() else None),
    }


def test_the_same_id_of_the_same_symbol_is_the_same_trade() -> None:
    ids = Ids(Kind.TRADE)
    ids.note(trades([1, 1, 2], [5, 6, 7]))
    ids.note(trades([1], [None]))

    assert ids.among(trades([1, 2, 2, 1, 3], [5, 5, 7, None, 5])).tolist() == [True, False, True, False, False]


def test_a_file_of_another_database_is_read_by_its_names() -> None:
    rows = trades([1, 2, 1, 4], [1, 2, 3, 4])

    assert renumbered(rows, {1: ("f", "a"), 2: ("f", "b")}, {("f", "a"): 9, ("f", "b"): 1})[
        "symbol_id"
    ].numbers.tolist() == [9, 1, 9, 4]
    with pytest.raises(StrangeRowsError, match=r"of a \(f\)"):
        renumbered(rows, {1: ("f", "a")}, {})
