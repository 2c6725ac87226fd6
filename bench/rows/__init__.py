"""The rows of the table, one file a measurement; a new one is a file and a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from bench.rows import collector, depth, latency, limit, limit_copy, limit_json, limit_xadd, pipeline
from bench.workbench import Workbench

LIMIT: Final = "limit"
"""The row that every other one is compared with, unless it says otherwise."""

PICOWS: Final = "picows"


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement and what it is compared with.

    ``seconds`` is how long it sends where nobody says otherwise, ``first_seconds`` how long in the first round.
    """

    measure: Callable[[Workbench], float]
    unit: str = "messages/s"
    limit: str = LIMIT
    seconds: float = 6.0
    first_seconds: float = 0.0


def _latency(share: float) -> Row:
    name = f"limit-turn-p{share:g}"
    return Row(lambda bench: latency.percentile(bench.once(latency.run).trades_ms, share), "ms", name, seconds=10.0)


def _turn(share: float) -> Row:
    name = f"limit-turn-p{share:g}"
    return Row(lambda bench: latency.percentile(bench.once(latency.run).turns_ms, share), "ms", name, seconds=10.0)


def _pipeline(transport: str) -> Row:
    return Row(partial(pipeline.measure, transport=transport), seconds=15.0, first_seconds=60.0)


ROWS: Final[Mapping[str, Row]] = {
    LIMIT: Row(limit.measure),
    "collector": Row(collector.measure),
    "collector-picows": Row(partial(collector.measure, transport=PICOWS)),
    "pipeline": _pipeline("websockets"),
    "pipeline-picows": _pipeline(PICOWS),
    "latency-p50": _latency(50),
    "latency-p99": _latency(99),
    "depth": Row(lambda bench: bench.once(depth.run).committed, limit="limit-depth-json"),
    "limit-depth-json": Row(lambda bench: bench.once(depth.run).parsed, limit="limit-depth-json"),
    "limit-turn-p50": _turn(50),
    "limit-turn-p99": _turn(99),
    "limit-xadd": Row(limit_xadd.measure, seconds=4.0),
    "limit-copy": Row(limit_copy.measure, seconds=4.0),
    "limit-json": Row(limit_json.measure, seconds=4.0),
}
