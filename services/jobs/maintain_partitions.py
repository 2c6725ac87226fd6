"""Keep the tables in order: days ahead exist, archived days beyond the retention are gone, old runs are forgotten.

The store makes days too, and ``archive_ticks`` drops what it archived; this is the second pair of hands, and whoever
notices when the first fails. Events, bars, candles and the ledger are small and kept for ever. What needs the tables'
owner, as ANALYZE does, is left to autovacuum, which also summarises their BRIN indexes.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, timedelta
from typing import Any

import structlog
from pydantic import Field

from nightdesk.errors import NightdeskError
from nightdesk.runs import Json
from nightdesk.store.database import Connection, HinderedError, translated
from nightdesk.store.tables import TABLES
from services.jobs.archive import tables
from services.jobs.archive.planning import TableDay
from services.jobs.runner import job
from services.jobs.runner.job import Desk, FindingError

log = structlog.get_logger()


class Arguments(job.Arguments):
    """What is kept."""

    ahead_days: int = Field(3, ge=1, le=30, description="days ahead that have partitions")
    keep_runs_days: int = Field(400, ge=31, description="days after which a run's row is deleted")


def run(desk: Desk, arguments: Arguments) -> Json:
    """Do it; raises FindingError when days ahead are missing, or days beyond the retention are not archived."""
    today = desk.scheduled_for.astimezone(UTC).date()
    with desk.connect("maintain_partitions") as connection:
        made, refusals = _make(connection, ahead(today, arguments.ahead_days))
        present = tables.partitions(connection)
        missing = [one for one in ahead(today, arguments.ahead_days) if one not in present]
        old = beyond(present, today, desk.settings.retention_days)
        dropped = [one for one in old if _drop(connection, one)]
        bare = _texts(one for one in old if tables.kept(connection, one) is None)
        result = {
            "made": made,
            "missing_ahead": _texts(missing),
            "dropped": _texts(dropped),
            "not_archived": bare,
            "days": len(set(present) - set(dropped)),
            "runs_deleted": _forget_runs(desk, connection, arguments.keep_runs_days),
            "quarantined": _quarantined(connection),
        }
    if missing:
        raise FindingError(f"no partition for {_texts(missing)[0]}: {'; '.join(refusals)}", result)
    if bare:
        raise FindingError(f"{bare[0]} is beyond the retention and not archived", result)
    return result


def ahead(today: date, days: int) -> list[TableDay]:
    """Return the days that are to have partitions, from today on."""
    return [TableDay(today + timedelta(days=offset), kind) for offset in range(days + 1) for kind in TABLES]


def beyond(present: Mapping[TableDay, Any], today: date, retention_days: int) -> list[TableDay]:
    """Return the days before the retention, oldest first; none where ticks are kept for ever.

    A day more than the retention, because the last day in it may still wait for tonight's archive.
    """
    first = today - timedelta(days=retention_days + 1)
    return sorted(one for one in present if retention_days and one.day < first)


def _make(connection: Connection, wanted: list[TableDay]) -> tuple[int, list[str]]:
    before = tables.partitions(connection)
    refusals = []
    for one in wanted:
        if one not in before:
            try:
                tables.ensure_day(connection, one)
            except NightdeskError as error:
                if error.retryable and not isinstance(error, HinderedError):
                    raise
                refusals.append(f"{tables.text(one)}: {error}")
    return len(tables.partitions(connection)) - len(before), refusals


def _drop(connection: Connection, one: TableDay) -> bool:
    """Drop a day whose file has all its rows, unless somebody had it restored."""
    file = tables.kept(connection, one)
    if file is None or one in tables.restored_days(connection, tables.EVER):
        return False
    try:
        return tables.drop(connection, one, file.checksum.rows if file.stored else 0)
    except HinderedError as error:
        log.warning("partition.not_dropped", table=TABLES[one.kind], day=f"{one.day}", reason=str(error))
        return False


def _forget_runs(desk: Desk, connection: Connection, keep_days: int) -> int:
    values = {"before": desk.scheduled_for - timedelta(days=keep_days)}
    with translated():
        return connection.execute(tables.statement("forget_runs"), values).rowcount


def _quarantined(connection: Connection) -> dict[str, int]:
    with translated():
        found = connection.execute(tables.statement("count_quarantined")).fetchall()
    return {f"{feed} {reason}": int(count) for feed, reason, count in found}


def _texts(days: Iterable[TableDay]) -> list[str]:
    return [tables.text(one) for one in days]
