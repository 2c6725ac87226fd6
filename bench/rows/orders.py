"""Orders from CSV into the database, and the trade report over a million of them."""

from dataclasses import dataclass

from bench.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Orders:
    """Rows a second: of the import and of a bare COPY. Seconds: of the report and of one bare sum over its period."""

    rows_per_s: float
    bare_rows_per_s: float
    report_s: float
    bare_s: float


def run(bench: Workbench) -> Orders:
    """Measure both, in one process on one core; PostgreSQL has the other."""
    with bench.postgres() as postgres:
        bench.migrate(postgres)
        url, env = postgres.url("nightdesk", "nightdesk_writer"), {"DATABASE_PASSWORD": postgres.password}
        done = bench.ask(bench.first, "bench.orders", url, env=env)
    return Orders(
        rows_per_s=done["rows"] / done["import_s"],
        bare_rows_per_s=done["rows"] / done["copy_s"],
        report_s=done["report_s"],
        bare_s=done["bare_s"],
    )
