"""Store what only the alerter and Prometheus know of a UTC day, and tell the day in a few lines.

Which day follows from the time the run is for: an hour before it. So a run at half past midnight is about the day that
just ended, and one in the evening about the day as far as it is over.
"""

from datetime import date, timedelta

import structlog
from pydantic import Field

from nightdesk.errors import ConfigurationError, UnavailableError
from nightdesk.reports import daily, message
from nightdesk.runs import Json
from services.jobs.facts.gathering import Gathered, gather, told_until
from services.jobs.facts.reading import rows_of
from services.jobs.runner import job
from services.jobs.runner.job import Desk

log = structlog.get_logger()

PATIENT_ATTEMPTS = 2
"""So often one that does not answer is waited for; after that the day is told without what it knows."""

BEFORE = timedelta(hours=1)
"""The day is that of so long before the time the run is for."""


class Arguments(job.Arguments):
    """Which day, and whether it is told."""

    day: date | None = Field(default=None, description="the UTC day; else that of an hour before the time of the run")
    notify: bool = Field(default=True, description="whether the person is told")


def run(desk: Desk, arguments: Arguments) -> Json:
    """Store and tell; raises UnavailableError while the alerter or Prometheus does not answer, twice at most."""
    day = arguments.day or (desk.scheduled_for - BEFORE).date()
    if day > desk.scheduled_for.date():
        raise ConfigurationError(f"day: {day} has not begun")
    with desk.connect("report") as connection:
        gathered = gather(desk, connection, day, told_until(desk.scheduled_for, day))
        _insist(desk, gathered)
        report = daily.build(day, rows_of(connection, daily.STATEMENTS, daily.parameters(day)))
    alert_id = None
    if arguments.notify:
        alert_id = desk.notify("info", *message.of_day(report), f"{desk.job} {day}")
    log.info("report.made", day=day.isoformat(), verdict=report.verdict.level, reasons=len(report.verdict.reasons))
    return {
        "day": day.isoformat(),
        "verdict": report.verdict.level,
        "reasons": [one.text for one in report.verdict.reasons],
        "stored": gathered.as_json(),
        "alert_id": alert_id,
    }


def _insist(desk: Desk, gathered: Gathered) -> None:
    """Have the run tried again while it may help; what was stored stays."""
    if gathered.is_passing and desk.attempt <= PATIENT_ATTEMPTS and not desk.by_hand:
        raise UnavailableError("; ".join(gathered.troubles))
