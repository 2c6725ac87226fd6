"""How long after its receipt a trade is committed, at 10,000 a second through the whole path; beside it bare turns.

A bare turn copies as many rows as one of the worker's turns and commits them, on the same PostgreSQL.
"""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import psycopg

from bench.market import SYMBOLS
from bench.rows.pipeline import COMMITTED, check
from bench.workbench import MeasurementError, Workbench, line_of, wait_for
from deploy.databases import RunningPostgres

RATE: Final = 10_000.0
WARM_UP_S: Final = 1.0
"""Connections, partitions and caches are made in the first second, which does not count."""

BARE_TURNS: Final = 1000

Array = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds from a trade's receipt to its commit, and of bare turns of the same sizes."""

    trades_ms: npt.NDArray[np.float64]
    turns_ms: npt.NDArray[np.float64]


def run(bench: Workbench) -> Latency:
    """Send for a while, stop, and compare each row with the moment at which its turn was acknowledged."""
    bench = bench.shared()
    output = bench.scratch / "commits.npy"
    with bench.postgres() as postgres, bench.redis() as redis, bench.flood(rate=RATE) as flood:
        bench.migrate(postgres)
        with (
            bench.worker(flood, postgres, redis, "bench.timekeeper", str(output)) as worker,
            bench.collector(flood, redis),
        ):
            sent = flood.sent()["sent"]
            wait_for(lambda: worker.value(COMMITTED), sent, "messages committed")
            check(postgres, sent)
        commits: Array = np.load(output)
        trades_ms, sizes = joined(received(postgres), commits)
        return Latency(trades_ms=trades_ms, turns_ms=_bare(bench, postgres, sizes))


def percentile(values: npt.NDArray[np.float64], share: float) -> float:
    """Return the value that so many percent do not exceed."""
    return float(np.percentile(values, share, method="inverted_cdf"))


def received(postgres: RunningPostgres) -> Array:
    """Return place in ``SYMBOLS``, id and moment of receipt (Unix time in nanoseconds) of every row."""
    with psycopg.connect(postgres.url("nightdesk"), password=postgres.password) as connection:
        rows = connection.execute(RECEIVED).fetchall()
    return np.array([(SYMBOLS.index(symbol), trade, at_us * 1000) for symbol, trade, at_us in rows], dtype=np.int64)


def joined(rows: Array, commits: Array) -> tuple[npt.NDArray[np.float64], list[int]]:
    """Return each row's milliseconds from receipt to commit, and the sizes of the turns, without the first second.

    Raises MeasurementError unless every row was committed once, and not before its receipt.
    """
    rows, commits = by_trade(rows), by_trade(commits)
    if not np.array_equal(rows[:, :2], commits[:, :2]):
        raise MeasurementError(f"{len(rows)} rows, {len(commits)} commits, and they are not the same trades")
    trades_ms = (commits[:, 3] - rows[:, 2]) / 1e6
    if trades_ms.min() < 0:
        raise MeasurementError(f"a row was committed {-trades_ms.min():.3f} ms before its receipt")
    counted = rows[:, 2] >= rows[:, 2].min() + WARM_UP_S * 1e9
    sizes = np.unique(commits[counted, 2], return_counts=True)[1]
    return trades_ms[counted], sizes.tolist()


def by_trade(table: Array) -> Array:
    """Sort by the first two columns, a trade's symbol and id."""
    return table[np.lexsort((table[:, 1], table[:, 0]))]


def _bare(bench: Workbench, postgres: RunningPostgres, sizes: Sequence[int]) -> npt.NDArray[np.float64]:
    chosen = list(itertools.islice(itertools.cycle(sizes), BARE_TURNS))
    env = {"DATABASE_PASSWORD": postgres.password}
    with bench.running(bench.second, "bench.turn", postgres.url(), env=env) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(chosen))
        process.stdin.close()
        return np.array(line_of(process, "bench.turn")["elapsed_s"]) * 1000


RECEIVED: Final = """
    SELECT symbol, trade_id, (extract(epoch FROM received_at) * 1000000)::int8
    FROM trades JOIN symbols USING (symbol_id)
"""
