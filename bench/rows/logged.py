"""Log lines a second, from the call to the file, beside the same lines written to the same disk one by one."""

from dataclasses import dataclass

from bench.workbench import MeasurementError, Workbench


@dataclass(frozen=True, slots=True)
class Logged:
    """Lines a second: through the queue, rendered and all, and bare."""

    rate: float
    bare_rate: float


def run(bench: Workbench) -> Logged:
    """Measure both, one after the other, on one core; raises MeasurementError when a line was dropped."""
    done = bench.ask(bench.first, "bench.logged", str(bench.seconds), str(bench.scratch / "logs"))
    logged, bare = done["logged"], done["bare"]
    if logged["dropped"]:
        raise MeasurementError(f"{logged['dropped']:.0f} of {logged['count']:.0f} lines were dropped")
    return Logged(rate=logged["count"] / logged["seconds"], bare_rate=bare["count"] / bare["seconds"])
