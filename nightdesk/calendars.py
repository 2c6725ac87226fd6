"""When a market is open.

Regular hours, holidays, half days and lunch breaks come from ``exchange_calendars``; closures announced after its
release from ``config/calendars.yaml``. The library brings pandas with it, so it is imported only when a feed names a
calendar other than ``24/7``.
"""

import json
import re
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Final, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import structlog
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from nightdesk.config_files import read_config
from nightdesk.errors import ConfigurationError
from nightdesk.feeds_config import ALWAYS_OPEN

log = structlog.get_logger()

NS: Final = 1_000_000_000
BEFORE: Final = timedelta(days=10)
AHEAD: Final = timedelta(days=30)
REBUILD_NS: Final = 24 * 3600 * NS
"""A calendar of the library ends a year after it was made."""

CHILD_LIMIT_S: Final = 60.0
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


class Span(NamedTuple):
    """A stretch of time in which a market is open: from ``open_ns`` up to, not including, ``close_ns``.

    ``zone`` is the exchange's time zone, in which its hours are announced.
    """

    session: date
    open_ns: int
    close_ns: int
    zone: str = "UTC"


Spans: TypeAlias = Callable[[str, date, date], Sequence[Span]]
"""Returns a calendar's open stretches between two days; raises ConfigurationError for an unknown calendar."""


def _time_of_day(text: object) -> object:
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("is no time of day; write HH:MM in 24 hours, as 13:00")
    return time(int(found[1]), int(found[2]))


class Closures(BaseModel):
    """``config/calendars.yaml``: days on which an exchange does not open, or closes early, by calendar."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    closures: dict[str, dict[date, str]] = Field(
        default_factory=dict, description="calendar, then YYYY-MM-DD: why, for example XNYS: {2025-01-09: mourning}"
    )

    early_closes: dict[str, dict[date, Annotated[time, BeforeValidator(_time_of_day)]]] = Field(
        default_factory=dict,
        description='calendar, then YYYY-MM-DD: "HH:MM" on the exchange\'s clock, as XNYS: {2026-07-02: "13:00"}',
    )

    @field_validator("closures")
    @classmethod
    def _with_reason(cls, closures: dict[str, dict[date, str]]) -> dict[str, dict[date, str]]:
        bare = [
            f"{name} {day}" for name, days in closures.items() for day, reason in days.items() if not reason.strip()
        ]
        if bare:
            raise ValueError(f"{bare[0]} has no reason; write why it is closed")
        return closures


def read_closures(path: Path) -> Closures:
    """Return the closures; none when there is no file. Raises ConfigurationError naming every wrong line."""
    return read_config(path, Closures, variable="CALENDARS_CONFIG") if _may_exist(path) else Closures()


def _may_exist(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True  # reading it says what is the matter


class Calendars:
    """Answers whether a market is open, from stretches computed once a day."""

    def __init__(self, names: Iterable[str], *, closures: Closures, spans: Spans) -> None:
        self._names = sorted(set(names) - {ALWAYS_OPEN})
        self._closures = closures
        self._spans = spans
        self._open: dict[str, list[Span]] = {}
        self._built_ns: int | None = None

    def rebuild(self, now_ns: int) -> None:
        """Compute the days around now; takes a second or two. Raises ConfigurationError for an unknown calendar."""
        today = datetime.fromtimestamp(now_ns // NS, UTC).date()
        self._open = {name: self._of(name, today) for name in self._names}
        self._built_ns = now_ns

    def stale(self, now_ns: int) -> bool:
        """Return whether ``rebuild`` is due."""
        return bool(self._names) and (self._built_ns is None or now_ns - self._built_ns >= REBUILD_NS)

    def knows(self, name: str) -> bool:
        """Return whether a calendar has been computed."""
        return name == ALWAYS_OPEN or name in self._open

    def is_open(self, name: str, now_ns: int) -> bool:
        """Return whether the market of this calendar is open; an unknown calendar is closed."""
        if name == ALWAYS_OPEN:
            return True
        spans = self._open.get(name, [])
        place = bisect_right(spans, now_ns, key=_open_ns) - 1
        return place >= 0 and now_ns < spans[place].close_ns

    def stretches(self, name: str) -> Sequence[Span]:
        """Return the open stretches of a calendar around the last ``rebuild``, in order; none of an unknown one."""
        return tuple(self._open.get(name, ()))

    def _of(self, name: str, today: date) -> list[Span]:
        closed: Mapping[date, str] = self._closures.closures.get(name, {})
        early: Mapping[date, time] = self._closures.early_closes.get(name, {})
        spans = self._spans(name, today - BEFORE, today + AHEAD)
        kept = (cut(span, early.get(span.session)) for span in spans if span.session not in closed)
        return sorted((span for span in kept if span.open_ns < span.close_ns), key=_open_ns)


def exchange_spans(name: str, start: date, end: date) -> list[Span]:
    """Return the stretches from ``exchange_calendars``; a lunch break divides a day in two."""
    import exchange_calendars  # noqa: PLC0415  it brings pandas: a second and 60 MB for whoever never asks

    try:
        calendar = exchange_calendars.get_calendar(name, start=start.isoformat(), end=end.isoformat())
    except exchange_calendars.errors.InvalidCalendarName as error:
        raise ConfigurationError(
            f"there is no calendar {name!r}; use a name such as XNYS, XLON, XTKS or 24/7"
        ) from error
    except (exchange_calendars.errors.CalendarError, ValueError) as error:
        raise ConfigurationError(f"calendar {name!r} does not reach from {start} to {end}: {error}") from error
    schedule = calendar.schedule
    spans: list[Span] = []
    for row, with_break in zip(schedule.itertuples(), schedule.break_start.notna(), strict=True):
        breaks = [row.break_start.value, row.break_end.value] if with_break else []
        edges = [row.open.value, *breaks, row.close.value]
        zone = str(calendar.tz)
        spans += [Span(row.Index.date(), edges[place], edges[place + 1], zone) for place in range(0, len(edges), 2)]
    return spans


def spans_in_child(name: str, start: date, end: date) -> list[Span]:
    """Return what ``exchange_spans`` returns, from a process of its own, which takes pandas with it when it ends.

    For a service that is asked once a day and is small for the rest of it. Raises ConfigurationError.
    """
    command = [sys.executable, "-m", "nightdesk.calendars", name, start.isoformat(), end.isoformat()]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_LIMIT_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigurationError(f"calendar {name!r} cannot be computed: {error}") from error
    if done.returncode:
        raise ConfigurationError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"calendar {name!r}")
    return [Span(date.fromisoformat(session), *rest) for session, *rest in json.loads(done.stdout)]


def cut(span: Span, closes: time | None) -> Span:
    """Return the stretch, ended at this time of the exchange's day."""
    if closes is None:
        return span
    close_ns = int(datetime.combine(span.session, closes, ZoneInfo(span.zone)).timestamp()) * NS
    return span._replace(close_ns=min(span.close_ns, close_ns))


def _print_spans(arguments: Sequence[str]) -> int:
    name, start, end = arguments
    try:
        spans = exchange_spans(name, date.fromisoformat(start), date.fromisoformat(end))
    except ConfigurationError as error:
        print(error, file=sys.stderr)  # noqa: T201  to the process that asked
        return 1
    print(json.dumps([[span.session.isoformat(), *span[1:]] for span in spans]))  # noqa: T201
    return 0


def _open_ns(span: Span) -> int:
    return span.open_ns


if __name__ == "__main__":
    sys.exit(_print_spans(sys.argv[1:]))
