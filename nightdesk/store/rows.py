"""Columns to the bytes of ``COPY ... (FORMAT binary)``, without Python per row.

Rows that have the same columns null and arrays of the same length are alike byte by byte but for their values, so each
such group is one template repeated and filled through numpy. The format is PostgreSQL's:
https://www.postgresql.org/docs/current/sql-copy.html (binary format), arrays as in ``array_send``.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = struct.pack(">h", -1)

NULL: Final = "null"
_FLOAT8_OID: Final = 701


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value a row, as PostgreSQL sends it (``>i2 >i4 >i8 >f8``); null where ``null`` says so."""

    values: Array
    form: str
    null: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Doubles:
    """A ``float8[]`` a row, all of one length: a matrix with one row a row."""

    values: Array


Column: TypeAlias = Scalar | Doubles


def encode(columns: Sequence[Column]) -> list[bytearray]:
    """Return the rows, in pieces to be written one after the other; groups of equal nulls are kept together."""
    pieces = []
    for chosen, nulls in _groups(columns):
        forms = tuple(_form(column, null) for column, null in zip(columns, nulls, strict=True))
        pieces.append(_fill(columns, forms, chosen))
    return pieces


def _groups(columns: Sequence[Column]) -> list[tuple[Array | slice, tuple[bool, ...]]]:
    masks = {place: column.null for place, column in enumerate(columns) if isinstance(column, Scalar)}
    present = {place: mask for place, mask in masks.items() if mask is not None and mask.any()}
    if not present:
        return [(slice(None), (False,) * len(columns))]
    pattern = np.zeros(len(columns[0].values), dtype=np.int64)
    for place, mask in present.items():
        pattern |= mask.astype(np.int64) << place
    return [
        (np.flatnonzero(pattern == bits), tuple(bool(bits >> place & 1) for place in range(len(columns))))
        for bits in np.unique(pattern).tolist()
    ]


def _form(column: Column, null: bool) -> str:  # noqa: FBT001  a row's fact, not a switch
    if null:
        return NULL
    return column.form if isinstance(column, Scalar) else str(column.values.shape[1])


def _fill(columns: Sequence[Column], forms: tuple[str, ...], chosen: Array | slice) -> bytearray:
    template, dtype = _layout(forms)
    first = columns[0].values[chosen]
    buffer = bytearray(template * len(first))
    rows = np.frombuffer(buffer, dtype=dtype)
    for name in dtype.names or ():
        column = columns[int(name)]
        target = rows[name] if isinstance(column, Scalar) else rows[name]["value"]
        target[...] = column.values[chosen]
    return buffer


@lru_cache(maxsize=1024)
def _layout(forms: tuple[str, ...]) -> tuple[bytes, np.dtype[np.void]]:
    """The bytes of a row without its values, and where its values go."""
    template = struct.pack(">h", len(forms))
    names, formats, offsets = [], [], []
    for place, form in enumerate(forms):
        head, field, size = _field(form)
        template += head
        if size:
            names.append(str(place))
            formats.append(field)
            offsets.append(len(template))
            template += _blank(form, size)
    layout: Any = {"names": names, "formats": formats, "offsets": offsets, "itemsize": len(template)}
    return template, np.dtype(layout)


def _field(form: str) -> tuple[bytes, Any, int]:
    """What precedes a field's value, the value's type and its size in bytes."""
    if form == NULL:
        return struct.pack(">i", -1), None, 0
    if not form.isdigit():
        size = np.dtype(form).itemsize
        return struct.pack(">i", size), form, size
    length = int(form)
    if not length:
        return struct.pack(">iiiI", 12, 0, 0, _FLOAT8_OID), None, 0
    element = np.dtype([("length", ">i4"), ("value", ">f8")])
    head = struct.pack(">iiiIii", 20 + 12 * length, 1, 0, _FLOAT8_OID, length, 1)
    return head, (element, (length,)), 12 * length


def _blank(form: str, size: int) -> bytes:
    return struct.pack(">id", 8, 0.0) * int(form) if form.isdigit() else bytes(size)
