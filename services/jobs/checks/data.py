"""What the database says of the newest data and of gaps."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from nightdesk.errors import NightdeskError
from nightdesk.feeds_config import FeedConfig
from nightdesk.health import Part
from nightdesk.store.database import Connection, translated
from services.jobs.backfill.statements import statement
from services.jobs.checks.freshness import Gaps, IsOpen, Newest, fresh_parts, gap_parts
from services.jobs.checks.parts import down


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
