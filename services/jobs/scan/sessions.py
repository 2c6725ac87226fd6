"""An exchange's days around now, on its own clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from nightdesk.calendars import NS, Spans, cut, read_closures
from nightdesk.errors import ConfigurationError
from nightdesk.feeds_config import ALWAYS_OPEN
from services.jobs.settings import JobsSettings

LOOK_BACK: Final = timedelta(days=45)
"""Thirty sessions or so, holidays taken off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A time in which the exchange was open, on one of its days; a lunch break makes two of a day."""

    day: date
    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """What an exchange's clock says, and the stretches of its last days up to and with today."""

    zone: tzinfo
    today: date
    stretches: Sequence[Stretch]

    @property
    def is_open_today(self) -> bool:
        """Whether there is a session today."""
        return any(one.day == self.today for one in self.stretches)

    @property
    def past(self) -> list[Stretch]:
        """The stretches of the days before today."""
        return [one for one in self.stretches if one.day < self.today]

    @property
    def previous(self) -> date:
        """The day of the last session before today."""
        return self.past[-1].day

    @property
    def begins(self) -> datetime:
        """When today began on the exchange's clock."""
        return datetime.combine(self.today, datetime.min.time(), self.zone)


def sessions(name: str, at: datetime, settings: JobsSettings, spans: Spans) -> Sessions:
    """Return the days of a calendar around a time; raises ConfigurationError for an unknown one."""
    first, last = (at - LOOK_BACK).date(), (at + timedelta(days=1)).date()
    if name == ALWAYS_OPEN:
        return _always(first, at)
    closures = read_closures(settings.calendars_config)
    early = closures.early_closes.get(name, {})
    found = [cut(one, early.get(one.session)) for one in spans(name, first, last)]
    if not found:
        raise ConfigurationError(f"calendar {name!r} has no session from {first} to {last}")
    zone = ZoneInfo(found[0].zone)
    closed = closures.closures.get(name, {})
    kept = [
        Stretch(day=one.session, opens=_time(one.open_ns), closes=_time(one.close_ns))
        for one in found
        if one.session not in closed
    ]
    today = at.astimezone(zone).date()
    return Sessions(zone=zone, today=today, stretches=[one for one in kept if one.day <= today])


def _always(first: date, at: datetime) -> Sessions:
    today = at.astimezone(UTC).date()
    days = [first + timedelta(days=count) for count in range((today - first).days + 1)]
    edges = [datetime.combine(day, datetime.min.time(), UTC) for day in [*days, today + timedelta(days=1)]]
    stretches = [
        Stretch(day=day, opens=opens, closes=closes)
        for day, opens, closes in zip(days, edges[:-1], edges[1:], strict=True)
    ]
    return Sessions(zone=UTC, today=today, stretches=stretches)


def _time(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns / NS, UTC)
