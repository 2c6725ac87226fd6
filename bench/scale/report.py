"""The table of workers and symbols, and whether a step in it is a cliff. Pure."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias

KEPT_SHARE: Final = 0.5
"""Less throughput than this share of the cell before is a cliff."""
LATENCY_FACTOR: Final = 4.0
"""More p99 than so many times the cell before is a cliff, unless it is still below what is asked of the small case."""
LATENCY_FREE_MS: Final = 40.0
COST_FACTOR: Final = 4.0
"""More CPU of PostgreSQL than so many times the cell before is a cliff, while symbols rise tenfold, workers twofold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """CPU seconds a million trades."""

    collector: float
    workers: float
    postgres: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One pair of numbers: at a steady rate, and as fast as it goes."""

    workers: int
    symbols: int
    rate: float
    """Trades a second at which latency and load were measured."""
    p50_ms: float
    p99_ms: float
    transactions_per_s: float
    postgres_cores: float
    """CPU seconds of PostgreSQL a second, at that rate."""
    cpu: Cpu
    """At that rate."""
    throughput: float
    """Trades a second from the first sent to the last committed, as fast as it goes."""
    cpu_at_most: Cpu
    """At that throughput."""


Number: TypeAlias = Callable[[Cell], int]


def cliffs(cells: Sequence[Cell]) -> list[str]:
    """Return a line for every step to more symbols or more workers that falls off a cliff."""
    return [line for before, after in steps(cells) for line in _falls(before, after)]


def suspects(cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells that a step seems to fall down to."""
    return [after for after in cells if any(at is after and any(_falls(before, at)) for before, at in steps(cells))]


def better(one: Cell, other: Cell) -> Cell:
    """Return the run that was disturbed less: what runs beside a measurement takes throughput and adds latency."""
    return max(one, other, key=lambda cell: cell.throughput / cell.p99_ms)


def steps(cells: Sequence[Cell]) -> Iterator[tuple[Cell, Cell]]:
    """Yield neighbours: the next larger number of symbols for the same workers, and of workers for the same symbols."""
    for row in _grouped(cells, lambda one: one.workers, lambda one: one.symbols):
        yield from itertools.pairwise(row)
    for column in _grouped(cells, lambda one: one.symbols, lambda one: one.workers):
        yield from itertools.pairwise(column)


def as_json(on: str, cells: Sequence[Cell]) -> dict[str, Any]:
    """Return what ``build/scale.json`` holds."""
    return {"on": on, "cells": [asdict(one) for one in cells], "cliffs": cliffs(cells)}


def as_table(cells: Iterable[Cell]) -> str:
    """Return the table: as fast as it goes on the left, at the steady rate on the right; CPU is seconds a million."""
    cpu = f"{'collector':>10}{'workers':>8}{'PG':>7}"
    steady = f"{'rate/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'tx/s':>6}{'PG cores':>9}"
    return "\n".join([f"{'workers':>7}{'symbols':>8}{'most/s':>10}{cpu}  |{steady}{cpu}", *map(_line, cells)])


def _line(one: Cell) -> str:
    most = f"{one.throughput:>10,.0f}{_cpu(one.cpu_at_most)}"
    steady = f"{one.rate:>8,.0f}{one.p50_ms:>8.1f}{one.p99_ms:>8.1f}{one.transactions_per_s:>6.0f}"
    return f"{one.workers:>7}{one.symbols:>8}{most}  |{steady}{one.postgres_cores:>9.3f}{_cpu(one.cpu)}"


def _cpu(cpu: Cpu) -> str:
    return f"{cpu.collector:>10.1f}{cpu.workers:>8.1f}{cpu.postgres:>7.1f}"


def _falls(before: Cell, after: Cell) -> Iterator[str]:
    step = f"{before.workers} workers, {before.symbols} symbols -> {after.workers}, {after.symbols}"
    if after.throughput < KEPT_SHARE * before.throughput:
        yield f"{step}: throughput falls from {before.throughput:,.0f} to {after.throughput:,.0f}/s"
    if after.p99_ms > max(LATENCY_FREE_MS, LATENCY_FACTOR * before.p99_ms):
        yield f"{step}: p99 rises from {before.p99_ms:.1f} to {after.p99_ms:.1f} ms"
    if after.postgres_cores > COST_FACTOR * before.postgres_cores:
        yield f"{step}: PostgreSQL's load rises from {before.postgres_cores:.3f} to {after.postgres_cores:.3f} cores"


def _grouped(cells: Sequence[Cell], group: Number, order: Number) -> list[list[Cell]]:
    return [
        sorted((one for one in cells if group(one) == value), key=order) for value in sorted({group(c) for c in cells})
    ]
