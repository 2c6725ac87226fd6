"""The whole path on two cores: from the socket to committed rows, with admission and bars, and nothing lost."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg

from bench.desk import processes
from bench.workbench import MeasurementError, Workbench, wait_for
from deploy.databases import RunningPostgres

COMMITTED: Final = "nightdesk_store_committed_ticks_total"
RESIDENT: Final = "process_resident_memory_bytes"
SAMPLE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Messages a second from the first one sent to the last row committed, and each process's peak in megabytes."""

    rate: float
    memory_mb: Mapping[str, float]


def run(bench: Workbench, transport: str = "websockets") -> Pipeline:
    """Send for a while, and count what is stored."""
    with bench.postgres() as postgres, bench.redis() as redis, bench.flood() as flood:
        bench.migrate(postgres)
        with bench.worker(flood, postgres, redis) as worker, bench.collector(flood, redis, transport) as collector:
            probes = {
                "collector": lambda: collector.value(RESIDENT),
                "worker": lambda: worker.value(RESIDENT),
                "redis": lambda: held_bytes(redis.process_id),
                "postgres": lambda: held_bytes(postgres.process_id),
            }
            with peaks(probes) as memory_mb:
                sent = flood.sent()
                ended_ns = wait_for(lambda: worker.value(COMMITTED), sent["sent"], "messages committed")
            check(postgres, sent["sent"])
    return Pipeline(sent["sent"] / (ended_ns - sent["began_ns"]) * 1e9, memory_mb)


def with_picows(bench: Workbench) -> Pipeline:
    """Do the same with the second transport."""
    return run(bench, "picows")


def check(postgres: RunningPostgres, sent: int) -> None:
    """Count what is stored; raises MeasurementError unless it is exactly what was sent, in rows, ids and bars."""
    with psycopg.connect(postgres.url("nightdesk"), password=postgres.password, options=OPTIONS) as connection:
        for what, query in COUNTS.items():
            stored = connection.execute(query).fetchone()
            if stored is None or stored[0] != sent:
                raise MeasurementError(f"{sent} messages sent; {what}: {stored and stored[0]}")


@contextmanager
def peaks(probes: Mapping[str, Callable[[], float]]) -> Iterator[dict[str, float]]:
    """Ask for memory every second; what is yielded holds the highest answer to each, in megabytes, at the end."""
    highest, done = dict.fromkeys(probes, 0.0), threading.Event()

    def watch() -> None:
        while True:
            for name, probe in probes.items():
                highest[name] = max(highest[name], probe() / 1e6)
            if done.wait(SAMPLE_S):
                return

    thread = threading.Thread(target=watch, name="peaks")
    thread.start()
    try:
        yield highest
    finally:
        done.set()
        thread.join()


def held_bytes(process_id: int) -> float:
    """Return what a server and its children hold."""
    used = processes.total(processes.family(process_id))
    return float(used.private_bytes + used.shared_bytes)


# PostgreSQL 15 takes minutes to hash so many ids in little memory; it sorts them in a second.
OPTIONS: Final = "-c statement_timeout=120s -c enable_hashagg=off -c work_mem=512MB"
COUNTS: Final = {
    "rows of trades": "SELECT count(*) FROM trades",
    "different ids": "SELECT count(*) FROM (SELECT DISTINCT symbol_id, trade_id FROM trades) AS ids",
    "trades in bars": "SELECT sum(trades) FROM bars",
}
