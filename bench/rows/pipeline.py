"""The whole path on two cores: from the socket to committed rows, with admission and bars, and nothing lost."""

import psycopg

from bench.workbench import MeasurementError, Workbench, wait_for
from deploy.databases import RunningPostgres

COMMITTED = "nightdesk_store_committed_ticks_total"


def measure(bench: Workbench, transport: str = "websockets") -> float:
    """Return messages a second, from the first one sent to the last row committed."""
    with bench.postgres() as postgres, bench.redis() as redis, bench.flood() as flood:
        bench.migrate(postgres)
        with bench.worker(flood, postgres, redis) as worker, bench.collector(flood, redis, transport):
            sent = flood.sent()
            ended_ns = wait_for(lambda: worker.value(COMMITTED), sent["sent"], "messages committed")
            check(postgres, sent["sent"])
    return float(sent["sent"] / (ended_ns - sent["began_ns"]) * 1e9)


def check(postgres: RunningPostgres, sent: int) -> None:
    """Count what is stored; raises MeasurementError unless it is exactly what was sent, in rows, ids and bars."""
    with psycopg.connect(postgres.url("nightdesk"), password=postgres.password, options=OPTIONS) as connection:
        for what, query in COUNTS.items():
            stored = connection.execute(query).fetchone()
            if stored is None or stored[0] != sent:
                raise MeasurementError(f"{sent} messages sent; {what}: {stored and stored[0]}")


# PostgreSQL 15 takes minutes to hash so many ids in little memory; it sorts them in a second.
OPTIONS = "-c statement_timeout=60s -c enable_hashagg=off"
COUNTS = {
    "rows of trades": "SELECT count(*) FROM trades",
    "different ids": "SELECT count(*) FROM (SELECT DISTINCT symbol_id, trade_id FROM trades) AS ids",
    "trades in bars": "SELECT sum(trades) FROM bars",
}
