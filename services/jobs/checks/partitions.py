"""Whether the days to come have their partitions, and nothing keeps PostgreSQL's log."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from nightdesk.errors import NightdeskError
from nightdesk.feeds_config import FeedConfig
from nightdesk.health import Part
from nightdesk.store.database import Connection, translated
from nightdesk.store.tables import TABLES
from services.jobs.backfill.statements import statement
from services.jobs.checks.parts import down, well

MOST_WAL_BYTES: Final = 1024**3


def check_partitions(
    connect: Callable[[str], Connection], feeds: Mapping[str, FeedConfig], days: Sequence[date]
) -> Iterator[Part]:
    """Yield whether every kind that is collected has a partition for each of these days, and how the log is."""
    tables = sorted({TABLES[kind] for feed in feeds.values() for kind in feed.kinds if kind in TABLES})
    try:
        with connect("check") as connection, translated():
            rows = connection.execute(statement("archive_partitions"), {"tables": tables}).fetchall()
            kept = connection.execute(statement("check_wal")).fetchone()
    except NightdeskError as error:
        yield down("partitions", f"not known: {error}")
        return
    yield partitions_part(tables, days, {(table, day) for table, day, _ in rows})
    yield wal_part(0 if kept is None else kept[0])


def partitions_part(tables: Sequence[str], days: Sequence[date], there: set[tuple[str, date]]) -> Part:
    """Return whether every table has every day."""
    missing = [f"{table} {day}" for table in tables for day in days if (table, day) not in there]
    if missing:
        return down("partitions", f"missing: {', '.join(missing)}")
    return well("partitions", f"{', '.join(map(str, days))} are there")


def wal_part(kept_bytes: int) -> Part:
    """Return whether a replication slot keeps more of the log than is sound."""
    make = down if kept_bytes > MOST_WAL_BYTES else well
    return make("wal", f"slots keep {kept_bytes / 2**20:.0f} MiB of the log", kept_bytes=kept_bytes)
