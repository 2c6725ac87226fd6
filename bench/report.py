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
    lines = [f"{'row':<26}{'median':>12}{'least':>12}{'greatest':>12}  {'unit':<12}{'ratio':>7}"]
    for one in every:
        values = samples[one.name]
        ratio = f"{one.ratio:>7.2f} of {one.limit}" if one.name != one.limit else ""
        least, greatest = figure(min(values)), figure(max(values))
        lines.append(f"{one.name:<26}{figure(one.value):>12}{least:>12}{greatest:>12}  {one.unit:<12}{ratio}")
    return "\n".join(lines)


def figure(value: float) -> str:
    """Return a number as it is read: large ones whole, small ones with two decimals."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:,.2f}"


def _result(name: str, row: Row, values: Sequence[float], limits: Sequence[float]) -> Result:
    ratios = [value / limit for value, limit in zip(values, limits, strict=False)]
    return Result(
        name=name,
        value=round(median(values), 3),
        unit=row.unit,
        limit=row.limit,
        limit_value=round(median(limits), 3),
        ratio=round(median(ratios), 3),
    )
