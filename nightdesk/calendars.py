"""When a market is open.

Regular hours, holidays, half days and lunch breaks come from ``exchange_calendars``; closures announced after its
release from ``config/calendars.yaml``. The library brings pandas with it, so it is imported only when a feed names a
calendar other than ``24/7``.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import structlog
from pydantic import BaseModel, ConfigDict, Field, field_validator

from nightdesk.config_files import read_config
from nightdesk.errors import ConfigurationError
from nightdesk.feeds_config import ALWAYS_OPEN

log = structlog.get_logger()

NS: Final = 1_000_000_000
BEFORE: Final = timedelta(days=10)
AHEAD: Final = timedelta(days=30)
REBUILD_NS: Final = 24 * 3600 * NS
"""A calendar of the library ends a year after it was made."""


class Span(NamedTuple):
    """A stretch of time in which a market is open: from ``open_ns`` up to, not including, ``close_ns``."""

    session: date
    open_ns: int
    close_ns: int


Spans: TypeAlias = Callable[[str, date, date], Sequence[Span]]
"""Returns a calendar's open stretches between two days; raises ConfigurationError for an unknown calendar."""


class Closures(BaseModel):
    """``config/calendars.yaml``: days on which an exchange does not open, by calendar, with the reason."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    closures: dict[str, dict[date, str]] = Field(
        default_factory=dict, description="calendar, then YYYY-MM-DD: why, for example XNYS: {2025-01-09: mourning}"
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

    def is_open(self, name: str, now_ns: int) -> bool:
        """Return whether the market of this calendar is open; an unknown calendar is closed."""
        if name == ALWAYS_OPEN:
            return True
        spans = self._open.get(name, [])
        place = bisect_right(spans, now_ns, key=_open_ns) - 1
        return place >= 0 and now_ns < spans[place].close_ns

    def _of(self, name: str, today: date) -> list[Span]:
        closed: Mapping[date, str] = self._closures.closures.get(name, {})
        spans = self._spans(name, today - BEFORE, today + AHEAD)
        return sorted((span for span in spans if span.session not in closed), key=_open_ns)


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
        spans += [Span(row.Index.date(), edges[place], edges[place + 1]) for place in range(0, len(edges), 2)]
    return spans


def _open_ns(span: Span) -> int:
    return span.open_ns
