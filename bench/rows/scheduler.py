"""A turn of the scheduler with a thousand jobs, beside the bare statements of one."""

from dataclasses import dataclass
from typing import Final

from bench.workbench import Workbench

JOBS: Final = 1000
"""One statement each is what a turn would cost that took them one by one."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Milliseconds and statements: of a turn without anything to do, of one in which all are due, and bare."""

    idle_ms: float
    idle_cpu_ms: float
    due_ms: float
    due_cpu_ms: float
    due_statements: int
    singles_ms: float
    set_ms: float


def run(bench: Workbench) -> Turns:
    """Measure all of it in one process on one core; PostgreSQL and Redis have the other."""
    with bench.postgres() as postgres, bench.redis() as redis:
        bench.migrate(postgres)
        urls = postgres.url("nightdesk", "nightdesk_writer"), postgres.url("nightdesk")
        env = {"DATABASE_PASSWORD": postgres.password}
        done = bench.ask(bench.first, "bench.clockwork", *urls, redis.url, env=env)
    return Turns(
        idle_ms=done["idle"]["ms"],
        idle_cpu_ms=done["idle"]["cpu_ms"],
        due_ms=done["due"]["ms"],
        due_cpu_ms=done["due"]["cpu_ms"],
        due_statements=done["due"]["statements"],
        singles_ms=done["singles_ms"],
        set_ms=done["set_ms"],
    )
