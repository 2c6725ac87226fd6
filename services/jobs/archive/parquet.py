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
from services.jobs.archive.columns import IDS, LISTS, NULLABLE, TIMES, Array, Lists, Rows, Values, length, select

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
            yield from_table(kind, table), _names_in(table)


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
        return pa.ListArray.from_arrays(pa.array(offsets), pa.array(column.numbers))
    numbers = column.numbers + EPOCH_US if name in TIMES else column.numbers
    made = pa.array(numbers, mask=column.null)
    return made.cast(_TIME) if name in TIMES else made


def _from_arrow(name: str, column: pa.Array) -> Values | Lists:
    if name in LISTS:
        counts = np.diff(column.offsets.to_numpy()).astype(np.int64)
        return Lists(column.flatten().to_numpy(zero_copy_only=False), counts)
    null = column.is_null().to_numpy(zero_copy_only=False) if column.null_count else None
    if name in TIMES:
        column = column.cast(pa.int64())
    numbers = (column if null is None else column.fill_null(0)).to_numpy(zero_copy_only=False)
    if name in TIMES:
        numbers = numbers - EPOCH_US
    return Values(numbers if null is None else np.where(null, 0, numbers).astype(numbers.dtype), null)


def _named(symbol_ids: Array, names: Names) -> tuple[pa.Array, pa.Array]:
    numbers, places = np.unique(symbol_ids, return_inverse=True)
    feeds, symbols = zip(*(names.get(number, (None, None)) for number in numbers.tolist()), strict=True)
    return _dictionary(places, feeds), _dictionary(places, symbols)


def _dictionary(places: Array, names: tuple[str | None, ...]) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(places)).dictionary_encode().cast(_NAME)


def _names_in(table: pa.Table) -> Names:
    numbers, places = np.unique(table.column("symbol_id").to_numpy(), return_index=True)
    feeds, symbols = (table.column(name).take(pa.array(places)).to_pylist() for name in ("feed", "symbol"))
    named = zip(numbers.tolist(), feeds, symbols, strict=True)
    return {number: (feed, symbol) for number, feed, symbol in named if feed is not None}
