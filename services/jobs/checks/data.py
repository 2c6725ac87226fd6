"""What the database says of the newest data and of gaps, and when markets are open."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from nightdesk.calendars import NS, Calendars, read_closures, spans_in_child
from nightdesk.errors import NightdeskError
from nightdesk.feeds_config import FeedConfig
from nightdesk.health import Part
from nightdesk.store.database import Connection, translated
from services.jobs.backfill.statements import statement
from services.jobs.checks.freshness import Gaps, IsOpen, Newest, fresh_parts, gap_parts
from services.jobs.checks.parts import down
from services.jobs.settings import JobsSettings


def opening_hours(names: set[str], settings: JobsSettings, now_s: float) -> IsOpen:
    """Return the hours of these calendars around now; raises ConfigurationError for an unknown one."""
    calendars = Calendars(names, closures=read_closures(settings.calendars_config), spans=spans_in_child)
    calendars.rebuild(int(now_s * NS))
    return lambda name, at_s: calendars.is_open(name, int(at_s * NS))


def check_data(
    connect: Callable[[str], Connection], feeds: Mapping[str, FeedConfig], is_open: IsOpen, now_s: float,
    *, fresh_s: float, gap_s: float,
) -> list[Part]:  # fmt: skip
    """Return how old each feed's data is and which gaps are open; one part when the database does not say."""
    values = {"feeds": list(feeds), "now": datetime.fromtimestamp(now_s, UTC)}
    try:
        with connect("check") as connection, translated():
            newest = [
                Newest(feed=feed, symbol=symbol, kind=kind, at_s=at_s)
                for feed, symbol, kind, at_s in connection.execute(statement("check_freshness"), values)
            ]
            gaps = [
                Gaps(feed=feed, count=count, oldest_s=oldest_s)
                for feed, count, oldest_s in connection.execute(statement("check_gaps"), values)
            ]
    except NightdeskError as error:
        return [down("data", f"not known: {error}")]
    return [*fresh_parts(feeds, newest, is_open, now_s, fresh_s), *gap_parts(feeds, gaps, now_s, gap_s)]
