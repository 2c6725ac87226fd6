"""The binary COPY format, read back by a reader written from PostgreSQL's page and nothing else."""

import struct
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nightdesk.store.rows import Column, Doubles, Scalar, encode


def decoded(pieces: list[bytes], forms: str) -> list[tuple[Any, ...]]:
    """``forms``: ``i`` int4, ``q`` int8, ``d`` float8, ``a`` float8[]."""
    data, at, found = b"".join(pieces), 0, []
    while at < len(data):
        (count,) = struct.unpack_from(">h", data, at)
        assert count == len(forms)
        at += 2
        values: list[Any] = []
        for form in forms:
            (size,) = struct.unpack_from(">i", data, at)
            at += 4
            if size >= 0:
                values.append(value(data[at : at + size], form))
                at += size
            else:
                values.append(None)
        found.append(tuple(values))
    return found


def value(data: bytes, form: str) -> Any:
    if form != "a":
        return struct.unpack(f">{form}", data)[0]
    dimensions, nulls, oid = struct.unpack_from(">iiI", data)
    assert (nulls, oid) == (0, 701)
    if not dimensions:
        return []
    length, lower_bound = struct.unpack_from(">ii", data, 12)
    assert (dimensions, lower_bound) == (1, 1)
    elements = [struct.unpack_from(">id", data, 20 + 12 * place) for place in range(length)]
    assert all(size == 8 for size, _ in elements)
    assert len(data) == 20 + 12 * length
    return [element for _, element in elements]


row = st.tuples(
    st.integers(-(2**31), 2**31 - 1),
    st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    st.one_of(st.none(), st.floats(allow_nan=False)),
)


@given(st.lists(row, min_size=1, max_size=30))
def test_every_row_arrives_with_its_nulls(rows: list[tuple[int, int | None, float | None]]) -> None:
    columns: list[Column] = [
        Scalar(np.array([one[0] for one in rows]), ">i4"),
        Scalar(np.array([one[1] or 0 for one in rows], dtype="<i8"), ">i8", np.array([one[1] is None for one in rows])),
        Scalar(np.array([one[2] or 0 for one in rows], dtype="<f8"), ">f8", np.array([one[2] is None for one in rows])),
    ]

    key = repr
    assert sorted(decoded(encode(columns), "iqd"), key=key) == sorted(rows, key=key)


@given(st.integers(0, 12), st.integers(1, 5))
def test_arrays_keep_their_order_and_length(length: int, count: int) -> None:
    levels = np.arange(count * length, dtype=np.float64).reshape(count, length)

    found = decoded(encode([Scalar(np.arange(count), ">i4"), Doubles(levels)]), "ia")

    assert found == [(place, levels[place].tolist()) for place in range(count)]
