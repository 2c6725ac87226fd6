"""Turns of the scheduler with a thousand jobs, and the bare statements that such a turn cannot do without.

DATABASE_PASSWORD=... python -m bench.clockwork DATABASE_URL REDIS_URL
"""

import json
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg
import structlog

from nightdesk import streams
from nightdesk.schedule_config import Schedule
from nightdesk.store.database import Connection, connect
from nightdesk.store.runs import RunRows
from services.scheduler.clockwork import Clockwork
from services.scheduler.queue import RunQueue

JOBS: Final = 1000
KEPT: Final = 100
"""Runs of each job that are over, which nobody should have to look through."""

IDLE_TURNS: Final = 20
BEGIN: Final = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)

HISTORY: Final = b"""
INSERT INTO runs (job, scheduled_for, task, origin, chain, state, due_at, grace_s, max_age_s, timeout_s, started_at,
    finished_at)
SELECT 'job_' || job, at, 'nothing', 'schedule', 'job_' || job, 'succeeded', at, 900, 86400, 60, at, at
FROM generate_series(0, %(jobs)s - 1) AS job,
    generate_series(1, %(kept)s) AS number,
    LATERAL (SELECT %(begin)s::timestamptz - number * interval '1 hour' AS at) AS times
"""
BARE: Final = b"""
CREATE TEMPORARY TABLE bare (LIKE runs INCLUDING ALL);
INSERT INTO bare (job, scheduled_for, task, origin, chain, due_at, grace_s, max_age_s, timeout_s)
SELECT 'job_' || number, now(), 'nothing', 'schedule', 'job_' || number, now(), 900, 86400, 60
FROM generate_series(1, 1000) AS number
"""
ONE: Final = (
    b"UPDATE bare SET state = 'queued', queued_at = %s WHERE run_id = %s AND state = 'expected' RETURNING run_id"
)
ALL: Final = (
    b"UPDATE bare SET state = 'running', beat_at = %s WHERE run_id = ANY (%s) AND state = 'queued' RETURNING run_id"
)


class CountedRows(RunRows):
    """The rows by a clock that is set; counts what it asks PostgreSQL."""

    def __init__(self, make: Callable[[], Connection]) -> None:
        super().__init__(make)
        self.at = BEGIN
        self.statements = 0

    def now(self) -> datetime:
        """Return the time that is set."""
        return self.at

    def _do(self, name: str, **values: object) -> list[tuple[Any, ...]]:
        self.statements += 1
        return super()._do(name, **values)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one turn."""

    ms: float
    cpu_ms: float
    statements: int


def cost_of(turn: Callable[[], None], rows: CountedRows) -> Cost:
    """Do one turn; return what it cost."""
    statements, began, cpu_began = rows.statements, time.perf_counter(), time.process_time()
    turn()
    return Cost(
        ms=(time.perf_counter() - began) * 1e3,
        cpu_ms=(time.process_time() - cpu_began) * 1e3,
        statements=rows.statements - statements,
    )


def turns(make: Callable[[], Connection], redis_url: str) -> dict[str, Cost]:
    """Measure an idle turn, one in which every job is due, and one in which all wait for their runs before."""
    jobs = {f"job_{number}": {"cron": "* * * * *", "timezone": "UTC", "timeout": "1m"} for number in range(JOBS)}
    rows, queue = CountedRows(make), RunQueue(streams.connect(redis_url, None))
    clockwork = Clockwork(
        schedule=Schedule.model_validate({"jobs": jobs}),
        rows=rows,
        queue=queue,
        sessions=lambda _calendar, _start, _end: [],
        random=lambda: 0.5,
    )
    first = cost_of(clockwork.turn, rows)
    idle = [cost_of(clockwork.turn, rows) for _ in range(IDLE_TURNS)]
    rows.at += timedelta(minutes=1)
    due = cost_of(clockwork.turn, rows)
    if len(queue.waiting()) != JOBS:
        raise SystemExit(f"{len(queue.waiting())} of {JOBS} runs were sent")
    rows.at += timedelta(minutes=1)
    waiting = cost_of(clockwork.turn, rows)
    rows.close()
    return {
        "first": first,
        "idle": Cost(
            *(statistics.median(getattr(one, name) for one in idle) for name in ("ms", "cpu_ms", "statements"))
        ),
        "due": due,
        "waiting": waiting,
    }


def bare(connection: Connection) -> dict[str, float]:
    """Measure a thousand updates of a row each, and one of a thousand rows, as such a turn's would be."""
    connection.execute(BARE)
    ids = [run_id for (run_id,) in connection.execute("SELECT run_id FROM bare").fetchall()]
    began = time.perf_counter()
    for run_id in ids:
        connection.execute(ONE, [BEGIN, run_id]).fetchall()
    singles_ms = (time.perf_counter() - began) * 1e3
    began = time.perf_counter()
    changed = len(connection.execute(ALL, [BEGIN, ids]).fetchall())
    set_ms = (time.perf_counter() - began) * 1e3
    if changed != JOBS:
        raise SystemExit(f"{changed} of {JOBS} rows were updated")
    return {"singles_ms": singles_ms, "set_ms": set_ms}


def main(url: str, superuser_url: str, redis_url: str) -> None:
    """Print what it all cost, as a line of JSON."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    password = os.environ["DATABASE_PASSWORD"]
    with psycopg.connect(superuser_url, password=password, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # totals are not what is measured
        connection.execute(HISTORY, {"jobs": JOBS, "kept": KEPT, "begin": BEGIN})
        connection.execute("VACUUM ANALYZE runs")
    with connect(superuser_url, password, name="bench") as connection:
        done: dict[str, Any] = bare(connection)
    costs = turns(lambda: connect(url, password, name="bench"), redis_url)
    print(json.dumps(done | {name: asdict(cost) for name, cost in costs.items()}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
