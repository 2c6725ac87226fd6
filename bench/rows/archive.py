"""A day of trades from PostgreSQL to a verified Parquet file, beside pyarrow writing the same rows and nothing else."""

from dataclasses import dataclass

from bench.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Archived:
    """MB (of values, 10^6 bytes) a second and bytes a tick: of the archive, and of pyarrow alone."""

    mb_per_s: float
    alone_mb_per_s: float
    bytes_per_tick: float
    plain_bytes_per_tick: float


def run(bench: Workbench) -> Archived:
    """Measure both, in one process on one core; PostgreSQL has the other."""
    with bench.postgres() as postgres:
        bench.migrate(postgres)
        url, env = postgres.url("nightdesk", "nightdesk_writer"), {"DATABASE_PASSWORD": postgres.password}
        done = bench.ask(bench.first, "bench.archive", url, str(bench.scratch / "archive"), env=env)
    megabytes = done["value_bytes"] / 1e6
    return Archived(
        mb_per_s=megabytes / done["seconds"],
        alone_mb_per_s=megabytes / done["alone_seconds"],
        bytes_per_tick=done["file_bytes"] / done["rows"],
        plain_bytes_per_tick=done["plain_bytes"] / done["rows"],
    )
