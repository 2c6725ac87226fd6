"""What the whole desk holds in memory while nothing but the simulator's own market happens.

In Compose it is what ``docker stats`` says, which leaves out the page cache that the kernel may take back; local
processes' own and shared memory otherwise.
"""

import os
import subprocess
import time
from typing import Final

from bench.desk import desks, processes
from bench.workbench import MeasurementError, NothingToMeasureError, Workbench

SERVICES: Final = ("simulator", "collector", "worker", "redis", "postgres", "api", "alerter", "prometheus", "grafana")
STACK: Final = "stack"
LIMIT_MB: Final = 1500.0
"""What the whole stack is to stay under."""

SETTLED_S: Final = 20.0
"""How long the desk runs before it is looked at."""

_UNITS: Final = {"B": 1.0, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30}


def run(bench: Workbench) -> dict[str, float]:  # noqa: ARG001  a desk has its own databases and its own cores
    """Return megabytes by service."""
    on = desks.mode()
    with desks.running(on, {}) as desk:
        time.sleep(SETTLED_S)
        if on == "compose":
            found = by_service(_stats(), f"nightdesk-bench-{os.getpid()}-")
        else:
            used = {service: processes.total(ids) for service, ids in desks.families(desk).items()}
            found = {service: (one.private_bytes + one.shared_bytes) / 1e6 for service, one in used.items()}
    return {**found, STACK: sum(found.values())}


def of(found: dict[str, float], service: str) -> float:
    """Return one service's; raises NothingToMeasureError for one that does not run here."""
    if service not in found:
        raise NothingToMeasureError(f"{service} does not run here")
    return found[service]


def by_service(stats: str, prefix: str) -> dict[str, float]:
    """Return megabytes by service from lines of ``name used / limit``; raises MeasurementError without any."""
    found: dict[str, float] = {}
    for line in stats.splitlines():
        name, used, *_ = line.split()
        if name.startswith(prefix):
            service = name.removeprefix(prefix).rpartition("-")[0]
            found[service] = found.get(service, 0.0) + megabytes(used)
    if not found:
        raise MeasurementError(f"docker stats shows no container {prefix}*")
    return found


def megabytes(text: str) -> float:
    """Return what docker calls ``61.5MiB`` in megabytes."""
    number = text.rstrip("BKMGi")
    return float(number) * _UNITS[text.removeprefix(number)] / 1e6


def _stats() -> str:
    command = ["docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
