"""A gap filled page by page by the job, beside one bare COPY of the same rows into the same table."""

from dataclasses import dataclass
from typing import Final

from bench.workbench import Workbench

PAGES: Final = 200
"""Of a thousand trades each."""


@dataclass(frozen=True, slots=True)
class Backfilled:
    """Rows a second: of the job, and of COPY alone."""

    rate: float
    bare_rate: float


def run(bench: Workbench) -> Backfilled:
    """Measure both, in one process on one core; PostgreSQL has the other."""
    with bench.postgres() as postgres:
        bench.migrate(postgres)
        url, env = postgres.url("nightdesk", "nightdesk_writer"), {"DATABASE_PASSWORD": postgres.password}
        done = bench.ask(bench.first, "bench.backfill", url, str(PAGES), env=env)
    return Backfilled(rate=done["rows"] / done["seconds"], bare_rate=done["rows"] / done["bare_seconds"])
