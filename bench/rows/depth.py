"""Changes of real order books to committed rows, beside parsing the same messages as JSON."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from bench.place import SOURCE
from bench.workbench import MeasurementError, NothingToMeasureError, Workbench

RECORDINGS: Final = ("binance-spot.ws.jsonl", "binance-spot.http.jsonl", "coinbase-exchange.ws.jsonl")


@dataclass(frozen=True, slots=True)
class Depths:
    """Messages a second: to committed rows, and parsed as JSON alone."""

    committed: float
    parsed: float


def run(bench: Workbench) -> Depths:
    """Measure both; raises NothingToMeasureError without recordings."""
    directory = _copied(bench)
    with bench.postgres() as postgres:
        bench.migrate(postgres)
        url, env = postgres.url("nightdesk", "nightdesk_writer"), {"DATABASE_PASSWORD": postgres.password}
        done = bench.ask(bench.first, "bench.depth", url, str(directory), str(bench.seconds), env=env)
        with psycopg.connect(postgres.url("nightdesk"), password=postgres.password) as connection:
            row = connection.execute("SELECT count(*) FROM depths").fetchone()
    if row is None or row[0] != done["depths"]:
        raise MeasurementError(f"{done['depths']} depth ticks, {row and row[0]} rows of depths")
    return Depths(done["depths"] / done["seconds"], done["count"] / done["parsed_s"])


def _copied(bench: Workbench) -> Path:
    """Put the recordings where the measured process can read them."""
    source = Path(os.environ.get("NIGHTDESK_RECORDINGS") or SOURCE.parent / "shared" / "recordings")
    target = bench.scratch / "recordings"
    target.mkdir(exist_ok=True)
    for name in RECORDINGS:
        if not (source / name).is_file():
            raise NothingToMeasureError(f"no {name} in {source}; NIGHTDESK_RECORDINGS names the folder of recordings")
        shutil.copy(source / name, target)
    return target
