"""L: what bare ``websockets`` receives on one core."""

from bench.workbench import MeasurementError, Workbench


def measure(bench: Workbench) -> float:
    """Return messages a second."""
    with bench.flood(close=True) as flood:
        received = bench.ask(bench.first, "bench.receive", str(flood.port))
        sent = flood.sent()["sent"]
    if received["count"] != sent:
        raise MeasurementError(f"{sent} sent, {received['count']} received")
    return float(received["count"] / received["seconds"])
