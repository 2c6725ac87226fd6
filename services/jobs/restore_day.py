"""Put an archived day back into PostgreSQL as it was: ``make restore DAY=2026-11-01``.

The rows come from the day's file, all or none of them, and are compared with what was written down when it was made.
The file stays. The day is dropped again by ``archive_ticks``, a week later unless its arguments say otherwise.
"""

from datetime import date
from typing import Literal

from pydantic import Field

from nightdesk.runs import Json
from nightdesk.store.tables import TABLES
from services.jobs.archive import tables
from services.jobs.archive.columns import StrangeRowsError
from services.jobs.archive.days import Archive
from services.jobs.archive.places import DamagedError, place
from services.jobs.archive.planning import TableDay
from services.jobs.runner import job
from services.jobs.runner.job import Desk, FindingError


class Arguments(job.Arguments):
    """Which day."""

    day: date | None = Field(None, description="UTC day to put back, as in 2026-11-01; has to be given")
    table: Literal["trades", "agg_trades", "quotes", "depths"] | None = Field(
        None, description="only this table's; every archived one's if none"
    )


def run(desk: Desk, arguments: Arguments) -> Json:
    """Restore; raises FindingError when there is no such file, or it is damaged."""
    day = arguments.day
    if day is None:
        raise FindingError("name the day to restore, as in DAY=2026-11-01", {"rows": {}})
    with desk.connect("restore_day") as connection:
        chosen = [one for one in tables.archived(connection, day) if arguments.table in {None, TABLES[one.kind]}]
        if not chosen:
            raise FindingError(f"{day} is not archived{_of(arguments)}", {"day": f"{day}", "rows": {}})
        archive = Archive(connection, place(desk.settings))
        rows = {TABLES[one.kind]: _restore(desk, archive, one) for one in chosen}
    return {"day": f"{day}", "rows": rows}


def _restore(desk: Desk, archive: Archive, one: TableDay) -> int:
    what = f"rows of {TABLES[one.kind]} of {one.day}"
    try:
        return archive.restore(one, lambda done, total: desk.progress(done, total, what))
    except (DamagedError, StrangeRowsError) as error:
        raise FindingError(str(error), {"day": f"{one.day}", "table": TABLES[one.kind]}) from error


def _of(arguments: Arguments) -> str:
    return f" in {arguments.table}" if arguments.table else ""
