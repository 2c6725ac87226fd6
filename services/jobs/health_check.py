"""Look at every part of the desk from outside: databases, services, data, gaps.

Databases are logged in to anew, as the writer, since a connection that is open already shows nothing of a password that
was changed or a server that takes no more. A market that is closed is no finding.
"""

import time
from collections.abc import Callable

import structlog
from pydantic import Field

from nightdesk.errors import NightdeskError
from nightdesk.health import Part
from nightdesk.runs import Json
from nightdesk.targets import parse_targets
from services.jobs.checks.data import check_data
from services.jobs.checks.hours import opening_hours
from services.jobs.checks.parts import down, shown, told, unwell
from services.jobs.checks.services import Resolve, addresses, ask_services
from services.jobs.checks.stores import check_database, check_redis
from services.jobs.runner import job
from services.jobs.runner.job import Desk, FindingError

log = structlog.get_logger()


class Arguments(job.Arguments):
    """From when on something is not well."""

    fresh_seconds: float = Field(300, gt=0, description="how old a feed's newest trade may be in its open market")
    gap_seconds: float = Field(7200, gt=0, description="how long a gap may stay open, seconds")
    memory_percent: float = Field(92, gt=0, le=100, description="how much of its memory a container may use")
    again_seconds: float = Field(10, ge=0, le=60, description="what is not well is looked at again after so long")


def run(desk: Desk, arguments: Arguments) -> Json:
    """Look at everything; raises FindingError naming what is not well."""
    return check(desk, arguments, addresses, time.sleep)


def check(desk: Desk, arguments: Arguments, resolve: Resolve, sleep: Callable[[float], None]) -> Json:
    """Look, and once more when something is not well: a service that is just started anew is no finding."""
    parts = _look(desk, arguments, resolve)
    if unwell(parts) and arguments.again_seconds:
        sleep(arguments.again_seconds)
        parts = _look(desk, arguments, resolve)
    found = unwell(parts)
    result: Json = {"parts": shown(parts), "unwell": [one.part for one in found]}
    log.info("health.checked", parts=len(parts), unwell=result["unwell"])
    if found:
        raise FindingError(f"{len(found)} of {len(parts)} parts are not well: {told(found)}", result)
    return result


def _look(desk: Desk, arguments: Arguments, resolve: Resolve) -> list[Part]:
    ratio = arguments.memory_percent / 100
    targets = parse_targets(desk.settings.health_targets)
    return [
        check_database(desk.connect, desk.clock.monotonic_s),
        check_redis(desk.settings, memory_ratio=ratio),
        *ask_services(targets, desk.call, resolve, memory_ratio=ratio),
        *_data(desk, arguments),
    ]


def _data(desk: Desk, arguments: Arguments) -> list[Part]:
    now_s = desk.clock.wall_ns() / 1e9
    calendars = {feed.calendar_of(symbol) for feed in desk.feeds.values() for symbol in feed.symbols}
    try:
        is_open = opening_hours(calendars, desk.settings, now_s)
    except NightdeskError as error:
        return [down("calendars", str(error))]
    return check_data(
        desk.connect, desk.feeds, is_open, now_s, fresh_s=arguments.fresh_seconds, gap_s=arguments.gap_seconds
    )
