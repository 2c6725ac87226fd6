"""Look before the open at all that the open needs, and have a test message delivered.

What fails is critical, since there is an hour left to mend it. What only might matter is a warning in the result: a
desk that has no channel, or no symbol of this exchange, is to be judged by the rest.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, Literal, TypeAlias, get_args

import structlog
from pydantic import Field

from nightdesk.errors import NightdeskError
from nightdesk.health import Part, Status
from nightdesk.runs import Json
from nightdesk.targets import parse_targets
from services.jobs import disk_guard
from services.jobs.checks.channels import check_channels
from services.jobs.checks.feeds import feed_parts
from services.jobs.checks.hours import check_calendar
from services.jobs.checks.partitions import check_partitions
from services.jobs.checks.parts import down, shown, told, unwell, well
from services.jobs.checks.runs import check_runs
from services.jobs.checks.services import Resolve, addresses, ask_instance, ask_services
from services.jobs.checks.stores import check_database, check_redis
from services.jobs.runner import job
from services.jobs.runner.job import Desk, FindingError

log = structlog.get_logger()

Check: TypeAlias = Literal["calendar", "feeds", "storage", "runs", "disk", "alerter", "channels"]
Checks: TypeAlias = Mapping[str, Callable[[], Iterator[Part]]]

MEMORY_RATIO: Final = 0.95
COLLECTOR: Final = "collector"


class Arguments(job.Arguments):
    """Which open, and what of it."""

    calendar: str = Field("XNYS", min_length=1, description="the exchange that opens, as XNYS or XLON; 24/7 for none")
    skip: list[Check] = Field([], description=f"checks to leave out: {', '.join(get_args(Check))}")
    disk_percent: float = Field(90, gt=0, le=100, description="percent of a disk used from which on it fails")
    again_seconds: float = Field(15, ge=0, le=120, description="what fails is looked at again after so long")


def run(desk: Desk, arguments: Arguments) -> Json:
    """Look at everything; raises FindingError naming what fails."""
    return fly(desk, arguments, addresses, time.sleep)


def fly(desk: Desk, arguments: Arguments, resolve: Resolve, sleep: Callable[[float], None]) -> Json:
    """Do every check, and those that fail once more: a connection that is made anew just now is no finding."""
    checks = {name: one for name, one in _checks(desk, arguments, resolve).items() if name not in arguments.skip}
    found = {name: list(one()) for name, one in checks.items()}
    again = [name for name, parts in found.items() if _failed(parts)]
    if again and arguments.again_seconds:
        sleep(arguments.again_seconds)
        found |= {name: list(checks[name]()) for name in again}
    return _judged(arguments, found)


def _judged(arguments: Arguments, found: Mapping[str, list[Part]]) -> Json:
    parts = [part for some in found.values() for part in some]
    failed = _failed(parts)
    warned = [part for part in unwell(parts) if part not in failed]
    result: Json = {
        "calendar": arguments.calendar,
        "checks": {name: shown(some) for name, some in found.items()},
        "skipped": sorted(arguments.skip),
        "failed": [part.part for part in failed],
        "warnings": [f"{part.part}: {part.detail}" for part in warned],
    }
    log.info("preflight.done", calendar=arguments.calendar, failed=result["failed"], warnings=result["warnings"])
    if failed:
        raise FindingError(f"not ready for the open of {arguments.calendar}: {told(failed)}", result)
    return result


def _failed(parts: list[Part]) -> list[Part]:
    return [part for part in parts if part.status is Status.DOWN]


def _checks(desk: Desk, arguments: Arguments, resolve: Resolve) -> Checks:
    return {
        "calendar": partial(_calendar, desk, arguments),
        "feeds": partial(_feeds, desk, arguments, resolve),
        "storage": partial(_storage, desk),
        "runs": partial(_runs, desk),
        "disk": partial(_disk, desk, arguments),
        "alerter": partial(_alerter, desk),
        "channels": partial(_channels, desk),
    }


def _calendar(desk: Desk, arguments: Arguments) -> Iterator[Part]:
    yield check_calendar(arguments.calendar, desk.settings, desk.scheduled_for)


def _feeds(desk: Desk, arguments: Arguments, resolve: Resolve) -> Iterator[Part]:
    targets = [one for one in parse_targets(desk.settings.health_targets) if one.service == COLLECTOR]
    if not targets:
        yield down("feeds", f"HEALTH_TARGETS names no {COLLECTOR}")
        return
    said = ask_services(targets, desk.call, resolve, memory_ratio=MEMORY_RATIO)
    yield from feed_parts(desk.feeds, said, arguments.calendar)


def _storage(desk: Desk) -> Iterator[Part]:
    yield check_database(desk.connect, desk.clock.monotonic_s)
    yield check_redis(desk.settings, memory_ratio=MEMORY_RATIO)
    today = desk.scheduled_for.astimezone(UTC).date()
    yield from check_partitions(desk.connect, desk.feeds, [today, today + timedelta(days=1)])


def _runs(desk: Desk) -> Iterator[Part]:
    yield check_runs(desk.connect, desk.settings, datetime.fromtimestamp(desk.clock.wall_ns() / 1e9, UTC))


def _disk(desk: Desk, arguments: Arguments) -> Iterator[Part]:
    limits = {"warning": arguments.disk_percent, "critical": arguments.disk_percent, "warning_days": 0}
    try:
        found = disk_guard.guard(desk, disk_guard.Arguments.model_validate(limits), os.statvfs)
    except NightdeskError as error:
        yield down("disk", str(error))
        return
    yield well("disk", f"{len(found['mounts'])} disks have room")


def _alerter(desk: Desk) -> Iterator[Part]:
    yield from ask_instance("alerter", "alerter", desk.settings.alerter_url.rstrip("/"), desk.call, MEMORY_RATIO)


def _channels(desk: Desk) -> Iterator[Part]:
    yield check_channels(desk.settings, desk.call)
