"""How fast something grows, and how sure that is. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

HOUR_S: Final = 3600.0
SURE: Final = 1.96
"""Standard errors on either side that hold the truth 95 times of 100."""
LEAST_SAMPLES: Final = 10

STEP_MB: Final = 0.5
"""A rise or fall of at least so much from one sample to the next is a step: a heap that a burst raised for good, a
cache that was cleared."""

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Slope:
    """A line through samples: its rise an hour, in their unit, give or take."""

    per_hour: float
    give_or_take: float
    """Half of the interval that holds the true rise 95 times of 100."""


def slope(times_s: Sequence[float], values: Sequence[float]) -> Slope:
    """Fit by least squares; raises ValueError for fewer than ten samples.

    Memory moves in steps, so that neighbouring samples say nearly the same: the number of samples that count is cut by
    the correlation of each residual with the one before it (n (1 - r) / (1 + r)), which widens the interval.
    """
    if len(times_s) < LEAST_SAMPLES:
        raise ValueError(f"{len(times_s)} samples are no series")
    hours, measured = np.asarray(times_s) / HOUR_S, np.asarray(values, dtype=np.float64)
    centred = hours - hours.mean()
    spread = float(centred @ centred)
    per_hour = float(centred @ measured) / spread
    residuals = measured - measured.mean() - per_hour * centred
    counting = _counting(residuals)
    variance = float(residuals @ residuals) / len(residuals) / max(1.0, counting - 2.0)
    return Slope(per_hour, SURE * float(np.sqrt(variance / (spread / len(residuals)))))


def level(values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return the values with their steps taken out, and the steps.

    One step bends a line fitted to a few minutes as if it went on for ever; a leak shows between the steps, or steps
    again and again.
    """
    measured = np.asarray(values, dtype=np.float64)
    moves = np.diff(measured)
    steps = np.where(np.abs(moves) >= STEP_MB, moves, 0.0)
    return (measured - np.concatenate([[0.0], np.cumsum(steps)])).tolist(), steps[steps != 0].tolist()


def _counting(residuals: _Floats) -> float:
    """Return how many independent samples these are worth."""
    power = float(residuals @ residuals)
    if power == 0.0:
        return float(len(residuals))
    correlation = min(0.999, max(0.0, float(residuals[1:] @ residuals[:-1]) / power))
    return len(residuals) * (1.0 - correlation) / (1.0 + correlation)
