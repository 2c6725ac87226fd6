"""How ticks become rows: the columns of each table, and the newest tick of each symbol."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from nightdesk.store import rows
from nightdesk.store.batch import ID_COLUMN, Array, Batch, Columns, Group
from nightdesk.store.rows import Column, Doubles, Scalar
from nightdesk.ticks import NO_ID, NO_TIME, Kind

EPOCH_US: Final = 946_684_800_000_000
"""2000-01-01, where PostgreSQL's time begins, as Unix time in microseconds."""

TABLES: Final = {Kind.TRADE: "trades", Kind.AGG_TRADE: "agg_trades", Kind.QUOTE: "quotes", Kind.DEPTH: "depths"}
"""The tick tables, partitioned by day."""

NAMES: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.TRADE: (
        "symbol_id", "side", "time", "trade_id", "price", "size", "exchange_time", "received_at",
    ),
    Kind.AGG_TRADE: (
        "symbol_id", "side", "time", "agg_id", "first_id", "last_id", "price", "size", "exchange_time", "received_at",
    ),
    Kind.QUOTE: (
        "symbol_id", "time", "sequence", "bid_price", "bid_size", "ask_price", "ask_size", "exchange_time",
        "received_at",
    ),
    Kind.DEPTH: (
        "symbol_id", "time", "sequence", "spread", "pressure_ratio", "exchange_time", "received_at", "bids", "asks",
    ),
}  # fmt: skip
"""The columns of each tick table in the order in which they are copied."""

_RISING: Final = frozenset({Kind.QUOTE, Kind.DEPTH})
"""Kinds of which whatever is admitted is the newest by its number; their time may be our clock's, which steps back."""


def copied(kind: Kind, columns: Columns) -> list[bytearray]:
    """Return ticks of one kind as rows of its table, in pieces of binary COPY without head and tail."""
    if kind is Kind.DEPTH:
        return [piece for part in _by_levels(columns) for piece in rows.encode(part)]
    return rows.encode(_columns(kind, columns))


def newest(kind: Kind, group: Group) -> dict[str, list[Any]]:
    """Return the newest tick of each symbol as rows of ``latest``.

    By number where numbers only rise, else by time; by arrival among equals.
    """
    order = group.columns["time_ns"]
    if kind in _RISING and (group.columns[ID_COLUMN[kind]] > NO_ID).all():
        order = group.columns[ID_COLUMN[kind]]
    highest = np.repeat(np.maximum.reduceat(order, group.starts), group.counts)
    (places,) = np.nonzero(order == highest)
    last = places[np.searchsorted(places, group.starts + group.counts) - 1]
    chosen = {name: group.columns[name][last] for name in group.columns if name != "levels"}
    found = {name: column(chosen) for name, column in _LATEST.items()}
    return {**found, "kind": [int(kind)] * len(last), "sequence": _ids(chosen[ID_COLUMN[kind]])}


def klines(batch: Batch, group: Group) -> list[dict[str, Any]]:
    """Return the last state of each candle in the batch; what the exchange closed stays closed."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in _dictionaries(group.columns):
        row["interval"] = batch.sources[row["source"]].frame.names[row["interval"]]
        row["closed"] = bool(row["closed"])
        row |= {name: row[f"{name[:-2]}ns"] // 1000 for name in ("open_us", "close_us", "received_us")}
        key = (row["symbol_id"], row["interval"], row["open_us"])
        if key not in found or row["closed"] >= found[key]["closed"]:
            found[key] = row
    return [found[key] for key in sorted(found)]


def _columns(kind: Kind, columns: Columns) -> list[Column]:
    return [_COLUMNS[name](columns) for name in NAMES[kind] if name in _COLUMNS]


def _number(name: str, form: str) -> Callable[[Columns], Column]:
    return lambda columns: Scalar(columns[name], form)


def _id(name: str) -> Callable[[Columns], Column]:
    return lambda columns: Scalar(columns[name], ">i8", columns[name] <= NO_ID)


def _double(name: str) -> Callable[[Columns], Column]:
    return lambda columns: Scalar(columns[name], ">f8", np.isnan(columns[name]))


def _time(name: str, *, optional: bool = False) -> Callable[[Columns], Column]:
    def column(columns: Columns) -> Column:
        null = columns[name] == NO_TIME if optional else None
        return Scalar(columns[name] // 1000 - EPOCH_US, ">i8", null)

    return column


_COLUMNS: Final[dict[str, Callable[[Columns], Column]]] = {
    "symbol_id": _number("symbol_id", ">i4"),
    "side": _number("side", ">i2"),
    "time": _time("time_ns"),
    "trade_id": _id("trade_id"),
    "agg_id": _id("agg_id"),
    "first_id": _id("first_id"),
    "last_id": _id("last_id"),
    "sequence": _id("sequence"),
    "price": _number("price", ">f8"),
    "size": _number("size", ">f8"),
    "bid_price": _double("bid_price"),
    "bid_size": _double("bid_size"),
    "ask_price": _double("ask_price"),
    "ask_size": _double("ask_size"),
    "spread": _double("spread"),
    "pressure_ratio": _double("pressure_ratio"),
    "exchange_time": _time("exchange_ns", optional=True),
    "received_at": _time("received_ns"),
}


def _by_levels(columns: Columns) -> Iterator[list[Column]]:
    """Depth rows by the number of their levels: arrays of one length are alike."""
    shape = columns["bid_count"].astype(np.int64) << 16 | columns["ask_count"]
    for one in np.unique(shape).tolist():
        bids, asks = 2 * (one >> 16), 2 * (one & 0xFFFF)
        chosen = np.flatnonzero(shape == one)
        part = {name: column[chosen] for name, column in columns.items() if name != "levels"}
        places = part["first_level"][:, None] + np.arange(bids + asks)
        levels = columns["levels"][places]
        yield [*_columns(Kind.DEPTH, part), Doubles(levels[:, :bids]), Doubles(levels[:, bids:])]


def _ids(values: Array) -> list[int | None]:
    return [value if value > NO_ID else None for value in values.tolist()]


def _reals(name: str) -> Callable[[Mapping[str, Array]], list[float | None]]:
    def column(chosen: Mapping[str, Array]) -> list[float | None]:
        if name not in chosen:
            return [None] * len(chosen["symbol_id"])
        return [None if value != value else value for value in chosen[name].tolist()]  # noqa: PLR0124  NaN

    return column


_LATEST: Final[dict[str, Callable[[Mapping[str, Array]], list[Any]]]] = {
    "symbol_id": lambda chosen: chosen["symbol_id"].tolist(),
    "side": lambda chosen: chosen["side"].tolist() if "side" in chosen else [None] * len(chosen["symbol_id"]),
    "time_us": lambda chosen: (chosen["time_ns"] // 1000).tolist(),
    "received_us": lambda chosen: (chosen["received_ns"] // 1000).tolist(),
    **{
        name: _reals(name)
        for name in (
            "price", "size", "bid_price", "bid_size", "ask_price", "ask_size", "spread", "pressure_ratio",
        )
    },
}  # fmt: skip

LATEST: Final = (*_LATEST, "kind", "sequence")
"""The columns of ``newest``."""


def _dictionaries(columns: Columns) -> Iterator[dict[str, Any]]:
    names = [name for name in columns if name != "levels"]
    for row in zip(*(columns[name].tolist() for name in names), strict=True):
        yield dict(zip(names, row, strict=True))
