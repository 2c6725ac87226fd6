"""``make schedule``: the next runs, in exchange, local and UTC time: ``python -m services.scheduler.upcoming``."""

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from nightdesk.calendars import exchange_spans, read_closures
from nightdesk.errors import ConfigurationError
from nightdesk.schedule_config import Entry, Schedule, read_schedule
from services.scheduler.instants import SessionBook, Sessions, due

RUNS: Final = 3
"""Of each job."""

WITHIN: Final = timedelta(days=40)
"""The runs after the next one."""


class Line(NamedTuple):
    """One run to come, as it is printed."""

    job: str
    when: str
    exchange: str
    local: str
    utc: str


def upcoming(schedule: Schedule, now: datetime, local: tzinfo | None, sessions: Sessions) -> list[Line]:
    """Return the next runs of every timed entry, the earliest first, and then the entries without a time."""
    found: list[tuple[datetime, Line]] = []
    others: list[Line] = []
    for name, entry in schedule.jobs.items():
        instants = _next(entry, now, sessions)
        found += [(at, _line(name, entry, at, local, sessions)) for at in instants]
        if not instants:
            others.append(Line(name, _when(entry), "", "", ""))
    return [line for _, line in sorted(found, key=lambda one: one[0])] + others


def table(lines: Sequence[Line], local_name: str) -> str:
    """Return the lines in columns."""
    rows = [Line("job", "when", "exchange or own zone", f"here ({local_name})", "UTC"), *lines]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def main(environ: Mapping[str, str]) -> int:
    """Print the table; 1 when the schedule cannot be read."""
    path = Path(environ.get("SCHEDULE_CONFIG") or "config/schedule.yaml")
    closures = Path(environ.get("CALENDARS_CONFIG") or "config/calendars.yaml")
    now = datetime.now(UTC)
    try:
        zone = ZoneInfo(environ["TZ"]) if environ.get("TZ") else None
        sessions = SessionBook(exchange_spans, read_closures(closures), time.time)
        lines = upcoming(read_schedule(path), now, zone, sessions)
    except (ConfigurationError, KeyError, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201  a command
        return 1
    print(table(lines, now.astimezone(zone).tzname() or ""))  # noqa: T201  a command
    return 0


def _next(entry: Entry, now: datetime, sessions: Sessions) -> list[datetime]:
    instants: list[datetime] = []
    since = now
    while len(instants) < RUNS:
        more = due(entry, since, since, sessions)
        if not more or (instants and more[-1] - now > WITHIN):
            break
        instants += more
        since = more[-1]
    return instants


def _line(name: str, entry: Entry, at: datetime, local: tzinfo | None, sessions: Sessions) -> Line:
    own = at.astimezone(ZoneInfo(_zone(entry, at, sessions)))
    return Line(name, _when(entry), _shown(own), _shown(at.astimezone(local)), _shown(at))


def _zone(entry: Entry, at: datetime, sessions: Sessions) -> str:
    if entry.at is None:
        return entry.timezone
    week = timedelta(days=7)
    return sessions(entry.at.calendar, (at - week).date(), (at + week).date())[0].zone


def _shown(at: datetime) -> str:
    return at.strftime("%a %d %b %H:%M %Z")


def _when(entry: Entry) -> str:
    if entry.cron:
        return f"{entry.cron} {entry.timezone}"
    if entry.at is not None:
        offset_min = entry.at.offset_s / 60
        return f"{entry.at.calendar} {entry.at.edge.value}" + (f" {offset_min:+g} min" if offset_min else "")
    if entry.after:
        return f"after {', '.join(entry.after)}"
    return "after every gap" if entry.on == "gap" else "when asked"


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever reads on, as `head` does, may stop
    sys.exit(main(os.environ))
