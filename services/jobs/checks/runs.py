"""Whether what the schedule says is written down as runs that are expected."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from nightdesk.errors import NightdeskError
from nightdesk.health import Part
from nightdesk.schedule_config import Schedule, read_schedule
from nightdesk.store.database import Connection, translated
from services.jobs.backfill.statements import statement
from services.jobs.checks.parts import down, well
from services.jobs.settings import JobsSettings

PART: Final = "runs"


def check_runs(connect: Callable[[str], Connection], settings: JobsSettings, now: datetime) -> Part:
    """Return whether every entry with a time of its own has its next run."""
    try:
        jobs = timed(read_schedule(settings.schedule_config))
        with connect("check") as connection, translated():
            rows = connection.execute(statement("check_runs"), {"jobs": jobs, "now": now}).fetchall()
    except NightdeskError as error:
        return down(PART, str(error))
    return runs_part(jobs, dict(rows))


def timed(schedule: Schedule) -> list[str]:
    """Return the entries that begin by a clock."""
    return [name for name, entry in schedule.jobs.items() if entry.cron or entry.at is not None]


def runs_part(jobs: Iterable[str], next_s: Mapping[str, float | None]) -> Part:
    """Return how the runs are, from when each job's next one is (Unix seconds)."""
    known = {job: at_s for job in jobs if (at_s := next_s.get(job)) is not None}
    without = [job for job in jobs if job not in known]
    if without:
        return down(PART, f"no run to come is written down of {', '.join(without)}: is the scheduler there?")
    facts = {job: datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M:%SZ") for job, at_s in known.items()}
    return well(PART, f"{len(known)} jobs have their next run", **facts)
