"""The unit of work: one transaction, few round trips.

The lock on the marks is the first statement and the move of the positions the last, in one message with the commit: if
another owner moved them, the commit is never reached.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.pq import TransactionStatus

from nightdesk.admission import Interval, OpenGaps
from nightdesk.bars import COLUMNS as BAR_COLUMNS
from nightdesk.bars import Bars
from nightdesk.consumer import Position
from nightdesk.store import rows, tables
from nightdesk.store.batch import PROGRAM_FAILED, Batch, Group, Refusal
from nightdesk.store.database import Connection, array, statement, texts
from nightdesk.store.effects import Effects, Event, Gap, Key, Mark
from nightdesk.ticks import Kind

MOST_QUARANTINED: Final = 10_000
"""Rows kept in the table of quarantined frames."""

LARGEST_PAYLOAD_BYTES: Final = 64 * 1024
"""How much is kept of a quarantined frame; one on which the program failed is good and kept whole."""

LONGEST_ERROR: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A position and where it moves to."""

    position: Position
    following: str


class UnitOfWork:
    """One transaction on a connection in autocommit; ``begin`` opens it and ``commit`` ends it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, keys: Sequence[Key]) -> dict[Key, Mark]:
        """Lock and return the marks there are.

        Not in a pipeline, after which the server would not count a pause: whoever is cut off here holds the locks.
        """
        self._connection.execute("BEGIN")
        cursor = self._connection.execute(statement("take_marks"), _keys(keys), prepare=True)
        return dict(_mark(row) for row in cursor.fetchall())

    def open_gaps(self, keys: Sequence[Key]) -> dict[Key, OpenGaps]:
        """Return what is missing where ids are late."""
        if not keys:
            return {}
        found: dict[Key, list[tuple[int, int, int]]] = defaultdict(list)
        for symbol, kind, gap, low, high in self._connection.execute(statement("open_gaps"), _keys(keys)):
            found[symbol, Kind(kind)].append((gap, low, high))
        return {key: OpenGaps.of(intervals) for key, intervals in found.items()}

    def shard_marks(self, feed: str, shard: int) -> dict[Key, Mark]:
        """Return every mark of a shard."""
        cursor = self._connection.execute(statement("shard_marks"), {"feed": feed, "shard": shard})
        return dict(_mark(row) for row in cursor)

    def recent_events(self, feed: str, shard: int, since_us: int) -> list[Event]:
        """Return a shard's connections, disconnections and breaks since then, oldest first."""
        values = {"feed": feed, "shard": shard, "since_us": since_us}
        return [_event(feed, shard, row) for row in self._connection.execute(statement("recent_events"), values)]

    def open(self, gaps: Sequence[Gap]) -> None:
        """Write new gaps, outside of any turn."""
        self._connection.execute(statement("open_new_gaps"), _new_gaps(gaps))

    def copy(self, effects: Effects) -> None:
        """Copy the ticks into their tables."""
        for kind, group in effects.ticks.items():
            if kind in tables.TABLES:
                self._copy(kind, tables.copied(kind, group.columns))

    def commit(
        self, owner: str, steps: Sequence[Step], *, batch: Batch, effects: Effects, gaps: Sequence[Gap],
        refusals: Sequence[Refusal], closing: Mapping[int, int],
    ) -> None:  # fmt: skip
        """Write the small tables, move the positions and commit, in one round trip.

        ``closing`` are the symbols whose bars before a minute are over, with the minute.
        """
        with self._connection.pipeline():
            for name, values in self._small(batch, effects, gaps, refusals, closing):
                self._connection.execute(statement(name), values, prepare=True)
            self._connection.execute(statement("advance"), _advance(owner, steps), prepare=True)
            self._connection.execute("COMMIT")

    def end(self) -> None:
        """Undo whatever was not committed; a connection that cannot even do that is closed."""
        if self._connection.info.transaction_status == TransactionStatus.IDLE:
            return
        try:
            self._connection.rollback()
        except psycopg.Error:
            self._connection.close()

    def _copy(self, kind: Kind, pieces: Sequence[bytearray]) -> None:
        with self._connection.cursor() as cursor, cursor.copy(COPY[kind]) as copy:
            copy.write(rows.HEADER)
            for piece in pieces:
                copy.write(piece)
            copy.write(rows.TRAILER)

    def _small(
        self, batch: Batch, effects: Effects, gaps: Sequence[Gap], refusals: Sequence[Refusal],
        closing: Mapping[int, int],
    ) -> Iterable[tuple[str, Mapping[str, Any]]]:  # fmt: skip
        if effects.marks:
            yield "add_turn", {**_marks(effects.marks), **_bars(effects.bars), **_latest(effects.ticks)}
        if closing:
            yield "close_bars", {"symbol": array(closing), "minute": array(closing.values())}
        if Kind.KLINE in effects.ticks:
            yield "add_klines", _transposed(tables.klines(batch, effects.ticks[Kind.KLINE]), _KLINE)
        if effects.events:
            yield "add_events", {name: [getattr(event, name) for event in effects.events] for name in _EVENT}
        if gaps:
            yield "open_new_gaps", _new_gaps(gaps)
        if effects.shrunken:
            yield "shrink_gaps", _shrunken(effects.shrunken)
        if refusals:
            yield "quarantine", _quarantined(refusals)


COPY: Final = {
    kind: f"COPY {table} ({', '.join(tables.NAMES[kind])}) FROM STDIN (FORMAT binary)".encode()
    for kind, table in tables.TABLES.items()
}
"""What each table of ticks is copied by, in binary, in the order of ``tables.NAMES``."""

_EVENT: Final = (
    "feed", "shard", "symbol_id", "received_us", "name", "kind", "from_id", "to_id", "since_us", "cause",
)  # fmt: skip
_KLINE: Final = (
    "symbol_id", "interval", "open_us", "close_us", "open", "high", "low", "close", "volume", "trades", "closed",
    "received_us",
)  # fmt: skip


def _keys(keys: Sequence[Key]) -> dict[str, str]:
    return {"symbols": array(symbol for symbol, _ in keys), "kinds": array(int(kind) for _, kind in keys)}


def _mark(row: tuple[Any, ...]) -> tuple[Key, Mark]:
    symbol, kind, mark, received_us, stored = row
    return (symbol, Kind(kind)), Mark(mark=mark, last_received_us=received_us, stored=stored)


def _event(feed: str, shard: int, row: tuple[Any, ...]) -> Event:
    symbol_id, name, kind, from_id, to_id, since_us, received_us, cause = row
    return Event(
        feed=feed, shard=shard, symbol_id=symbol_id, name=name, kind=kind, from_id=from_id, to_id=to_id,
        since_us=since_us, received_us=received_us, cause=cause,
    )  # fmt: skip


def _marks(marks: Mapping[Key, Mark]) -> dict[str, str]:
    ordered = sorted(marks.items())
    return {
        "mark_symbols": array(symbol for (symbol, _), _ in ordered),
        "mark_kinds": array(int(kind) for (_, kind), _ in ordered),
        "mark_marks": array(mark.mark for _, mark in ordered),
        "mark_received_us": array(mark.last_received_us for _, mark in ordered),
        "mark_stored": array(mark.stored for _, mark in ordered),
        "mark_duplicates": array(mark.duplicates for _, mark in ordered),
    }


def _bars(bars: Bars | None) -> dict[str, str]:
    if bars is None:
        return _NO_BARS
    return {f"bar_{name}": array(getattr(bars, name).tolist()) for name in BAR_COLUMNS}


def _latest(ticks: Mapping[Kind, Group]) -> dict[str, str]:
    found = [tables.newest(kind, group) for kind, group in ticks.items() if kind in tables.TABLES]
    return {f"latest_{name}": array(value for one in found for value in one[name]) for name in tables.LATEST}


_NO_BARS: Final = {f"bar_{name}": "{}" for name in BAR_COLUMNS}


def _new_gaps(gaps: Sequence[Gap]) -> dict[str, Any]:
    bounds = [(gap.missing[0][0], gap.missing[-1][1]) if gap.missing else (None, None) for gap in gaps]
    return {
        **_keys([gap.key for gap in gaps]),
        "from_ids": [low for low, _ in bounds],
        "to_ids": [high for _, high in bounds],
        "from_us": [gap.from_us for gap in gaps],
        "to_us": [gap.to_us for gap in gaps],
        "missing": [_multirange(gap.missing) if gap.missing else None for gap in gaps],
        "causes": [gap.cause for gap in gaps],
        "states": [gap.state for gap in gaps],
    }


def _shrunken(shrunken: Mapping[int, Sequence[Interval]]) -> dict[str, list[Any]]:
    ordered = sorted(shrunken.items())
    return {"gaps": [gap for gap, _ in ordered], "missing": [_multirange(left) for _, left in ordered]}


def _multirange(intervals: Sequence[Interval]) -> str:
    return "{" + ",".join(f"[{low},{high}]" for low, high in intervals) + "}"


def _quarantined(refusals: Sequence[Refusal]) -> dict[str, Any]:
    return {
        "feeds": [one.origin.feed for one in refusals],
        "shards": [one.origin.shard for one in refusals],
        "entry_ids": [one.origin.entry_id for one in refusals],
        "reasons": [one.reason for one in refusals],
        "errors": [one.error[:LONGEST_ERROR].replace("\0", "?") for one in refusals],
        "payloads": [_kept(one) for one in refusals],
        "keep": MOST_QUARANTINED,
    }


def _kept(refusal: Refusal) -> bytes:
    payload = refusal.origin.payload
    return payload if refusal.reason == PROGRAM_FAILED else payload[:LARGEST_PAYLOAD_BYTES]


def _advance(owner: str, steps: Sequence[Step]) -> dict[str, str]:
    return {
        "owner": owner,
        "consumers": texts(step.position.consumer for step in steps),
        "streams": texts(step.position.stream for step in steps),
        "previous": texts(step.position.entry_id for step in steps),
        "following": texts(step.following for step in steps),
    }


def _transposed(found: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in found] for name in names}
