"""Parsing the JSON of the same messages, and nothing else, on one core."""

from bench.workbench import Workbench


def measure(bench: Workbench) -> float:
    """Return messages a second."""
    parsed = bench.ask(bench.first, "bench.parse", str(bench.seconds))
    return float(parsed["count"] / parsed["seconds"])
