"""Tell how the week that ended was: downtime, interventions, and what every alert rule was worth.

It reads what ``end_of_day_report`` stored, so that it needs neither the alerter nor Prometheus but to be told.
"""

from datetime import date, timedelta

import structlog
from pydantic import Field

from nightdesk.reports import message, weekly
from nightdesk.runs import Json
from services.jobs.facts.reading import rows_of
from services.jobs.runner import job
from services.jobs.runner.job import Desk

log = structlog.get_logger()

WEEK = timedelta(days=7)


class Arguments(job.Arguments):
    """Which week, and whether it is told."""

    day: date | None = Field(default=None, description="a UTC day of the week; else one a week before the run's time")
    notify: bool = Field(default=True, description="whether the person is told")


def run(desk: Desk, arguments: Arguments) -> Json:
    """Review and tell; raises UnavailableError when the alerter does not take the message."""
    day = arguments.day or (desk.scheduled_for - WEEK).date()
    with desk.connect("review") as connection:
        report = weekly.build(day, rows_of(connection, weekly.STATEMENTS, weekly.parameters(day)))
    alert_id = None
    if arguments.notify:
        alert_id = desk.notify("info", *message.of_week(report), f"{desk.job} {report.monday}")
    goals = {one.name: {"value": one.value, "limit": one.limit, "is_met": one.is_met} for one in report.goals}
    log.info(
        "review.made",
        monday=report.monday.isoformat(),
        missed=[one.name for one in report.goals if one.is_met is False],
    )
    return {
        "monday": report.monday.isoformat(),
        "goals": goals,
        "advice": {one.name: one.advice.value for one in report.pruning},
        "alert_id": alert_id,
    }
