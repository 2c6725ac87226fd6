"""The rows of the table, one file each; a new one is a file and a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bench.rows import collector, limit, limit_copy, limit_json, limit_xadd, pipeline
from bench.workbench import Workbench

LIMIT: Final = "limit"
"""The row that every other one is compared with."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement and what it is compared with."""

    measure: Callable[[Workbench], float]
    unit: str = "messages/s"
    limit: str = LIMIT


ROWS: Final[Mapping[str, Row]] = {
    LIMIT: Row(limit.measure),
    "collector": Row(collector.measure),
    "pipeline": Row(pipeline.measure),
    "limit-xadd": Row(limit_xadd.measure),
    "limit-copy": Row(limit_copy.measure),
    "limit-json": Row(limit_json.measure),
}
