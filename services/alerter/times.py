"""Times of the day in a person's zone: digests, quiet hours, the day a budget is for. Pure."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, PlainSerializer


def _time(text: object) -> object:
    found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("is no time of day; write HH:MM in 24 hours, as 07:30")
    return time(int(found[1]), int(found[2]))


def _zone(name: Any) -> object:  # noqa: ANN401  whatever the file holds
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise ValueError(f"{str(name)[:80]!r} is no time zone; write a name such as Europe/Berlin or UTC") from error


TimeOfDay: TypeAlias = Annotated[time, BeforeValidator(_time)]
Zone: TypeAlias = Annotated[ZoneInfo, BeforeValidator(_zone), PlainSerializer(str)]


def local(now_s: float, zone: ZoneInfo) -> datetime:
    """Return the wall time of a moment."""
    return datetime.fromtimestamp(now_s, UTC).astimezone(zone)


def latest(times: Iterable[time], zone: ZoneInfo, now_s: float) -> float:
    """Return the last moment, up to now, at which one of the times came; Unix seconds.

    On the day a clock goes forward, a time that is skipped comes as much later; on the day it goes back, a time that
    comes twice counts the first time only (PEP 495, fold 0).
    """
    return max(moment for moment in _moments(times, zone, now_s) if moment <= now_s)


def following(times: Iterable[time], zone: ZoneInfo, now_s: float) -> float:
    """Return the next moment, after now, at which one of the times comes; Unix seconds."""
    return min(moment for moment in _moments(times, zone, now_s) if moment > now_s)


def within(start: time, end: time, moment: datetime) -> bool:
    """Return whether a wall time lies from ``start`` up to, not including, ``end``; past midnight if end is earlier."""
    now = moment.time()
    return start <= now < end if start <= end else now >= start or now < end


def _moments(times: Iterable[time], zone: ZoneInfo, now_s: float) -> Iterator[float]:
    today = local(now_s, zone).date()
    for day in (today - timedelta(days=2), today - timedelta(days=1), today, today + timedelta(days=1)):
        yield from (_moment(day, one, zone) for one in times)


@lru_cache(maxsize=1024)  # asked anew at every look, and the same all day
def _moment(day: date, one: time, zone: ZoneInfo) -> float:
    return datetime.combine(day, one, zone).timestamp()
