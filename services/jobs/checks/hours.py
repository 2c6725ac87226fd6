"""When markets are open, as a job asks: computed once, in a process that takes pandas with it when it ends."""

from collections.abc import Iterable
from datetime import UTC, datetime

from nightdesk.calendars import NS, Calendars, read_closures, spans_in_child
from nightdesk.errors import ConfigurationError
from nightdesk.feeds_config import ALWAYS_OPEN
from nightdesk.health import Part
from services.jobs.checks.freshness import IsOpen
from services.jobs.checks.parts import down, well
from services.jobs.settings import JobsSettings


def calendars(names: Iterable[str], settings: JobsSettings, now_s: float) -> Calendars:
    """Return these calendars around now; raises ConfigurationError for an unknown one."""
    found = Calendars(names, closures=read_closures(settings.calendars_config), spans=spans_in_child)
    found.rebuild(int(now_s * NS))
    return found


def opening_hours(names: Iterable[str], settings: JobsSettings, now_s: float) -> IsOpen:
    """Return the hours of these calendars around now; raises ConfigurationError for an unknown one."""
    found = calendars(names, settings, now_s)
    return lambda name, at_s: found.is_open(name, int(at_s * NS))


def check_calendar(name: str, settings: JobsSettings, now: datetime) -> Part:
    """Return when the market opens next, in UTC."""
    if name == ALWAYS_OPEN:
        return well("calendar", f"{name} never closes")
    try:
        stretches = calendars([name], settings, now.timestamp()).stretches(name)
    except ConfigurationError as error:
        return down("calendar", str(error))
    coming = [one.open_ns for one in stretches if one.open_ns / NS >= now.timestamp()]
    if not coming:
        return down("calendar", f"{name} does not open within a month")
    opens = f"{datetime.fromtimestamp(coming[0] // NS, UTC):%Y-%m-%d %H:%M}Z"
    return well("calendar", f"{name} opens at {opens}", opens=opens)
