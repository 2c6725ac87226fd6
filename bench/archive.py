"""A day of trades to its verified file, and the same rows written by pyarrow alone.

DATABASE_PASSWORD=... python -m bench.archive DATABASE_URL DIRECTORY
"""

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.parquet as pq
from pyarrow import fs

from nightdesk.store.database import Connection, connect
from nightdesk.store.tables import EPOCH_US
from nightdesk.ticks import Kind
from services.jobs.archive import tables
from services.jobs.archive.columns import Rows, Values, select
from services.jobs.archive.days import Archive
from services.jobs.archive.parquet import LEVEL, options, to_table
from services.jobs.archive.places import Place
from services.jobs.archive.planning import TableDay

ROWS: Final = 1_000_000
PIECE: Final = 100_000
DAY: Final = datetime(2026, 3, 2, tzinfo=UTC)
NAMES: Final = {number: ("bench", name) for number, name in enumerate(("BTC", "ETH", "SOL", "XRP", "BNB"), 1)}


def day_of_trades(count: int) -> Rows:
    """Return trades as a liquid market makes them: in bursts, a price that walks in cents, sizes of any size."""
    random = np.random.default_rng(7)
    symbols = random.integers(1, len(NAMES) + 1, count)
    gaps = random.exponential(1.0, count)
    start_us = int(DAY.timestamp() * 1e6) - EPOCH_US
    # Exchanges say milliseconds, and what is received says microseconds.
    times = start_us + (np.cumsum(gaps) / gaps.sum() * 86_399_000).astype(np.int64) * 1000
    prices = np.round(100.0 * 10.0 ** (symbols % 3) + np.cumsum(random.normal(0, 0.01, count)), 2)
    return {
        "symbol_id": Values(symbols.astype(np.int32)),
        "side": Values(random.choice(np.array([1, -1], dtype=np.int16), count)),
        "time": Values(times),
        "trade_id": Values(4_000_000_000 + np.arange(count)),
        "price": Values(prices),
        "size": Values(np.round(random.lognormal(-3, 2, count), 5)),
        "exchange_time": Values(times),
        "received_at": Values(times + random.integers(2_000, 60_000, count)),
    }


def archived(connection: Connection, directory: Path, rows: Rows) -> dict[str, float]:
    """Archive the day; return seconds and bytes."""
    day = TableDay(DAY.date(), Kind.TRADE)
    tables.ensure_day(connection, day)
    for first in range(0, ROWS, PIECE):
        tables.copy_back(connection, Kind.TRADE, select(rows, np.arange(first, first + PIECE)))
    began = time.perf_counter()
    done = Archive(connection, Place(fs.LocalFileSystem(), str(directory))).archive(day)
    seconds = time.perf_counter() - began
    if not done.dropped or done.rows != ROWS:
        raise SystemExit(f"{done.rows} of {ROWS} rows are archived; dropped: {done.dropped}")
    return {"seconds": seconds, "value_bytes": done.value_bytes, "file_bytes": done.file_bytes}


def by_pyarrow(directory: Path, rows: Rows) -> dict[str, float]:
    """Write the same rows, sorted the same, with nothing before or after; once more as pyarrow would by itself."""
    order = np.lexsort((rows["time"].numbers, rows["symbol_id"].numbers))
    table = to_table(Kind.TRADE, select(rows, order), NAMES)
    began = time.perf_counter()
    pq.write_table(table, directory / "alone.parquet", **options(Kind.TRADE))
    seconds = time.perf_counter() - began
    pq.write_table(table, directory / "plain.parquet", compression="zstd", compression_level=LEVEL)
    return {"alone_seconds": seconds, "plain_bytes": (directory / "plain.parquet").stat().st_size}


def main(url: str, directory: str) -> None:
    """Print the figures of both."""
    where = Path(directory)
    where.mkdir(exist_ok=True)
    rows = day_of_trades(ROWS)
    with connect(url, os.environ["DATABASE_PASSWORD"], name="bench") as connection:
        figures = archived(connection, where, rows)
    print(json.dumps({"rows": ROWS, **figures, **by_pyarrow(where, rows)}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
