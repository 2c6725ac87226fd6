"""Which days are archived, and which wait. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from nightdesk.ticks import Kind

DEFAULT_KEPT_DAYS: Final = 7


@dataclass(frozen=True, slots=True, order=True)
class TableDay:
    """One table's UTC day."""

    day: date
    kind: Kind


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of the days that are old enough, oldest first."""

    due: tuple[TableDay, ...]
    waiting: tuple[TableDay, ...]
    """Have gaps that may still be filled."""
    restored: tuple[TableDay, ...]
    """Were put back for somebody to look at."""


def kept_days(asked: int | None, retention_days: int) -> int | None:
    """Return how many whole days stay in PostgreSQL; None for all.

    Nobody who keeps ticks for ever is taken to mean a week.
    """
    if asked is not None:
        return asked
    return min(DEFAULT_KEPT_DAYS, retention_days) if retention_days else None


def plan(
    partitions: Iterable[TableDay],
    *,
    today: date,
    keep_days: int,
    gaps: Collection[TableDay] = (),
    max_wait_days: int = 0,
    restored: Collection[TableDay] = (),
) -> Plan:
    """Sort the days before the last ``keep_days``; gaps hold a day up until it is ``max_wait_days`` old."""
    old = sorted(one for one in partitions if one.day < today - timedelta(days=keep_days))
    patient = today - timedelta(days=max_wait_days)
    back = [one for one in old if one in restored]
    waiting = [one for one in old if one in gaps and one.day >= patient and one not in restored]
    due = [one for one in old if one not in back and one not in waiting]
    return Plan(tuple(due), tuple(waiting), tuple(back))
