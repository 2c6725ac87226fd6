"""The frames of one turn, gathered into one set of columns a kind and grouped by symbol."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from nightdesk.errors import FrameError
from nightdesk.frames import Frame, decode
from nightdesk.ticks import NO_TIME, Kind

Array: TypeAlias = npt.NDArray[Any]
Columns: TypeAlias = dict[str, Array]

ID_COLUMN: Final = {
    Kind.TRADE: "trade_id",
    Kind.AGG_TRADE: "agg_id",
    Kind.QUOTE: "sequence",
    Kind.DEPTH: "sequence",
}
"""What identifies a tick, for the kinds that are admitted by it."""

CONTIGUOUS: Final = frozenset({Kind.TRADE, Kind.AGG_TRADE})
"""Kinds whose ids rise by one, so that a jump is a gap."""

HIGHEST_ID: Final = 2**62
"""Ids beyond this are no exchange's, and one of them would make every later id a duplicate."""

HIGHEST_VALUE: Final = 1e18
"""Prices and sizes of trades beyond this are no exchange's, and their sums would not fit a double."""

LONGEST_NAME_BYTES: Final = 255
"""Symbols and intervals are keys of indexes, which do not take thousands of bytes."""

_RADIX_LIMIT: Final = 2**16


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a frame came from, and its bytes."""

    feed: str
    shard: int
    entry_id: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One frame, with the number of the symbol behind each of its names (0 for names of other things)."""

    origin: Origin
    frame: Frame
    symbol_ids: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Ticks of one kind, sorted by symbol and within it by arrival.

    ``starts`` and ``counts`` say where each symbol of ``symbols`` has its rows. Depth rows have ``first_level`` and
    ``levels``, which is shared and stays as it is when rows are left out.
    """

    columns: Columns
    symbols: list[int]
    starts: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, columns: Columns) -> "Group":
        """Sort the columns, which have a row at least, by ``symbol_id``."""
        ids = columns["symbol_id"]
        if not bool((ids[1:] >= ids[:-1]).all()):
            columns = select(columns, _order(ids))
            ids = columns["symbol_id"]
        starts = np.concatenate(([0], np.flatnonzero(ids[1:] != ids[:-1]) + 1))
        counts = np.diff(np.append(starts, len(ids)))
        return cls(columns=columns, symbols=ids[starts].tolist(), starts=starts, counts=counts)

    def __len__(self) -> int:
        return len(self.columns["symbol_id"])

    def slices(self) -> list[tuple[int, slice]]:
        """Return each symbol with the place of its rows."""
        ends = (self.starts + self.counts).tolist()
        bounds = zip(self.symbols, self.starts.tolist(), ends, strict=True)
        return [(symbol, slice(start, end)) for symbol, start, end in bounds]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A frame, or ticks of it, that cannot be stored, and why; ``reason`` is a closed label for metrics."""

    origin: Origin
    reason: str
    error: str


PROGRAM_FAILED: Final = "program_failed"
"""The reason of a frame that is good, and is to be given back once the program is mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """All ticks of a turn that may be stored; ``sources`` is what the events' ``source`` column counts."""

    sources: Sequence[Source]
    groups: Mapping[Kind, Group]
    refusals: Sequence[Refusal]


def read(payload: bytes) -> tuple[Frame, set[str]]:
    """Return a frame and the symbols in it; raises FrameError for one that PostgreSQL could not hold either."""
    frame = decode(payload)
    if any("\0" in name for name in frame.names):
        raise FrameError("a name holds a NUL character")
    symbols: set[str] = set()
    for kind, columns in frame.columns.items():
        named = _named(frame.names, columns["symbol"])
        if kind is not Kind.EVENT and "" in named:
            raise FrameError(f"a {kind.label} names no symbol")
        keys = named | _named(frame.names, columns["interval"]) if kind is Kind.KLINE else named
        if any(len(name.encode()) > LONGEST_NAME_BYTES for name in keys):
            raise FrameError(f"a name in a {kind.label} is longer than {LONGEST_NAME_BYTES} bytes")
        symbols |= named
    return frame, symbols - {""}


def _named(names: Sequence[str], column: Array) -> set[str]:
    used = np.zeros(len(names), dtype=np.bool_)
    used[column] = True
    return {names[place] for place in np.flatnonzero(used).tolist()}


def gather(sources: Sequence[Source], *, low_ns: int, high_ns: int) -> Batch:
    """Return the ticks whose time lies in ``[low_ns, high_ns)``, and what was refused."""
    groups: dict[Kind, Group] = {}
    refusals: list[Refusal] = []
    for kind in Kind:
        parts = [(number, source) for number, source in enumerate(sources) if kind in source.frame.columns]
        if not parts:
            continue
        columns = _joined(kind, parts)
        if kind in ID_COLUMN:
            columns = _within(columns, kind, (low_ns, high_ns), sources, refusals)
        if len(columns["symbol_id"]):
            groups[kind] = Group.of(columns)
    return Batch(sources=sources, groups=groups, refusals=refusals)


def select(columns: Columns, chosen: Array) -> Columns:
    """Return the chosen rows, by mask or by place, of every column."""
    return {name: column if name == "levels" else column[chosen] for name, column in columns.items()}


def time_ns(columns: Columns) -> Array:
    """Return the exchange's time where there is one, else the receive time."""
    return np.where(columns["exchange_ns"] != NO_TIME, columns["exchange_ns"], columns["received_ns"])


def _order(ids: Array) -> Array:
    """A stable order; numpy sorts 16-bit integers by radix, in linear time."""
    narrow = ids.astype(np.uint16) if int(ids.max()) < _RADIX_LIMIT else ids
    return np.argsort(narrow, kind="stable")


def _joined(kind: Kind, parts: Sequence[tuple[int, Source]]) -> Columns:
    sections = [source.frame.columns[kind] for _, source in parts]
    columns: Columns = {name: np.concatenate([one[name] for one in sections]) for name in sections[0]}
    columns["symbol_id"] = np.concatenate(
        [source.symbol_ids[source.frame.columns[kind]["symbol"]] for _, source in parts]
    )
    sizes = [len(one["index"]) for one in sections]
    columns["source"] = np.repeat(np.array([number for number, _ in parts], dtype=np.int64), sizes)
    if "exchange_ns" in columns:
        columns["time_ns"] = time_ns(columns)
    if kind is Kind.DEPTH:
        levels = 2 * (columns["bid_count"].astype(np.int64) + columns["ask_count"])
        columns["first_level"] = np.cumsum(levels) - levels
    return columns


def _absurd(columns: Columns, kind: Kind) -> Array:
    """Where a price or size is too large for the sums that bars keep; those of infinities do not overflow."""
    if kind is not Kind.TRADE:
        return np.zeros(len(columns["time_ns"]), dtype=np.bool_)
    price, size = np.abs(columns["price"]), np.abs(columns["size"])
    return ((price > HIGHEST_VALUE) & np.isfinite(price)) | ((size > HIGHEST_VALUE) & np.isfinite(size))


def _within(
    columns: Columns, kind: Kind, bounds_ns: tuple[int, int], sources: Sequence[Source], refusals: list[Refusal]
) -> Columns:
    low_ns, high_ns = bounds_ns
    time, ids = columns["time_ns"], columns[ID_COLUMN[kind]]
    absurd = _absurd(columns, kind)
    inside = int(time.min()) >= low_ns and int(time.max()) < high_ns
    if inside and int(ids.max()) <= HIGHEST_ID and not absurd.any():
        return columns
    reasons: dict[str, tuple[Array, Callable[[Array], str]]] = {
        "outside_retention": (
            time < low_ns,
            lambda rows: f"oldest of {len(rows)}: {np.datetime64(int(time[rows].min()), 'ns')}Z",
        ),
        "future_time": (
            time >= high_ns,
            lambda rows: f"newest of {len(rows)}: {np.datetime64(int(time[rows].max()), 'ns')}Z",
        ),
        "id_out_of_range": (ids > HIGHEST_ID, lambda rows: f"highest of {len(rows)}: {int(ids[rows].max())}"),
        "value_out_of_range": (absurd, lambda rows: f"{len(rows)} with a price or size beyond {HIGHEST_VALUE}"),
    }
    refused = np.zeros(len(time), dtype=np.bool_)
    for reason, (mask, error) in reasons.items():
        mine = mask & ~refused
        for number in np.unique(columns["source"][mine]).tolist():
            rows = np.flatnonzero(mine & (columns["source"] == number))
            text = f"{kind.label}: {error(rows)}"
            refusals.append(Refusal(origin=sources[number].origin, reason=reason, error=text))
        refused |= mine
    return select(columns, ~refused)
