"""Ten years of clocks and exchanges, worked out from the published rules alone; shares no code with what it judges.

Cron through changes of the clocks is told by Debian's manual, cron(8): a fixed time that is left out comes right after
the change, one that comes twice runs once; with a wildcard hour or minute a line follows real time.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

FIRST, LAST = 2017, 2026
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MONDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = 0, 3, 4, 5, 6


class Line(NamedTuple):
    """A cron line, and the same thing in Python."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    on: Callable[[date], bool]
    follows_real_time: bool


def every_day(_day: date) -> bool:
    return True


def line(text: str, minutes: str, hours: str, on: Callable[[date], bool] = every_day) -> Line:
    fields = text.split()
    real = fields[0].startswith("*") or fields[1].startswith("*")
    return Line(text, frozenset(map(int, minutes.split())), frozenset(map(int, hours.split())), on, real)


def days() -> Iterator[date]:
    day = date(FIRST, 1, 1)
    while day.year <= LAST:
        yield day
        day += DAY


def instants(cron: Line, zone: ZoneInfo) -> list[datetime]:
    """Every run of the ten years of this zone's clock, rising."""
    return sorted(set(_real(cron, zone) if cron.follows_real_time else _fixed(cron, zone)))


def _fixed(cron: Line, zone: ZoneInfo) -> Iterator[datetime]:
    for day in filter(cron.on, days()):
        for hour in cron.hours:
            for minute in cron.minutes:
                yield first(datetime.combine(day, time(hour, minute)), zone)


def first(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which the clock shows this, or the change by which it never does."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    instant -= 2 * HOUR
    while instant.astimezone(zone).replace(tzinfo=None) < wall:
        instant += timedelta(minutes=1)
    return instant


def _real(cron: Line, zone: ZoneInfo) -> Iterator[datetime]:
    """Walk real time by whole hours, which is as fine as the offsets of the zones here are."""
    at = datetime(FIRST, 1, 1, tzinfo=UTC) - DAY
    while at.year <= LAST:
        wall = at.astimezone(zone)
        if FIRST <= wall.year <= LAST and wall.hour in cron.hours and cron.on(wall.date()):
            yield from (at + timedelta(minutes=minute) for minute in cron.minutes)
        at += HOUR


# --- exchanges ---


class Exchange(NamedTuple):
    """An exchange's usual hours, and what is different on which day."""

    zone: str
    opens: time
    closes: time
    early: time
    closed: Callable[[int], set[date]]
    short: Callable[[int], set[date]]


class Day(NamedTuple):
    """A session, in UTC."""

    opens: datetime
    closes: datetime


def sessions(exchange: Exchange) -> list[Day]:
    """Every session of the ten years, rising."""
    zone = ZoneInfo(exchange.zone)
    closed = {day for year in range(FIRST, LAST + 1) for day in exchange.closed(year)}
    short = {day for year in range(FIRST, LAST + 1) for day in exchange.short(year)}
    return [
        Day(
            datetime.combine(day, exchange.opens, zone).astimezone(UTC),
            datetime.combine(day, exchange.early if day in short else exchange.closes, zone).astimezone(UTC),
        )
        for day in days()
        if day.weekday() < SATURDAY and day not in closed
    ]


def easter(year: int) -> date:
    """Easter Sunday, by Gauss's rule as corrected for the Gregorian calendar (Meeus, Jones, Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), g = divmod(b, 4), (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    el = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * el) // 451
    month, day = divmod(h + el - 7 * m + 114, 31)
    return date(year, month, day + 1)


def nth(year: int, month: int, weekday: int, number: int) -> date:
    """The first, second... of a weekday in a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def last(year: int, month: int, weekday: int) -> date:
    end = date(year, month, 31) if month in {5, 8} else date(year, month, 30)
    return end - timedelta(days=(end.weekday() - weekday) % 7)


def monday_after(day: date) -> date:
    """A day of rest on a weekend is kept on the Monday."""
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() >= SATURDAY else day


def nearest(day: date) -> date:
    """American holidays: that of a Saturday is kept on the Friday, that of a Sunday on the Monday."""
    return day - DAY if day.weekday() == SATURDAY else monday_after(day)


def christmas(year: int) -> set[date]:
    """Christmas and Boxing Day, and the weekdays that stand in for those on a weekend, as in Britain and Australia."""
    kept: set[date] = set()
    for day in (date(year, 12, 25), date(year, 12, 26)):
        kept.add(day)
        if day.weekday() >= SATURDAY:
            other = day
            while other.weekday() >= SATURDAY or other in kept or other == date(year, 12, 26):
                other += DAY
            kept.add(other)
    return kept


def last_before(day: date, closed: set[date]) -> date:
    """The last business day before this one."""
    day -= DAY
    while day.weekday() >= SATURDAY or day in closed:
        day -= DAY
    return day


# NYSE Rule 7.2 and its yearly calendars: New Year's Day of a Saturday is not kept at all, for it would be at a year's
# end; Juneteenth since 2022. Days of mourning for presidents are announced: Bush 2018, Carter 2025.
MOURNING = {date(2018, 12, 5), date(2025, 1, 9)}


def new_york_closed(year: int) -> set[date]:
    new_year = date(year, 1, 1)
    kept = {
        nth(year, 1, MONDAY, 3),
        nth(year, 2, MONDAY, 3),
        easter(year) - 2 * DAY,
        last(year, 5, MONDAY),
        nearest(date(year, 7, 4)),
        nth(year, 9, MONDAY, 1),
        nth(year, 11, THURSDAY, 4),
        nearest(date(year, 12, 25)),
    }
    kept |= set() if new_year.weekday() == SATURDAY else {monday_after(new_year)}
    kept |= {nearest(date(year, 6, 19))} if year >= 2022 else set()
    return kept | {day for day in MOURNING if day.year == year}


def new_york_short(year: int) -> set[date]:
    """1 p.m.: the day after Thanksgiving, 3 July and 24 December from Monday to Thursday."""
    eves = {date(year, 7, 3), date(year, 12, 24)}
    return {nth(year, 11, THURSDAY, 4) + DAY} | {day for day in eves if day.weekday() <= THURSDAY}


# Bank holidays by proclamation: VE Day 2020 in place of the first Monday of May, the jubilee of 2022 with the spring
# holiday moved to it, the funeral of Elizabeth II, the coronation of Charles III.
LONDON_PROCLAIMED = {
    date(2020, 5, 8), date(2022, 6, 2), date(2022, 6, 3), date(2022, 9, 19), date(2023, 5, 8),
}  # fmt: skip
LONDON_MOVED = {date(2020, 5, 4), date(2022, 5, 30)}


def london_closed(year: int) -> set[date]:
    kept = {
        monday_after(date(year, 1, 1)),
        easter(year) - 2 * DAY,
        easter(year) + DAY,
        nth(year, 5, MONDAY, 1),
        last(year, 5, MONDAY),
        last(year, 8, MONDAY),
    }
    return (kept - LONDON_MOVED) | christmas(year) | {day for day in LONDON_PROCLAIMED if day.year == year}


def year_end_short(closed: set[date], year: int) -> set[date]:
    """The last business days before Christmas and before the new year."""
    return {last_before(date(year, 12, 25), closed), last_before(date(year + 1, 1, 1), closed)}


def london_short(year: int) -> set[date]:
    return year_end_short(london_closed(year), year)


# The national day of mourning for Elizabeth II.
SYDNEY_PROCLAIMED = {date(2022, 9, 22)}


def sydney_closed(year: int) -> set[date]:
    """ANZAC Day is not moved; the others of a weekend are kept on the next weekday."""
    kept = {
        monday_after(date(year, 1, 1)),
        monday_after(date(year, 1, 26)),
        easter(year) - 2 * DAY,
        easter(year) + DAY,
        date(year, 4, 25),
        nth(year, 6, MONDAY, 2),
    }
    return kept | christmas(year) | {day for day in SYDNEY_PROCLAIMED if day.year == year}


def sydney_short(year: int) -> set[date]:
    """As in London, but in 2022, when ASX kept its usual hours (notice 1252.22.11)."""
    return set() if year == 2022 else year_end_short(sydney_closed(year), year)


NEW_YORK = Exchange("America/New_York", time(9, 30), time(16), time(13), new_york_closed, new_york_short)
EXCHANGES = {
    "XNYS": NEW_YORK,
    "XNAS": NEW_YORK,
    "XLON": Exchange("Europe/London", time(8), time(16, 30), time(12, 30), london_closed, london_short),
    "XASX": Exchange("Australia/Sydney", time(10), time(16), time(14, 10), sydney_closed, sydney_short),
}
