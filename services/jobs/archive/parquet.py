"""Rows to Parquet and back, so that the file can be read without the database. No I/O of its own.

A file holds one table's day. Its row groups are a few hundred thousand rows each, in the order in which PostgreSQL
keeps them, sorted by symbol and time within; the names of feed and symbol are columns like any other.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nightdesk.store.tables import EPOCH_US, NAMES
from nightdesk.ticks import Kind
from services.jobs.archive.columns import IDS, LISTS, NULLABLE, TIMES, Array, Lists, Rows, Values, form, length, select

Names: TypeAlias = Mapping[int, tuple[str, str]]
"""Feed and symbol by the symbol's number."""

LEVEL: Final = 3
"""Of zstd; higher ones take twice as long for a hundredth less."""

_REPLACES: Final = b"nightdesk.replaces"
_NAME: Final = pa.dictionary(pa.int32(), pa.string())
_TIME: Final = pa.timestamp("us", tz="UTC")
_FEW: Final = ("feed", "symbol", "symbol_id", "side", "price", "size", "bid_price", "ask_price", "spread")
"""Columns of which the same values come again and again."""


def schema(kind: Kind) -> pa.Schema:
    """Return the columns of a kind's files."""
    fields = [pa.field("feed", _NAME), pa.field("symbol", _NAME)]
    fields += [pa.field(name, _type(name), nullable=name in NULLABLE[kind]) for name in NAMES[kind]]
    return pa.schema(fields)


class Writer:
    """Write one file into an open stream."""

    def __init__(self, sink: Any, kind: Kind, names: Names, *, replaces: str = "") -> None:  # noqa: ANN401  a stream
        self._schema = schema(kind).with_metadata({_REPLACES: replaces.encode()})
        self._kind = kind
        self._names = names
        order = [pq.SortingColumn(self._schema.get_field_index(name)) for name in ("symbol_id", "time")]
        self._writer = pq.ParquetWriter(sink, self._schema, sorting_columns=order, **options(kind))

    def add(self, rows: Rows) -> None:
        """Write rows as a row group of their own."""
        order = np.lexsort((rows["time"].numbers, rows["symbol_id"].numbers))
        table = to_table(self._kind, select(rows, order), self._names).cast(self._schema)
        self._writer.write_table(table, row_group_size=max(1, length(rows)))

    def close(self) -> None:
        """Write the end, without which the file is none."""
        self._writer.close()


def options(kind: Kind) -> dict[str, Any]:
    """Return how values are laid out: rising numbers by their differences, few values by number, compressed by zstd."""
    rising = [name for name in NAMES[kind] if name in IDS or name in TIMES]
    few = [name for name in (*_FEW, "bids.list.element", "asks.list.element") if _top(name) in schema(kind).names]
    return {
        "compression": "zstd",
        "compression_level": LEVEL,
        "use_dictionary": few,
        "column_encoding": dict.fromkeys(rising, "DELTA_BINARY_PACKED"),
        "write_page_index": True,
    }


def row_groups(kind: Kind, source: Any) -> Iterator[tuple[Rows, Names]]:  # noqa: ANN401  what pyarrow can read from
    """Read a file, one row group at a time; raises what pyarrow raises for one that is damaged."""
    with pq.ParquetFile(source, memory_map=False, page_checksum_verification=True) as file:
        for number in range(file.num_row_groups):
            table = file.read_row_group(number, use_threads=False)
            rows = from_table(kind, table)
            yield rows, _names_in(table, rows)


def replaced_by(source: Any) -> str:  # noqa: ANN401  what pyarrow can read from
    """Return the name of the file that this one took the place of, empty if it is the first."""
    written: Mapping[bytes, bytes] = pq.read_schema(source).metadata or {}
    return written.get(_REPLACES, b"").decode()


def to_table(kind: Kind, rows: Rows, names: Names) -> pa.Table:
    """Return rows as Arrow has them, with the names of their symbols."""
    feed, symbol = _named(rows["symbol_id"].numbers, names)
    columns = [_to_arrow(name, rows[name]) for name in NAMES[kind]]
    return pa.Table.from_arrays([feed, symbol, *columns], schema=schema(kind))


def from_table(kind: Kind, table: pa.Table) -> Rows:
    """Return the rows of a table that ``to_table`` made."""
    return {name: _from_arrow(name, table.column(name).combine_chunks()) for name in NAMES[kind]}


def _type(name: str) -> pa.DataType:
    if name in LISTS:
        return pa.list_(pa.float64())
    if name in TIMES:
        return _TIME
    return {"symbol_id": pa.int32(), "side": pa.int16()}.get(name, pa.int64() if name in IDS else pa.float64())


def _top(name: str) -> str:
    return name.partition(".")[0]


def _to_arrow(name: str, column: Values | Lists) -> pa.Array:
    if isinstance(column, Lists):
        offsets = np.concatenate([[0], np.cumsum(column.counts)]).astype(np.int32)
        return pa.ListArray.from_arrays(_array(pa.int32(), offsets), _array(pa.float64(), column.numbers))
    numbers = column.numbers + EPOCH_US if name in TIMES else column.numbers
    return _array(_type(name), numbers, column.null)


def _array(kind: pa.DataType, numbers: Array, null: Array | None = None) -> pa.Array:
    """Make an array of what is in memory; ``pa.array`` would do, and import pandas for it, a second and 60 MB."""
    valid = None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))
    return pa.Array.from_buffers(kind, len(numbers), [valid, pa.py_buffer(np.ascontiguousarray(numbers))])


def _from_arrow(name: str, column: pa.Array) -> Values | Lists:
    if name in LISTS:
        counts = np.diff(_numbers(column.offsets, np.dtype(np.int32))).astype(np.int64)
        return Lists(_numbers(column.flatten(), np.dtype(np.float64)), counts)
    numbers = _numbers(column, np.dtype(form(name)).newbyteorder("="))
    if name in TIMES:
        numbers = numbers - EPOCH_US
    if not column.null_count:
        return Values(numbers)
    bits = np.unpackbits(np.frombuffer(column.buffers()[0], np.uint8), bitorder="little")
    null = bits[column.offset : column.offset + len(column)] == 0
    return Values(np.where(null, 0, numbers).astype(numbers.dtype), null)


def _numbers(column: pa.Array, kind: np.dtype[Any]) -> Array:
    """The numbers of an array as they are in memory; ``to_numpy`` too would import pandas."""
    numbers: Array = np.frombuffer(column.buffers()[1], kind)[column.offset : column.offset + len(column)]
    return numbers


def _named(symbol_ids: Array, names: Names) -> tuple[pa.Array, pa.Array]:
    numbers, places = np.unique(symbol_ids, return_inverse=True)
    feeds, symbols = zip(*(names.get(number, (None, None)) for number in numbers.tolist()), strict=True)
    return _dictionary(places, feeds), _dictionary(places, symbols)


def _dictionary(places: Array, names: tuple[str | None, ...]) -> pa.Array:
    """One of the names for each place; a symbol that nobody knows has none."""
    words = sorted({name for name in names if name is not None})
    null = np.array([name is None for name in names])[places]
    numbers = np.array([words.index(name) if name is not None else 0 for name in names], dtype=np.int32)[places]
    encoded = [word.encode() for word in words]
    ends = np.cumsum([0, *map(len, encoded)]).astype(np.int32)
    texts = pa.StringArray.from_buffers(len(words), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded)))
    return pa.DictionaryArray.from_arrays(_array(pa.int32(), numbers, null if null.any() else None), texts)


def _names_in(table: pa.Table, rows: Rows) -> Names:
    numbers, places = np.unique(rows["symbol_id"].numbers, return_index=True)
    feeds, symbols = (table.column(name).take(_array(pa.int64(), places)).to_pylist() for name in ("feed", "symbol"))
    named = zip(numbers.tolist(), feeds, symbols, strict=True)
    return {number: (feed, symbol) for number, feed, symbol in named if feed is not None}
