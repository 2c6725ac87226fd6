"""The table: from measurements to ``build/bench.json`` and to lines for a person. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import TypeAlias

from bench.rows import Row

Samples: TypeAlias = Mapping[str, Sequence[float]]
"""What each row measured, once a round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One row: its median, that of its limit in the same run, and the first over the second."""

    name: str
    value: float
    unit: str
    limit: str
    limit_value: float
    ratio: float


def results(rows: Mapping[str, Row], samples: Samples) -> list[Result]:
    """Return a result for each measured row.

    The ratio is the median of each round's: what disturbs a round disturbs a row and its limit alike.
    """
    return [_result(name, rows[name], values, samples[rows[name].limit]) for name, values in samples.items()]


def as_json(every: Sequence[Result]) -> str:
    """Return the list that ``build/bench.json`` holds."""
    return json.dumps([asdict(one) for one in every], indent=2) + "\n"


def as_table(every: Sequence[Result], samples: Samples) -> str:
    """Return the lines to print, with each row's least and greatest measurement."""
    lines = [f"{'row':<18}{'median':>12}{'least':>12}{'greatest':>12}  {'unit':<12}{'ratio':>7}"]
    for one in every:
        values = samples[one.name]
        ratio = f"{one.ratio:>7.2f} of {one.limit}" if one.name != one.limit else ""
        lines.append(
            f"{one.name:<18}{one.value:>12,.0f}{min(values):>12,.0f}{max(values):>12,.0f}  {one.unit:<12}{ratio}"
        )
    return "\n".join(lines)


def _result(name: str, row: Row, values: Sequence[float], limits: Sequence[float]) -> Result:
    ratios = [value / limit for value, limit in zip(values, limits, strict=True)]
    return Result(
        name=name,
        value=round(median(values), 1),
        unit=row.unit,
        limit=row.limit,
        limit_value=round(median(limits), 1),
        ratio=round(median(ratios), 3),
    )
