"""Times of day in a person's zone: each comes once a day, in the nights too in which the clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.alerter.times import TimeOfDay, Zone, following, latest, local, within

NEW_YORK, LONDON, SYDNEY = "America/New_York", "Europe/London", "Australia/Sydney"


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def said(moment_s: float) -> str:
    return datetime.fromtimestamp(moment_s, UTC).strftime("%m-%d %H:%M")


@pytest.mark.parametrize(
    ("zone", "times", "now", "before", "after"),
    [
        # An ordinary day: the times themselves, just before and after them, and around midnight.
        ("UTC", ["07:30", "18:00"], "2026-11-23T07:29:59", "11-22 18:00", "11-23 07:30"),
        ("UTC", ["07:30", "18:00"], "2026-11-23T07:30:00", "11-23 07:30", "11-23 18:00"),
        ("UTC", ["07:30", "18:00"], "2026-11-23T23:59:59", "11-23 18:00", "11-24 07:30"),
        ("UTC", ["00:00"], "2026-11-23T00:00:00", "11-23 00:00", "11-24 00:00"),
        ("UTC", ["00:00"], "2026-11-22T23:59:59", "11-22 00:00", "11-23 00:00"),
        (NEW_YORK, ["18:00"], "2026-11-23T22:59:59", "11-22 23:00", "11-23 23:00"),
        (SYDNEY, ["07:30"], "2026-11-22T20:30:00", "11-22 20:30", "11-23 20:30"),
        # New York's clocks go forward on 8 March 2026 at 02:00: there is no 02:30, it comes as 03:30.
        (NEW_YORK, ["02:30"], "2026-03-08T07:29:00", "03-07 07:30", "03-08 07:30"),
        (NEW_YORK, ["02:30"], "2026-03-08T07:30:00", "03-08 07:30", "03-09 06:30"),
        # And back on 1 November 2026 at 02:00: of the two 01:30 the first counts.
        (NEW_YORK, ["01:30"], "2026-11-01T05:30:00", "11-01 05:30", "11-02 06:30"),
        (NEW_YORK, ["01:30"], "2026-11-01T06:30:00", "11-01 05:30", "11-02 06:30"),
        # London: forward on 29 March 2026 at 01:00, back on 25 October 2026 at 02:00.
        (LONDON, ["01:30"], "2026-03-29T01:30:00", "03-29 01:30", "03-30 00:30"),
        (LONDON, ["01:30"], "2026-10-25T00:30:00", "10-25 00:30", "10-26 01:30"),
        (LONDON, ["01:30"], "2026-10-25T01:30:00", "10-25 00:30", "10-26 01:30"),
        # Sydney: back on 5 April 2026 at 03:00, forward on 4 October 2026 at 02:00.
        (SYDNEY, ["02:30"], "2026-04-04T15:30:00", "04-04 15:30", "04-05 16:30"),
        (SYDNEY, ["02:30"], "2026-04-04T16:30:00", "04-04 15:30", "04-05 16:30"),
        (SYDNEY, ["02:30"], "2026-10-03T16:30:00", "10-03 16:30", "10-04 15:30"),
    ],
)
def test_the_last_and_the_next_of_a_persons_times(
    zone: str, times: list[str], now: str, before: str, after: str
) -> None:
    wanted = [time.fromisoformat(one) for one in times]

    assert said(latest(wanted, ZoneInfo(zone), at(now))) == before
    assert said(following(wanted, ZoneInfo(zone), at(now))) == after


zones = st.sampled_from([NEW_YORK, LONDON, SYDNEY, "UTC", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca"])
days = st.dates(date(2020, 1, 1), date(2030, 1, 1))
times_of_day = st.times().map(lambda one: one.replace(second=0, microsecond=0))


@given(zones, days, st.lists(times_of_day, min_size=1, max_size=3, unique=True))
@settings(max_examples=30)
def test_every_time_comes_exactly_once_a_day(zone: str, day: date, times: list[time]) -> None:
    begin_s = datetime.combine(day, time(), UTC).timestamp()
    end_s = begin_s + 2 * 86_400
    found, moment_s = list[float](), begin_s
    while (moment_s := following(times, ZoneInfo(zone), moment_s)) <= end_s:
        found.append(moment_s)

    assert found == sorted(one for one in shown_by_a_clock(ZoneInfo(zone), times, day) if begin_s < one <= end_s)
    for earlier, later in pairwise(found):
        assert latest(times, ZoneInfo(zone), later - 0.5) == earlier
        assert latest(times, ZoneInfo(zone), later) == later


def shown_by_a_clock(zone: ZoneInfo, times: list[time], day: date) -> set[float]:
    """Look at a clock on the wall every minute for days, and return when it first showed each time of each day.

    What it skips, it would have shown as many minutes after the last it did show.
    """
    begin_s = datetime.combine(day, time(), UTC).timestamp()
    shown: dict[datetime, float] = {}
    for minute in range(-3 * 1440, 5 * 1440):
        wall = datetime.fromtimestamp(begin_s + minute * 60, zone).replace(tzinfo=None)
        shown.setdefault(wall, begin_s + minute * 60)
    found = set[float]()
    for offset in range(-1, 4):
        for one in times:
            wanted = before = datetime.combine(day + timedelta(days=offset), one)
            while before not in shown:
                before -= timedelta(minutes=1)
            found.add(shown[before] + (wanted - before).total_seconds())
    return found


@pytest.mark.parametrize(
    ("start", "end", "now", "is_within"),
    [
        ("22:00", "07:00", "22:00:00", True),
        ("22:00", "07:00", "21:59:59", False),
        ("22:00", "07:00", "00:00:00", True),
        ("22:00", "07:00", "06:59:59", True),
        ("22:00", "07:00", "07:00:00", False),
        ("11:00", "13:00", "11:00:00", True),
        ("11:00", "13:00", "13:00:00", False),
        ("11:00", "13:00", "00:00:00", False),
        ("00:00", "06:00", "00:00:00", True),
        ("18:00", "00:00", "23:59:59", True),
        ("18:00", "00:00", "00:00:00", False),
    ],
)
def test_quiet_hours_begin_and_end_at_their_times(start: str, end: str, now: str, is_within: bool) -> None:
    moment = datetime.fromisoformat(f"2026-11-23T{now}")

    assert within(time.fromisoformat(start), time.fromisoformat(end), moment) is is_within


def test_the_day_is_that_of_the_persons_zone() -> None:
    moment_s = at("2026-11-23T02:00:00")

    assert local(moment_s, ZoneInfo(NEW_YORK)).date() == date(2026, 11, 22)
    assert local(moment_s, ZoneInfo(SYDNEY)).date() == date(2026, 11, 23)


@pytest.mark.parametrize("text", ["7:30", "24:00", "07:60", "0730", "07:30:00", "", " 07:30", 730, None])
def test_what_is_no_time_of_day_is_refused(text: object) -> None:
    with pytest.raises(ValidationError, match="write HH:MM"):
        TypeAdapter(TimeOfDay).validate_python(text)


@pytest.mark.parametrize("name", ["Berlin", "", "../etc/passwd", "Europe/Berlin\0", "UTC+1", 3, None, "x" * 300])
def test_what_is_no_time_zone_is_refused(name: object) -> None:
    with pytest.raises(ValidationError, match="is no time zone"):
        TypeAdapter(Zone).validate_python(name)
