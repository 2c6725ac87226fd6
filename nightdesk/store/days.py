"""Which days are stored, and their partitions."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np

from nightdesk.store.batch import Array, Batch
from nightdesk.store.database import Connection, statement
from nightdesk.store.tables import TABLES
from nightdesk.ticks import Kind

DAY_NS: Final = 86_400 * 10**9
AHEAD_DAYS: Final = 3
FUTURE_DAYS: Final = 1
"""How far a time may be in the future; an exchange's clock is never a day off."""

Need = tuple[Kind, date]


def bounds_ns(now_ns: int, retention_days: int) -> tuple[int, int]:
    """Return the times that are stored, the second excluded; ``retention_days`` 0 means all of the past."""
    low_ns = (now_ns // DAY_NS - retention_days) * DAY_NS if retention_days else 0
    return low_ns, now_ns + FUTURE_DAYS * DAY_NS


def days_around(now_ns: int) -> list[date]:
    """Return the days that are to have partitions whatever arrives: yesterday to three days ahead."""
    today = _date(now_ns // DAY_NS)
    return [today + timedelta(days=offset) for offset in range(-1, AHEAD_DAYS + 1)]


def needed(batch: Batch) -> set[Need]:
    """Return the partitions that the ticks of a batch go to."""
    return {
        (kind, _date(day))
        for kind, group in batch.groups.items()
        if kind in TABLES
        for day in _days(group.columns["time_ns"])
    }


class Days:
    """The partitions known to be there."""

    def __init__(self) -> None:
        self._known: set[Need] = set()

    def ensure(self, connection: Connection, needs: Iterable[Need]) -> None:
        """Make the partitions that are not known to be there; in a transaction of their own."""
        missing = set(needs) - self._known
        if not missing:
            return
        ordered = sorted(missing, key=lambda need: (need[1], need[0]))
        connection.execute(
            statement("ensure_days"),
            {"tables": [TABLES[kind] for kind, _ in ordered], "days": [day for _, day in ordered]},
        )
        self._known |= missing

    def forget(self) -> None:
        """Believe nothing: a partition was missing after all, as an archived one is."""
        self._known.clear()


def every_table(days: Iterable[date]) -> list[Need]:
    """Return the partitions of all tick tables on these days."""
    return [(kind, day) for day in days for kind in TABLES]


def _days(time_ns: Array) -> list[int]:
    first, last = int(time_ns.min()) // DAY_NS, int(time_ns.max()) // DAY_NS
    if last - first <= 1:
        return list({first, last})
    found: list[int] = np.unique(time_ns // DAY_NS).tolist()
    return found


def _date(day: int) -> date:
    return datetime.fromtimestamp(day * DAY_NS // 10**9, tz=UTC).date()
