"""How full a disk is, and when it will be full. Pure."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

LEAST_HISTORY_S: Final = 6 * 3600.0
LEAST_POINTS: Final = 4
"""Before a trend is spoken of."""

LONGEST_FORECAST_DAYS: Final = 3650.0


class Level(StrEnum):
    """How bad it is."""

    FINE = "fine"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Limits:
    """Percentages from which on it is bad."""

    warning: float
    critical: float

    def level(self, percent: float) -> Level:
        """Return how bad a percentage is."""
        if percent >= self.critical:
            return Level.CRITICAL
        return Level.WARNING if percent >= self.warning else Level.FINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Percentages are of what an ordinary user can use, as ``df`` has them; ``inodes_percent`` is 0 where they grow."""

    size_bytes: int
    used_bytes: int
    free_bytes: int
    percent: float
    inodes_percent: float


def usage(found: os.statvfs_result) -> Usage:
    """Return how full a file system is."""
    used, free = found.f_blocks - found.f_bfree, found.f_bavail
    inodes_used = found.f_files - found.f_ffree
    return Usage(
        size_bytes=found.f_blocks * found.f_frsize,
        used_bytes=used * found.f_frsize,
        free_bytes=free * found.f_frsize,
        percent=_percent(used, used + free),
        inodes_percent=_percent(inodes_used, inodes_used + found.f_favail) if found.f_files else 0.0,
    )


def growth_bytes_per_day(points: Sequence[tuple[float, float]]) -> float | None:
    """Return the slope of a line through (Unix seconds, bytes), or None when there is too little to draw one."""
    times = [moment for moment, _ in points]
    if len(points) < LEAST_POINTS or max(times) - min(times) < LEAST_HISTORY_S:
        return None
    moments = np.array(times) - min(times)
    slope, _ = np.polyfit(moments, np.array([used for _, used in points]), 1)
    return float(slope) * 86_400


def days_until_full(free_bytes: float, per_day: float | None) -> float | None:
    """Return how long what is free lasts, None for ever: when it does not grow, or so slowly that nobody can say."""
    if per_day is None or per_day <= 0 or free_bytes / per_day > LONGEST_FORECAST_DAYS:
        return None
    return round(free_bytes / per_day, 1)


def history(results: Iterable[tuple[float, Mapping[str, object]]], point: str) -> list[tuple[float, float]]:
    """Return a mount's (Unix seconds, used bytes) from the results of earlier runs; what is none is left out."""
    found = []
    for moment, result in results:
        mounts = result.get("mounts")
        one = mounts.get(point) if isinstance(mounts, Mapping) else None
        used = one.get("used_bytes") if isinstance(one, Mapping) else None
        if isinstance(used, int | float):
            found.append((moment, float(used)))
    return found


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 2) if whole > 0 else 0.0
