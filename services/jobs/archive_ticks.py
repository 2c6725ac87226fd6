"""Bring closed days of ticks from PostgreSQL into Parquet files, verify them, and drop the partitions.

A day is archived once it is older than the days that are kept. One with gaps that may still be filled waits for them,
but not for ever; one that was restored stays for somebody to look at. Rows that arrive for a day that is archived
already, as a backfill brings them, are added to its file. Files are kept until somebody deletes them.
"""

from collections.abc import Iterable
from datetime import UTC, timedelta
from typing import Any

import structlog
from pydantic import Field

from nightdesk.runs import Json
from nightdesk.store.database import Connection
from nightdesk.store.tables import TABLES
from services.jobs.archive import tables
from services.jobs.archive.columns import StrangeRowsError
from services.jobs.archive.days import Archive, Archived
from services.jobs.archive.places import DamagedError, place
from services.jobs.archive.planning import Plan, TableDay, kept_days, plan
from services.jobs.runner import job
from services.jobs.runner.job import Desk, FindingError

log = structlog.get_logger()


class Arguments(job.Arguments):
    """What is kept in PostgreSQL."""

    keep_days: int | None = Field(
        None,
        ge=2,
        description="whole days that stay in PostgreSQL; 7 unless said, RETENTION_DAYS if fewer, all if that is 0",
    )
    max_wait_days: int = Field(14, ge=0, description="age in days up to which a day waits for its gaps to be filled")
    keep_restored_days: float = Field(7, ge=0, description="days that a restored day stays in PostgreSQL")


def run(desk: Desk, arguments: Arguments) -> Json:
    """Archive what is due, oldest first; one day that cannot be does not hold up the others."""
    keep_days = kept_days(arguments.keep_days, desk.settings.retention_days)
    if keep_days is None:
        return {"days": [], "reason": "RETENTION_DAYS is 0: ticks stay in PostgreSQL for ever"}
    began_s = desk.clock.monotonic_s()
    with desk.connect("archive_ticks") as connection:
        chosen = _plan(desk, connection, arguments, keep_days)
        archive = Archive(connection, place(desk.settings))
        done, problems = _archive(desk, archive, chosen)
    result = {
        **_figures(done, desk.clock.monotonic_s() - began_s),
        "waiting_for_gaps": _texts(chosen.waiting),
        "restored": _texts(chosen.restored),
        "problems": problems,
    }
    if problems:
        raise FindingError(f"{len(problems)} days could not be archived: {problems[0]}", result)
    return result


def _plan(desk: Desk, connection: Connection, arguments: Arguments, keep_days: int) -> Plan:
    today = desk.scheduled_for.astimezone(UTC).date()
    waits_since = today - timedelta(days=arguments.max_wait_days)
    return plan(
        tables.partitions(connection),
        today=today,
        keep_days=keep_days,
        gaps=tables.gap_days(connection, since=waits_since - timedelta(days=1), before=today),
        max_wait_days=arguments.max_wait_days,
        restored=tables.restored_days(connection, desk.scheduled_for - timedelta(days=arguments.keep_restored_days)),
    )


def _archive(desk: Desk, archive: Archive, chosen: Plan) -> tuple[dict[TableDay, Archived], list[str]]:
    done: dict[TableDay, Archived] = {}
    problems = []
    for number, one in enumerate(chosen.due):

        def tell(read: float, of: float, one: TableDay = one, number: int = number) -> None:
            desk.progress(number + read / max(of, 1), len(chosen.due), tables.text(one))

        try:
            done[one] = archive.archive(one, tell)
        except (DamagedError, StrangeRowsError) as error:
            problems.append(f"{tables.text(one)}: {error}")
            log.error("archive.failed", table=TABLES[one.kind], day=f"{one.day}", error=str(error))  # noqa: TRY400
        else:
            _log(one, done[one])
            desk.progress(number + 1, len(chosen.due), tables.text(one))
    return done, problems


def _figures(done: dict[TableDay, Archived], seconds: float) -> dict[str, Any]:
    """Sum up; MB are of values, 10^6 bytes, as PostgreSQL holds them."""
    written = [one for one in done.values() if one.value_bytes]
    rows = sum(one.rows for one in written)
    size = sum(one.file_bytes for one in written)
    return {
        "days": [
            {"day": tables.text(one), **_facts(what)} for one, what in done.items() if what.rows or not what.dropped
        ],
        "empty_days": sum(not what.rows for what in done.values()),
        "rows": rows,
        "bytes": size,
        "bytes_per_tick": round(size / rows, 2) if rows else None,
        "mb_per_s": round(sum(one.value_bytes for one in written) / 1e6 / seconds, 2) if written and seconds else None,
        "not_dropped": _texts(one for one, what in done.items() if not what.dropped),
    }


def _facts(what: Archived) -> dict[str, Any]:
    return {"rows": what.rows, "bytes": what.file_bytes, "duplicates": what.duplicates, "dropped": what.dropped}


def _log(one: TableDay, what: Archived) -> None:
    log.info("archive.day_written", table=TABLES[one.kind], day=f"{one.day}", **_facts(what))


def _texts(days: Iterable[TableDay]) -> list[str]:
    return [tables.text(one) for one in days]
