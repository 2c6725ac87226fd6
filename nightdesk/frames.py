"""Frames: ticks of one shard as columns.

The format, version 1, little-endian; every column starts at a multiple of eight bytes::

    u8 version | u8 0 | u16 names | u32 rows
    names:    u16 length | UTF-8 text                      as often as the head says
    sections: u8 kind | 3 x u8 0 | u32 rows | u64 levels   one for each kind present
              one column after the other, as ``LAYOUT`` lists them for the kind
              for DEPTH, ``levels`` doubles: each row's bids and then asks, as price, size, price, size

``index`` is a row's place in the frame, so that the order between kinds survives. Symbols, intervals, event names and
causes are indexes into the frame's own table of names: a frame needs nothing outside itself to be read.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec.structs import astuple, fields

from nightdesk.errors import FrameError
from nightdesk.ticks import KIND_OF, AggTrade, Depth, Event, Kind, Kline, Quote, Tick, Trade

VERSION: Final = 1
MAX_ROWS: Final = 65_535
MAX_NAME_BYTES: Final = 65_535

Columns: TypeAlias = dict[str, npt.NDArray[np.generic]]

_HEAD: Final = struct.Struct("<BBHI")
_NAME: Final = struct.Struct("<H")
_SECTION: Final = struct.Struct("<B3xIQ")

_TIMES: Final = (("exchange_ns", "<i8"), ("received_ns", "<i8"))

LAYOUT: Final[dict[Kind, tuple[tuple[str, str], ...]]] = {
    Kind.TRADE: (
        ("index", "<u2"), ("symbol", "<u2"), ("trade_id", "<i8"), ("price", "<f8"), ("size", "<f8"), ("side", "<i1"),
        *_TIMES,
    ),
    Kind.AGG_TRADE: (
        ("index", "<u2"), ("symbol", "<u2"), ("agg_id", "<i8"), ("first_id", "<i8"), ("last_id", "<i8"),
        ("price", "<f8"), ("size", "<f8"), ("side", "<i1"), *_TIMES,
    ),
    Kind.QUOTE: (
        ("index", "<u2"), ("symbol", "<u2"), ("sequence", "<i8"), ("bid_price", "<f8"), ("bid_size", "<f8"),
        ("ask_price", "<f8"), ("ask_size", "<f8"), *_TIMES,
    ),
    Kind.DEPTH: (
        ("index", "<u2"), ("symbol", "<u2"), ("sequence", "<i8"), ("spread", "<f8"), ("pressure_ratio", "<f8"),
        *_TIMES, ("bid_count", "<u2"), ("ask_count", "<u2"),
    ),
    Kind.KLINE: (
        ("index", "<u2"), ("symbol", "<u2"), ("interval", "<u2"), ("open_ns", "<i8"), ("close_ns", "<i8"),
        ("open", "<f8"), ("high", "<f8"), ("low", "<f8"), ("close", "<f8"), ("volume", "<f8"), ("trades", "<i8"),
        ("closed", "<u1"), *_TIMES,
    ),
    Kind.EVENT: (
        ("index", "<u2"), ("symbol", "<u2"), ("name", "<u2"), ("kind", "<u1"), ("from_id", "<i8"), ("to_id", "<i8"),
        ("since_ns", "<i8"), ("cause", "<u2"), ("received_ns", "<i8"),
    ),
}  # fmt: skip
"""Each kind's columns in the order in which they are written; the first is always ``index``."""

_CODES: Final = {"<u1": "B", "<i1": "b", "<u2": "H", "<i8": "q", "<f8": "d"}
_PLACES: Final = np.arange(MAX_ROWS, dtype="<u2").tobytes()
"""The column ``index`` of a frame whose ticks are all of one kind, as long as a frame may be."""

_NAMED: Final = frozenset({"symbol", "interval", "name", "cause"})
_ITEM_BYTES: Final = {kind: sum(np.dtype(t).itemsize for _, t in columns) for kind, columns in LAYOUT.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A decoded frame; the columns are read-only views of the bytes it came from.

    ``columns[kind][field]`` has one entry a row. For depth, ``columns[Kind.DEPTH]["levels"]`` is flat: row after row,
    ``2 * bid_count`` doubles and then ``2 * ask_count``.
    """

    names: list[str]
    rows: int
    columns: dict[Kind, Columns]

    def ticks(self) -> list[Tick]:
        """Return the ticks in the order in which they were framed. Raises FrameError when two claim one place."""
        places: list[Tick | None] = [None] * self.rows
        for kind, columns in self.columns.items():
            for index, tick in zip(columns["index"].tolist(), _structs(kind, columns, self.names), strict=True):
                places[index] = tick
        ticks = [tick for tick in places if tick is not None]
        if len(ticks) != self.rows:
            raise FrameError("two rows claim one place")
        return ticks


def encode(ticks: Sequence[Tick]) -> bytes:
    """Return the frame of at most ``MAX_ROWS`` ticks; raises FrameError for values that have no place in it."""
    if len(ticks) > MAX_ROWS:
        raise FrameError(f"{len(ticks)} ticks in one frame; at most {MAX_ROWS}")
    try:
        return _encode(ticks)
    except (OverflowError, TypeError, ValueError, struct.error) as error:
        raise FrameError(f"a tick does not fit a frame: {error}") from error


def _encode(ticks: Sequence[Tick]) -> bytes:
    names: dict[str, int] = {}
    sections = b"".join(_section(kind, indexes, rows, names) for kind, indexes, rows in _by_kind(ticks))
    texts = [_text(name) for name in names]
    head = _HEAD.pack(VERSION, 0, len(texts), len(ticks))
    return _pad(b"".join([head, *(_NAME.pack(len(text)) + text for text in texts)])) + sections


def decode(data: bytes) -> Frame:
    """Return the frame in ``data``; raises FrameError for anything else."""
    try:
        return _decode(data)
    except (struct.error, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise FrameError(f"malformed frame of {len(data)} bytes: {error}") from error


def _by_kind(ticks: Sequence[Tick]) -> list[tuple[Kind, Sequence[int], Sequence[Tick]]]:
    present = dict.fromkeys(map(type, ticks))
    if len(present) == 1:
        return [(KIND_OF[one], range(len(ticks)), ticks) for one in present]
    types = list(map(type, ticks))
    groups: list[tuple[Kind, Sequence[int], Sequence[Tick]]] = []
    for one in present:
        indexes = [place for place, kind in enumerate(types) if kind is one]
        groups.append((KIND_OF[one], indexes, [ticks[place] for place in indexes]))
    return groups


def _section(kind: Kind, indexes: Sequence[int], ticks: Sequence[Tick], names: dict[str, int]) -> bytes:
    fields: dict[str, Sequence[object]] = dict(_transposed(kind, ticks), index=indexes)
    parts = [
        _pad(_numbered(fields[name], names) if name in _NAMED else _packed(fields[name], dtype))
        for name, dtype in LAYOUT[kind]
    ]
    levels = _levels(ticks) if kind is Kind.DEPTH else b""
    return b"".join([_SECTION.pack(kind, len(ticks), len(levels) // 8), *parts, levels])


def _packed(column: Sequence[object], dtype: str) -> bytes:
    """Return a column's bytes; struct takes a sequence of Python numbers more than twice as fast as NumPy does."""
    if isinstance(column, range):
        return _PLACES[: 2 * len(column)]
    return struct.pack(f"<{len(column)}{_CODES[dtype]}", *column)


def _transposed(kind: Kind, ticks: Sequence[Tick]) -> dict[str, Sequence[object]]:
    # A list: a call that unpacks an iterator makes a tuple of ten and cuts it to size, and CPython keeps up to 2,000 of
    # each size it was cut to, 5 MB within minutes.
    columns = zip(*list(map(astuple, ticks)), strict=True)
    fields: dict[str, Sequence[object]] = dict(zip(_FIELDS[kind], columns, strict=True))
    if kind is Kind.DEPTH:
        fields["bid_count"] = [len(side) // 2 for side in map(_bids, ticks)]
        fields["ask_count"] = [len(side) // 2 for side in map(_asks, ticks)]
    return fields


_FIELDS: Final[dict[Kind, tuple[str, ...]]] = {
    kind: tuple(field.name for field in fields(one)) for one, kind in KIND_OF.items()
}
_bids: Callable[[object], list[float]] = attrgetter("bids")
_asks: Callable[[object], list[float]] = attrgetter("asks")


def _levels(ticks: Sequence[Tick]) -> bytes:
    flat: list[float] = []
    for tick in ticks:
        flat += _bids(tick)
        flat += _asks(tick)
    return struct.pack(f"<{len(flat)}d", *flat)


def _numbered(values: Sequence[object], names: dict[str, int]) -> bytes:
    """Return a column of names as numbers; most frames have one symbol, whose number is all there is."""
    numbers = {value: names.setdefault(str(value), len(names)) for value in dict.fromkeys(values)}
    if len(numbers) == 1:
        return struct.pack("<H", *numbers.values()) * len(values)
    return _packed([numbers[value] for value in values], "<u2")


def _text(name: str) -> bytes:
    text = name.encode()
    if len(text) <= MAX_NAME_BYTES:
        return text
    return text[:MAX_NAME_BYTES].decode(errors="ignore").encode()


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


def _decode(data: bytes) -> Frame:
    version, _, name_count, rows = _HEAD.unpack_from(data)
    if version != VERSION:
        raise FrameError(f"frame version {version}; this release reads version {VERSION}")
    if rows > MAX_ROWS:
        raise FrameError(f"{rows} rows in one frame; at most {MAX_ROWS}")
    names, at = _names(data, name_count)
    columns: dict[Kind, Columns] = {}
    while at < len(data):
        kind, section, at = _read_section(data, at, rows, len(names))
        if kind in columns:
            raise FrameError(f"two sections of kind {kind.label}")
        columns[kind] = section
    if at != len(data) or sum(len(section["index"]) for section in columns.values()) != rows:
        raise FrameError("the sections do not add up to the frame")
    return Frame(names=names, rows=rows, columns=columns)


def _names(data: bytes, count: int) -> tuple[list[str], int]:
    names, at = [], _HEAD.size
    for _ in range(count):
        (length,) = _NAME.unpack_from(data, at)
        at += _NAME.size
        if at + length > len(data):
            raise FrameError("a name runs past the end")
        names.append(data[at : at + length].decode())
        at += length
    return names, at + -at % 8


def _read_section(data: bytes, at: int, frame_rows: int, names: int) -> tuple[Kind, Columns, int]:
    number, rows, level_count = _SECTION.unpack_from(data, at)
    kind = Kind(number)
    at += _SECTION.size
    if not 0 < rows <= frame_rows or at + rows * _ITEM_BYTES[kind] > len(data):
        raise FrameError(f"a section of kind {kind.label} claims {rows} rows")
    columns: Columns = {}
    for name, dtype in LAYOUT[kind]:
        columns[name] = column = np.frombuffer(data, dtype=dtype, count=rows, offset=at)
        at += column.nbytes + -column.nbytes % 8
    _check(columns, frame_rows, names)
    if kind is Kind.DEPTH:
        columns["levels"] = levels = _read_levels(data, at, level_count, columns)
        at += levels.nbytes
    return kind, columns, at


def _check(columns: Columns, frame_rows: int, names: int) -> None:
    if columns["index"].max() >= frame_rows:
        raise FrameError("a row's place lies outside the frame")
    for field in _NAMED & columns.keys():
        if columns[field].max() >= names:
            raise FrameError(f"a {field} lies outside the table of names")


def _read_levels(data: bytes, at: int, count: int, columns: Columns) -> npt.NDArray[np.generic]:
    claimed = 2 * (int(columns["bid_count"].sum(dtype=np.int64)) + int(columns["ask_count"].sum(dtype=np.int64)))
    if claimed != count or at + 8 * count > len(data):
        raise FrameError("the levels do not match their counts")
    return np.frombuffer(data, dtype="<f8", count=count, offset=at)


def _structs(kind: Kind, columns: Columns, names: list[str]) -> list[Tick]:
    fields = {name: column.tolist() for name, column in columns.items()}
    for field in _NAMED & fields.keys():
        fields[field] = [names[place] for place in fields[field]]
    if kind is Kind.DEPTH:
        fields["bids"], fields["asks"] = _sides(fields)
    if kind is Kind.KLINE:
        fields["closed"] = [bool(value) for value in fields["closed"]]
    rows = zip(*(fields[name] for name in _FIELDS[kind]), strict=True)
    return [_STRUCTS[kind](*row) for row in rows]


def _sides(fields: dict[str, list[float]]) -> tuple[list[list[float]], list[list[float]]]:
    bids, asks, at = [], [], 0
    for bid_count, ask_count in zip(fields["bid_count"], fields["ask_count"], strict=True):
        middle = at + 2 * int(bid_count)
        end = middle + 2 * int(ask_count)
        bids.append(fields["levels"][at:middle])
        asks.append(fields["levels"][middle:end])
        at = end
    return bids, asks


_STRUCTS: Final[dict[Kind, Callable[..., Tick]]] = {
    Kind.TRADE: Trade,
    Kind.AGG_TRADE: AggTrade,
    Kind.QUOTE: Quote,
    Kind.DEPTH: Depth,
    Kind.KLINE: Kline,
    Kind.EVENT: Event,
}
