"""``make bench``: measure, write ``build/bench.json``, print the table."""

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import psycopg

from bench import place, report
from bench.place import SOURCE
from bench.rows import ROWS, Row
from bench.workbench import MeasurementError, NothingToMeasureError, Workbench, two_cores
from nightdesk.errors import NightdeskError

OUTPUT: Final = SOURCE / "build" / "bench.json"


def main(arguments: Sequence[str]) -> int:
    """Measure what was asked for; return the exit status."""
    options = _parser().parse_args(arguments)
    # Told to stop, leave through every `finally`: nothing that was started stays.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        rows = selected(options.only, ROWS)
        samples = _measured(rows, options.seconds, options.rounds)
    except (MeasurementError, NightdeskError, psycopg.Error) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    every = report.results(ROWS, samples)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(report.as_json(every), encoding="utf-8")
    print(report.as_table(every, samples))
    return 0


def selected(prefix: str, rows: Mapping[str, Row]) -> list[str]:
    """Return the rows whose names begin so, and the limits that they are compared with, in the table's order.

    Raises MeasurementError when no name begins so.
    """
    chosen = {name for name in rows if name.startswith(prefix)}
    if not chosen:
        raise MeasurementError(f"no row begins with {prefix!r}; there are {', '.join(rows)}")
    chosen |= {rows[name].limit for name in chosen}
    return [name for name in rows if name in chosen]


def _measured(rows: Sequence[str], seconds: float, rounds: int) -> dict[str, list[float]]:
    """Measure every row once a round, so that each has its limit close by; what cannot be measured here is left out."""
    first, second = two_cores()
    scratch = Path(tempfile.mkdtemp(prefix="nightdesk-bench-"))
    # PostgreSQL may run as another user, who must be able to enter.
    scratch.chmod(0o755)
    samples: dict[str, list[float]] = {name: [] for name in rows}
    try:
        where = place.choose(scratch)
        print(f"{where.name}; {rounds} rounds")
        for number in range(1, rounds + 1):
            bench = Workbench(place=where, scratch=scratch, seconds=0, first=first, second=second)
            for name in [name for name in samples if number <= ROWS[name].rounds]:
                row = ROWS[name]
                for_s = seconds or (row.first_seconds if number == 1 else 0.0) or row.seconds
                try:
                    samples[name].append(row.measure(replace(bench, seconds=for_s)))
                except NothingToMeasureError as missing:
                    print(f"      {name:<26}left out: {missing}", flush=True)
                    del samples[name]
                else:
                    figure = report.figure(samples[name][-1])
                    print(f"  {number}/{rounds} {name:<26}{figure:>12} {row.unit}", flush=True)
    finally:
        shutil.rmtree(scratch)
    return samples


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", default="", metavar="PREFIX", help="rows whose names begin so, and their limits")
    parser.add_argument("--for", dest="seconds", type=float, default=0.0, metavar="SECONDS", help="a row's sending")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each row")
    return parser
