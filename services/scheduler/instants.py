"""When an entry of the schedule is due: exact instants, in UTC. Pure but for the calendars, which are asked.

A cron line is read in its own zone, as Debian's cron reads it: through a change of the clocks a fixed time that is left
out comes right after it, and one that comes twice runs once; lines with a wildcard hour follow real time. The instants
are converted to UTC before anything is added to them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from cronsim import CronSim

from nightdesk.calendars import NS, Closures, Span, Spans, cut
from nightdesk.errors import UnavailableError
from nightdesk.schedule_config import Edge, Entry, SessionTime

LOOK_AHEAD: Final = timedelta(days=60)
"""A session is looked for so far ahead: no market is closed for longer."""

MARGIN: Final = timedelta(days=3)
"""A session's day, its offset and its zone may lead this far from its instant, and offsets are added to that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session: its first opening and its last closing, and the exchange's time zone."""

    day: date
    zone: str
    opens: datetime
    closes: datetime


Sessions: TypeAlias = Callable[[str, date, date], Sequence[Session]]
"""The sessions of a calendar between two days, rising.

Raises ConfigurationError for an unknown calendar, and UnavailableError while it is not known yet.
"""


def cron_instants(line: str, zone: str, after: datetime) -> Iterator[datetime]:
    """Yield the instants of a cron line in a zone, later than ``after``, each once and rising."""
    last = after
    for local in CronSim(line, after.astimezone(ZoneInfo(zone))):
        instant = local.astimezone(UTC)
        if instant > last:
            yield instant
            last = instant


def session_instants(at: SessionTime, sessions: Sequence[Session]) -> Iterator[datetime]:
    """Yield the instant of every session, rising."""
    offset = timedelta(seconds=at.offset_s)
    for one in sessions:
        yield (one.opens if at.edge is Edge.OPEN else one.closes) + offset


def due(
    entry: Entry, after: datetime, until: datetime, sessions: Sessions, *, most: int | None = None
) -> list[datetime]:
    """Return the entry's instants in ``(after, until]`` and the one that comes next, all in UTC.

    Of more than ``most`` and the next only these come. An entry without a time of its own has none.
    """
    if entry.cron:
        return _with_next(cron_instants(entry.cron, entry.timezone, after), until, most)
    if entry.at is None:
        return []
    margin = MARGIN + timedelta(seconds=abs(entry.at.offset_s))
    known = sessions(entry.at.calendar, (after - margin).date(), (until + LOOK_AHEAD + margin).date())
    return _with_next((one for one in session_instants(entry.at, known) if one > after), until, most)


def _with_next(instants: Iterator[datetime], until: datetime, most: int | None) -> list[datetime]:
    found: list[datetime] = []
    for one in instants:
        found.append(one)
        if one > until or (most is not None and len(found) > most):
            break
    return found


class SessionBook:
    """Answers for sessions from stretches that are computed for months around and kept for a day.

    A calendar of the library ends a year after it was made, and closures that are announced come with a new start.
    With an executor they are computed there, and whoever asks meanwhile is told to ask again: other entries of the
    schedule wait for no calendar.
    """

    def __init__(
        self, spans: Spans, closures: Closures, wall_s: Callable[[], float], executor: Executor | None = None
    ) -> None:
        self._spans = spans
        self._closures = closures
        self._wall_s = wall_s
        self._executor = executor
        self._known: dict[str, _Known] = {}
        self._coming: dict[str, Future[_Known]] = {}

    def __call__(self, calendar: str, start: date, end: date) -> list[Session]:
        """Return the sessions between two days.

        Raises ConfigurationError for an unknown calendar, and UnavailableError while it is computed.
        """
        known = self._known.get(calendar)
        if known is None or not known.reaches(start, end) or self._wall_s() - known.made_s > KEPT_S:
            known = self._known[calendar] = self._new(calendar, start, end)
        return [one for one in known.sessions if start <= one.day <= end]

    def _new(self, calendar: str, start: date, end: date) -> "_Known":
        if self._executor is None:
            return self._computed(calendar, start, end)
        coming = self._coming.get(calendar)
        if coming is None:
            coming = self._coming[calendar] = self._executor.submit(self._computed, calendar, start, end)
        if not coming.done():
            raise UnavailableError(f"calendar {calendar} is being computed")
        return self._coming.pop(calendar).result()

    def _computed(self, calendar: str, start: date, end: date) -> "_Known":
        first, last = start - AROUND, end + AROUND
        sessions = sessions_of(self._spans(calendar, first, last), self._closures, calendar)
        return _Known(made_s=self._wall_s(), first=first, last=last, sessions=sessions)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    made_s: float
    first: date
    last: date
    sessions: Sequence[Session]

    def reaches(self, start: date, end: date) -> bool:
        return self.first <= start and end <= self.last


KEPT_S: Final = 86_400.0
AROUND: Final = timedelta(days=10)


def sessions_of(spans: Sequence[Span], closures: Closures, calendar: str) -> list[Session]:
    """Return one session a day, without those that are closed, and with those that close early cut."""
    by_day: dict[date, list[Span]] = {}
    closed: Mapping[date, str] = closures.closures.get(calendar, {})
    early: Mapping[date, time] = closures.early_closes.get(calendar, {})
    for span in spans:
        short = cut(span, early.get(span.session))
        if span.session not in closed and short.open_ns < short.close_ns:
            by_day.setdefault(span.session, []).append(short)
    return [
        Session(
            day=day,
            zone=parts[0].zone,
            opens=_utc(min(one.open_ns for one in parts)),
            closes=_utc(max(one.close_ns for one in parts)),
        )
        for day, parts in sorted(by_day.items())
    ]


def _utc(instant_ns: int) -> datetime:
    return datetime.fromtimestamp(instant_ns // NS, UTC)
