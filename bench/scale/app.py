"""``make bench-scale``: a cell for every number of workers and of symbols, one table, and whether it has a cliff."""

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psycopg

from bench import place
from bench.place import SOURCE
from bench.scale.cell import measure
from bench.scale.report import Cell, as_json, as_table, better, cliffs, suspects
from bench.workbench import MeasurementError, Workbench, two_cores
from nightdesk.errors import NightdeskError

AGAIN: Final = 2
"""So often a cell that looks like a cliff is measured again: a neighbour of this machine may have been it."""
OUTPUT: Final = SOURCE / "build" / "scale.json"


def main(arguments: Sequence[str]) -> int:
    """Measure, write ``build/scale.json``, print the table; 0 when no step in it is a cliff."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    scratch = Path(tempfile.mkdtemp(prefix="nightdesk-scale-"))
    # PostgreSQL may run as another user, who must be able to enter.
    scratch.chmod(0o755)
    try:
        where = place.choose(scratch)
        print(f"{where.name}; {options.seconds:g} s at {options.rate:,.0f}/s and {options.seconds:g} s at most a cell")
        first, second = two_cores()
        bench = Workbench(place=where, scratch=scratch, seconds=options.seconds, first=first, second=second)
        cells = _cells(bench, options.workers, options.symbols, options.rate)
    except (MeasurementError, NightdeskError, psycopg.Error) as error:
        print(f"scale: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(scratch)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(as_json(where.name, cells), indent=2) + "\n", encoding="utf-8")
    found = cliffs(cells)
    print("\n".join([as_table(cells), "", *(found or ["no cliff"])]))
    return 1 if found else 0


def _cells(bench: Workbench, workers: Sequence[int], symbols: Sequence[int], rate: float) -> list[Cell]:
    pairs = [(worker_count, symbol_count) for worker_count in workers for symbol_count in symbols]
    cells = [_cell(bench, *pair, rate) for pair in pairs]
    for _ in range(AGAIN):
        for suspect in suspects(cells):
            again = _cell(bench, suspect.workers, suspect.symbols, rate)
            cells[cells.index(suspect)] = better(suspect, again)
    return cells


def _cell(bench: Workbench, workers: int, symbols: int, rate: float) -> Cell:
    cell = measure(bench, workers=workers, symbols=symbols, rate=rate)
    print(as_table([cell]).splitlines()[-1], flush=True)
    return cell


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--for", dest="seconds", type=float, default=10.0, metavar="SECONDS", help="each of the two")
    parser.add_argument("--rate", type=float, default=10_000.0, help="trades a second for latency and load")
    parser.add_argument("--workers", type=_numbers, default=[1, 2, 4], help="such as 1,2,4")
    parser.add_argument("--symbols", type=_numbers, default=[5, 50, 500], help="such as 5,50,500; divisors of 1,000")
    return parser


def _numbers(text: str) -> list[int]:
    return [int(one) for one in text.split(",")]
