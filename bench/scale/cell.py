"""Measure one cell: so many workers, so many symbols, a stack of their own."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import psycopg

from bench.desk import processes
from bench.place import Process
from bench.rows.pipeline import COMMITTED, check
from bench.scale.flood import symbols as names
from bench.scale.report import Cell, Cpu
from bench.workbench import SHARDS, MeasurementError, Metrics, Numbers, Workbench, feed, line_of, wait_for
from deploy import databases
from deploy.databases import RunningPostgres, RunningRedis

WARM_UP_S: Final = 2.0
OWNED_LIMIT_S: Final = 30.0
OWNED: Final = "nightdesk_consumer_owned"
CPU: Final = "process_cpu_seconds_total"
LOAD: Final = (Path(__file__).parent / "load.sql").read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was used so far."""

    at_s: float
    postgres_cpu_s: float
    workers_cpu_s: float
    collector_cpu_s: float
    transactions: int

    def cpu_until(self, later: "Look", trades: int) -> Cpu:
        """Return what was used from here to there, for a million trades."""
        millions = trades / 1e6
        return Cpu(
            collector=round((later.collector_cpu_s - self.collector_cpu_s) / millions, 2),
            workers=round((later.workers_cpu_s - self.workers_cpu_s) / millions, 2),
            postgres=round((later.postgres_cpu_s - self.postgres_cpu_s) / millions, 2),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A running pipeline: a flood that obeys, a collector, workers, databases."""

    flood: Process
    workers: Sequence[Metrics]
    collector: Metrics
    postgres: RunningPostgres

    def send(self, rate: float, seconds: float) -> Numbers:
        """Let trades flow; return what was sent, once it was."""
        assert self.flood.stdin is not None
        self.flood.stdin.write(f"{rate} {seconds}\n")
        self.flood.stdin.flush()
        return line_of(self.flood, "bench.scale.flood")

    def committed(self) -> float:
        """Return how many trades all workers committed."""
        return sum(one.value(COMMITTED) for one in self.workers)

    def look(self) -> Look:
        """Return what was used so far."""
        with psycopg.connect(self.postgres.url(), password=self.postgres.password) as connection:
            row = connection.execute(LOAD).fetchone()
        assert row is not None
        return Look(
            at_s=time.monotonic(),
            postgres_cpu_s=processes.total(processes.family(self.postgres.process_id)).cpu_s,
            workers_cpu_s=sum(one.value(CPU) for one in self.workers),
            collector_cpu_s=self.collector.value(CPU),
            transactions=row[0],
        )


def measure(bench: Workbench, *, workers: int, symbols: int, rate: float) -> Cell:
    """Return the cell; raises MeasurementError unless every trade is stored once and in its bar."""
    outputs = [bench.scratch / f"commits-{number}.npy" for number in range(workers)]
    with running(bench, outputs, symbols) as line:
        sent = line.send(rate, WARM_UP_S)["sent"]
        wait_for(line.committed, sent, "messages committed")
        began, began_ns = line.look(), time.time_ns()
        steady = line.send(rate, bench.seconds)
        ended_ns, sent = time.time_ns(), sent + steady["sent"]
        wait_for(line.committed, sent, "messages committed")
        rested = line.look()
        most = line.send(0, bench.seconds)
        sent += most["sent"]
        last_ns = wait_for(line.committed, sent, "messages committed")
        ended = line.look()
        check(line.postgres, sent)
    p50_ms, p99_ms = latencies_ms([np.load(output) for output in outputs], began_ns, ended_ns)
    seconds = rested.at_s - began.at_s
    return Cell(
        workers=workers,
        symbols=symbols,
        rate=round(steady["sent"] / (steady["ended_ns"] - steady["began_ns"]) * 1e9, 1),
        p50_ms=round(p50_ms, 2),
        p99_ms=round(p99_ms, 2),
        transactions_per_s=round((rested.transactions - began.transactions) / seconds, 1),
        postgres_cores=round((rested.postgres_cpu_s - began.postgres_cpu_s) / seconds, 4),
        cpu=began.cpu_until(rested, steady["sent"]),
        throughput=round(most["sent"] / (last_ns - most["began_ns"]) * 1e9),
        cpu_at_most=rested.cpu_until(ended, most["sent"]),
    )


@contextmanager
def running(bench: Workbench, outputs: Sequence[Path], symbols: int) -> Iterator[Line]:
    """Run everything a cell needs, each worker with its share of the shards."""
    with ExitStack() as stack:
        postgres, redis = stack.enter_context(bench.postgres()), stack.enter_context(bench.redis())
        flood = stack.enter_context(bench.running(bench.second, "bench.scale.flood", str(symbols)))
        bench.migrate(postgres)
        feed = _feed(bench, int(line_of(flood, "bench.scale.flood")["port"]), symbols)
        workers = [stack.enter_context(_worker(bench, output, feed, postgres, redis)) for output in outputs]
        shares = {SHARDS // len(outputs), -(-SHARDS // len(outputs))}
        _wait(lambda: all(one.value(OWNED) in shares for one in workers), "every worker has its share")
        collector = stack.enter_context(_collector(bench, feed, redis))
        yield Line(flood=flood, workers=workers, collector=collector, postgres=postgres)


def latencies_ms(commits: Sequence[npt.NDArray[np.int64]], from_ns: int, to_ns: int) -> tuple[float, float]:
    """Return p50 and p99 of the milliseconds from receipt to commit, of what was received between two moments."""
    every = np.concatenate(commits)
    counted = every[(every[:, 0] >= from_ns) & (every[:, 0] <= to_ns)]
    if not len(counted):
        raise MeasurementError("no worker committed what was received at the steady rate")
    p50_ms, p99_ms = np.percentile((counted[:, 1] - counted[:, 0]) / 1e6, [50, 99], method="inverted_cdf")
    return float(p50_ms), float(p99_ms)


@contextmanager
def _worker(
    bench: Workbench, output: Path, feed: dict[str, str], postgres: RunningPostgres, redis: RunningRedis
) -> Iterator[Metrics]:
    port = databases.free_port()
    env = {
        **feed, "REDIS_URL": redis.url, "METRICS_PORT": str(port), "DATABASE_PASSWORD": postgres.password,
        "DATABASE_URL": postgres.url("nightdesk", "nightdesk_writer"),
    }  # fmt: skip
    with bench.running(bench.second, "bench.scale.worker", str(output), env=env):
        yield Metrics(port)


@contextmanager
def _collector(bench: Workbench, feed: dict[str, str], redis: RunningRedis) -> Iterator[Metrics]:
    spool = bench.scratch / f"spool-{time.monotonic_ns()}"
    port = databases.free_port()
    env = {**feed, "REDIS_URL": redis.url, "SPOOL_DIR": str(spool), "METRICS_PORT": str(port)}
    with bench.running(bench.first, "services.collector", env=env):
        yield Metrics(port)


def _feed(bench: Workbench, port: int, symbols: int) -> dict[str, str]:
    return feed(bench.scratch / "scale.yaml", port, names(symbols))


def _wait(happened: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + OWNED_LIMIT_S
    while not happened():
        if time.monotonic() > deadline_s:
            raise MeasurementError(f"after {OWNED_LIMIT_S:.0f} s still not: {what}")
        time.sleep(0.1)
