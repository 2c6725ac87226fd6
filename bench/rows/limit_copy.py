"""Binary COPY of the same trades into PostgreSQL, and nothing else."""

from bench.workbench import Workbench


def measure(bench: Workbench) -> float:
    """Return rows a second."""
    with bench.postgres() as postgres:
        env = {"DATABASE_PASSWORD": postgres.password}
        loaded = bench.ask(bench.first, "bench.load", postgres.url(), str(bench.seconds), env=env)
    return float(loaded["count"] / loaded["seconds"])
