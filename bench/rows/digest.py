"""Lines of logs from files into their tables, beside parsing their JSON and nothing else."""

from dataclasses import dataclass

from bench.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Digested:
    """Lines a second: loaded; parsed by Python's own ``json``; by ``msgspec``; and the loader's memory at most, MB."""

    rate: float
    json_rate: float
    msgspec_rate: float
    text_rate: float
    memory_mb: float


def run(bench: Workbench) -> Digested:
    """Measure all of it in one process on one core; PostgreSQL has the other."""
    with bench.postgres() as postgres:
        bench.migrate(postgres)
        url, env = postgres.url("nightdesk", "nightdesk_writer"), {"DATABASE_PASSWORD": postgres.password}
        done = bench.ask(bench.first, "bench.digest", url, str(bench.scratch / "digest"), env=env)
    return Digested(
        rate=done["lines"] / done["seconds"],
        json_rate=done["lines"] / done["json_seconds"],
        msgspec_rate=done["lines"] / done["msgspec_seconds"],
        text_rate=done["text_lines"] / done["text_seconds"],
        memory_mb=done["memory_mb"],
    )
