"""Rows as PostgreSQL takes them back, in binary COPY. Pure."""

from collections.abc import Iterator

import numpy as np

from nightdesk.store import rows as copy_format
from nightdesk.store.rows import Column, Doubles, Scalar
from services.jobs.archive.columns import Array, Lists, Rows, Values, form, length, select


def pieces(rows: Rows) -> Iterator[bytes | bytearray]:
    """Return the whole message, to be written piece by piece; rows of one shape are kept together."""
    yield copy_format.HEADER
    for part in _by_length(rows):
        yield from copy_format.encode([_column(name, column) for name, column in part.items()])
    yield copy_format.TRAILER


def _column(name: str, column: Values | Lists) -> Column:
    if isinstance(column, Values):
        return Scalar(column.numbers, form(name), column.null)
    return Doubles(column.numbers.reshape(len(column.counts), -1))


def _by_length(rows: Rows) -> Iterator[Rows]:
    """Arrays of one length are alike byte by byte."""
    lists = [column for column in rows.values() if isinstance(column, Lists)]
    if not lists or not length(rows):
        yield rows
        return
    shape: Array = np.zeros(length(rows), dtype=np.int64)
    for column in lists:
        shape = shape << 20 | column.counts
    for one in np.unique(shape).tolist():
        yield select(rows, np.flatnonzero(shape == one))
