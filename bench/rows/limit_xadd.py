"""Adding frames of the same trades to Redis, and nothing else."""

from bench.workbench import Workbench


def measure(bench: Workbench) -> float:
    """Return ticks a second."""
    with bench.redis() as redis:
        added = bench.ask(bench.first, "bench.add", redis.url, str(bench.seconds))
    return float(added["count"] / added["seconds"])
