"""Two looks at a desk and what lies between them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bench.desk.processes import Usage

DAY_S: Final = 86_400.0
MILLION: Final = 1e6
PATH: Final = ("collector", "redis", "worker", "postgres")
"""The way of a tick. What else runs costs the same on a quiet day; the simulator stands in for the exchange."""
TICK_TABLES: Final = {"trade": "trades", "quote": "quotes", "depth": "depths"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look; everything but the sizes of spool, AOF and log files only ever rises."""

    at_s: float
    used: Mapping[str, Usage]
    """By service."""
    stored: Mapping[str, int]
    """Ticks by kind."""
    tables: Mapping[str, tuple[int, int]]
    """Bytes of each table with everything that belongs to it, and of its indexes alone."""
    wal_bytes: int
    wal_files_bytes: int
    transactions: int
    spool_bytes: int
    aof_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one service costs."""

    part: str
    cpu_s_per_million: float
    cpu_s_per_day: float
    written_mb_per_million: float
    """What it wrote to files, whether it is still there or not."""
    private_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What the rows of one kind take on disk."""

    kind: str
    rows_per_day: float
    bytes_a_row: float
    index_bytes_a_row: float
    mb_per_day: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A stretch of a day at one pace."""

    pace: float
    seconds: float
    ticks_per_s: float
    parts: Sequence[Part]
    tables: Sequence[Table]
    wal_mb_per_million: float
    wal_files_mb: float
    spool_mb: float
    aof_mb: float
    other_tables_mb: float
    """Bars, marks, newest ticks, positions: as many rows as symbols, and a bar a minute and symbol."""
    transactions_per_s: float

    @property
    def path_cpu_s_per_million(self) -> float:
        """What the way of a tick costs, all parts together."""
        return sum(one.cpu_s_per_million for one in self.parts if one.part in PATH)

    @property
    def path_cores(self) -> float:
        """How many cores the way of a tick keeps busy."""
        return self.path_cpu_s_per_million * self.ticks_per_s / MILLION

    @property
    def kept_mb_per_day(self) -> float:
        """What a day leaves in the tables of ticks."""
        return sum(one.mb_per_day for one in self.tables)


def account(pace: float, before: Look, after: Look) -> Account:
    """Return what happened between two looks; raises ValueError when nothing was stored."""
    seconds = after.at_s - before.at_s
    ticks = sum(after.stored.values()) - sum(before.stored.values())
    if ticks <= 0 or seconds <= 0:
        raise ValueError(f"{ticks} ticks in {seconds:.0f} s are nothing to account for")
    others = [size for name, (size, _) in after.tables.items() if name not in TICK_TABLES.values()]
    return Account(
        pace=pace,
        seconds=round(seconds, 1),
        ticks_per_s=round(ticks / seconds, 1),
        parts=[_part(name, before, after, ticks, seconds) for name in after.used],
        tables=[_table(kind, before, after, seconds) for kind in TICK_TABLES],
        wal_mb_per_million=round((after.wal_bytes - before.wal_bytes) / ticks, 1),
        wal_files_mb=round(after.wal_files_bytes / 1e6, 1),
        spool_mb=round(after.spool_bytes / 1e6, 1),
        aof_mb=round(after.aof_bytes / 1e6, 1),
        other_tables_mb=round(sum(others) / 1e6, 1),
        transactions_per_s=round((after.transactions - before.transactions) / seconds, 1),
    )


def without_answers(used: Usage, answered_bytes: int) -> Usage:
    """Return what Redis used without what it wrote to its clients: the rest of its writing is the append-only file."""
    return replace(used, written_bytes=used.written_bytes - answered_bytes)


def _part(name: str, before: Look, after: Look, ticks: int, seconds: float) -> Part:
    then, now = before.used[name], after.used[name]
    cpu_s = now.cpu_s - then.cpu_s
    return Part(
        part=name,
        cpu_s_per_million=round(cpu_s / ticks * MILLION, 2),
        cpu_s_per_day=round(cpu_s / seconds * DAY_S, 1),
        written_mb_per_million=round((now.written_bytes - then.written_bytes) / ticks, 2),
        private_mb=round(now.private_bytes / 1e6, 1),
    )


def _table(kind: str, before: Look, after: Look, seconds: float) -> Table:
    name = TICK_TABLES[kind]
    rows = after.stored.get(kind, 0) - before.stored.get(kind, 0)
    size, index = (now - then for now, then in zip(after.tables[name], before.tables[name], strict=True))
    a_row = size / rows if rows else 0.0
    return Table(
        kind=kind,
        rows_per_day=round(rows / seconds * DAY_S),
        bytes_a_row=round(a_row, 1),
        index_bytes_a_row=round(index / rows if rows else 0.0, 2),
        mb_per_day=round(a_row * rows / seconds * DAY_S / 1e6, 1),
    )
