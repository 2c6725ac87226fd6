"""Accounts as ``build/cost.json`` and as a table. Pure."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bench.cost.account import DAY_S, Account, Part, Table


def as_json(on: str, accounts: Sequence[Account]) -> dict[str, Any]:
    """Return what ``build/cost.json`` holds."""
    sums = ("path_cpu_s_per_million", "path_cores", "kept_mb_per_day")
    return {"on": on, "accounts": [{**asdict(one), **{name: getattr(one, name) for name in sums}} for one in accounts]}


def as_table(one: Account) -> str:
    """Return the lines to print."""
    return "\n".join([_head(one), *_parts(one), "", *_tables(one), _rest(one)])


def _head(one: Account) -> str:
    pace = f"{one.ticks_per_s:,.0f} ticks/s for {one.seconds:.0f} s"
    return f"pace {one.pace:g}: {pace}, {one.transactions_per_s:.0f} transactions/s"


def _parts(one: Account) -> list[str]:
    head = f"{'part':<12}{'CPU s/million':>15}{'CPU s/day':>12}{'MB written/million':>20}{'private MB':>12}"
    cpu = f"{one.path_cpu_s_per_million:>15.1f}{one.path_cores * DAY_S:>12,.0f}"
    return [head, *map(_part, one.parts), f"{'the path':<12}{cpu}  = {one.path_cores:.3f} of a core"]


def _part(part: Part) -> str:
    cpu = f"{part.cpu_s_per_million:>15.1f}{part.cpu_s_per_day:>12,.0f}"
    return f"{part.part:<12}{cpu}{part.written_mb_per_million:>20.1f}{part.private_mb:>12.0f}"


def _tables(one: Account) -> list[str]:
    head = f"{'rows':<12}{'rows/day':>15}{'bytes a row':>12}{'of it index':>13}{'MB/day':>10}"
    return [head, *map(_table, one.tables), f"{'together':<12}{'':>40}{one.kept_mb_per_day:>10,.0f}"]


def _table(table: Table) -> str:
    a_row = f"{table.bytes_a_row:>12.1f}{table.index_bytes_a_row:>13.2f}"
    return f"{table.kind:<12}{table.rows_per_day:>15,.0f}{a_row}{table.mb_per_day:>10,.0f}"


def _rest(one: Account) -> str:
    wal = f"write-ahead log {one.wal_mb_per_million:.0f} MB a million ticks ({one.wal_files_mb:.0f} MB of files now)"
    now = f"spool {one.spool_mb:.0f} MB and append-only file {one.aof_mb:.0f} MB now"
    return f"{wal}, {now}, other tables {one.other_tables_mb:.1f} MB"
