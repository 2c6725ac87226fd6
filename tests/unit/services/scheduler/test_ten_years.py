"""Ten years of every clock and calendar: each run exactly once, at the right instant, however the scheduler was up."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightdesk.calendars import Closures, Span, exchange_spans
from nightdesk.schedule_config import Schedule
from services.scheduler.instants import SessionBook, cron_instants, due
from services.scheduler.planning import plan, timed
from tests.unit.services.scheduler.almanac import EXCHANGES, FIRST, FRIDAY, LAST, SUNDAY, Line, instants, line, sessions

BEGIN, END = datetime(FIRST, 1, 2, tzinfo=UTC), datetime(LAST, 12, 30, tzinfo=UTC)
"""Within the almanac's years on every clock."""

ALL_HOURS = " ".join(map(str, range(24)))
ZONES = ("America/New_York", "Europe/London", "Australia/Sydney")
LINES = (
    line("30 1 * * *", "30", "1"),
    line("30 2 * * *", "30", "2"),
    line("0 1 * * *", "0", "1"),
    line("0 2 * * *", "0", "2"),
    line("0 3 * * *", "0", "3"),
    line("59 1-2 * * *", "59", "1 2"),
    line("5,30 1,2,3 * * sun", "5 30", "1 2 3", lambda day: day.weekday() == SUNDAY),
    line("0 7 * * mon-fri", "0", "7", lambda day: day.weekday() <= FRIDAY),
    line("30 2 8-14 3 *", "30", "2", lambda day: day.month == 3 and 8 <= day.day <= 14),
    line("0 0 1 * *", "0", "0", lambda day: day.day == 1),
    line("0 12 29 2 *", "0", "12", lambda day: (day.month, day.day) == (2, 29)),
    line("*/15 0-5 * * sun", "0 15 30 45", "0 1 2 3 4 5", lambda day: day.weekday() == SUNDAY),
    line("0 * * * *", "0", ALL_HOURS),
    line("20 */2 * * *", "20", " ".join(map(str, range(0, 24, 2)))),
    line("*/30 1-2 * * *", "0 30", "1 2"),
)
OFFSETS = {"": timedelta(), " + 30m": timedelta(minutes=30), " - 1h": timedelta(hours=-1), " + 3d": timedelta(days=3)}


@cache
def spans(calendar: str) -> list[Span]:
    return exchange_spans(calendar, date(FIRST - 1, 11, 1), date(LAST + 1, 6, 1))


def known_spans(calendar: str, start: date, end: date) -> list[Span]:
    return [one for one in spans(calendar) if start <= one.session <= end]


def book() -> SessionBook:
    return SessionBook(known_spans, Closures(), lambda: 1e9)


def schedule(*entries: Mapping[str, object]) -> Schedule:
    return Schedule.model_validate({"jobs": {f"job_{place}": entry for place, entry in enumerate(entries)}})


def planned(of: Schedule, looks: Sequence[datetime]) -> list[tuple[str, datetime]]:
    """What a scheduler writes down that looks at these times; the first is when it first starts."""
    until: dict[str, datetime] = {}
    book_ = book()
    written: list[tuple[str, datetime]] = []
    for now in looks:
        come = [name for name in timed(of) if until.get(name, now) <= now]
        while come:
            found = plan(of, come, until, now, book_)
            written += [(one.job, one.scheduled_for) for one in found.runs]
            until |= found.until
            come = sorted(found.behind)  # a long absence is made up for in pieces
    return written


def within(found: Sequence[datetime]) -> list[datetime]:
    return [one for one in found if BEGIN < one <= END]


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("cron", LINES, ids=[one.text for one in LINES])
def test_a_cron_line_comes_at_the_right_instants_through_every_change_of_the_clocks(cron: Line, zone: str) -> None:
    entry = schedule({"cron": cron.text, "timezone": zone}).jobs["job_0"]

    *found, following = due(entry, BEGIN, END, book())

    assert found == within(instants(cron, ZoneInfo(zone)))
    assert following > END
    assert all(at.tzinfo is UTC for at in found)


@pytest.mark.slow
def test_a_fixed_time_is_run_once_on_every_day_whatever_the_clocks_do() -> None:
    """What the almanac says is what a person would."""
    new_york = ZoneInfo("America/New_York")
    half_past_two, half_past_one = instants(LINES[1], new_york), instants(LINES[0], new_york)
    hours = instants(line("0 * * * *", "0", ALL_HOURS), new_york)

    assert len(half_past_two) == len(half_past_one) == 3652
    assert datetime(2026, 3, 8, 7, 0, tzinfo=UTC) in half_past_two  # 02:30 is left out: at once after the change
    assert datetime(2026, 11, 1, 5, 30, tzinfo=UTC) in half_past_one  # 01:30 comes twice: the first
    assert datetime(2026, 11, 1, 6, 30, tzinfo=UTC) not in half_past_one
    assert {after - before for before, after in pairwise(hours)} == {timedelta(hours=1)}


@pytest.mark.slow
@pytest.mark.parametrize("edge", ["open", "close"])
@pytest.mark.parametrize("calendar", EXCHANGES)
def test_a_session_is_met_on_every_day_of_trading_and_at_no_other(calendar: str, edge: str) -> None:
    known = sessions(EXCHANGES[calendar])
    of = schedule(*({"at": f"{calendar} {edge}{written}"} for written in OFFSETS))

    found = planned(of, [BEGIN, END])

    for place, offset in enumerate(OFFSETS.values()):
        expected = within([(one.opens if edge == "open" else one.closes) + offset for one in known])
        mine = [at for name, at in found if name == f"job_{place}"]
        # what is added to a session of the year before is outside of what the almanac knows
        assert [at for at in mine if BEGIN + timedelta(days=5) < at <= END] == [
            at for at in expected if at > BEGIN + timedelta(days=5)
        ]


EVERYTHING = [
    {"cron": "30 1 * * *", "timezone": "America/New_York"},
    {"cron": "30 2 * * *", "timezone": "Australia/Sydney"},
    {"cron": "0 7 * * mon-fri", "timezone": "Europe/London"},
    {"cron": "10 */6 * * *", "timezone": "Europe/London"},
    {"cron": "0 0 1 * *", "timezone": "Australia/Sydney"},
    {"at": "XNYS close + 30m"},
    {"at": "XLON open - 1h"},
    {"at": "XASX close + 2d"},
]


@cache
def at_once() -> list[tuple[str, datetime]]:
    return sorted(one for one in planned(schedule(*EVERYTHING), [BEGIN, END]) if one[1] <= END)


@pytest.mark.slow
@settings(max_examples=4)
@given(seed=st.integers(0, 2**32), longest_days=st.sampled_from([20.0, 60.0, 400.0]))
def test_however_a_scheduler_was_up_it_writes_down_the_same(seed: int, longest_days: float) -> None:
    chance = random.Random(seed)
    looks = [BEGIN]
    while looks[-1] < END:
        step_s = longest_days * 86_400 * chance.random() ** 4
        looks.append(min(END, looks[-1] + timedelta(seconds=step_s, microseconds=chance.randrange(3))))

    found = planned(schedule(*EVERYTHING), looks)

    assert sorted(one for one in found if one[1] <= END) == at_once()
    assert len(set(found)) == len(found)


@pytest.mark.slow
@pytest.mark.parametrize("zone", [*ZONES, "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu"])
@pytest.mark.parametrize("text", ["30 1 * * *", "15 2 * * *", "*/30 * * * *"])
def test_asked_from_any_minute_of_a_change_a_line_goes_on_the_same(zone: str, text: str) -> None:
    """A scheduler may start at any minute of the hour that comes twice, and of the one that is left out."""
    for change in changes(ZoneInfo(zone), 2026):
        begin, end = change - timedelta(hours=3), change + timedelta(hours=3)
        whole = upto(text, zone, begin, end)
        for minute in range(0, 360, 3):
            after = begin + timedelta(minutes=minute, seconds=minute % 3, microseconds=minute % 2)
            assert upto(text, zone, after, end) == [one for one in whole if one > after]


def upto(text: str, zone: str, after: datetime, end: datetime) -> list[datetime]:
    found: list[datetime] = []
    for one in cron_instants(text, zone, after):
        if one > end:
            return found
        found.append(one)
    raise AssertionError("a line that ends")


def changes(zone: ZoneInfo, year: int) -> list[datetime]:
    hours = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * place) for place in range(2 * 24 * 365)]
    return [
        after
        for before, after in pairwise(hours)
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset()
    ] or [datetime(year, 6, 1, tzinfo=UTC)]


@pytest.mark.slow
def test_sessions_are_asked_for_in_pieces_and_kept_for_a_day() -> None:
    asked: list[tuple[date, date]] = []
    clock = [0.0]

    def counted(calendar: str, start: date, end: date) -> list[Span]:
        asked.append((start, end))
        return known_spans(calendar, start, end)

    own = SessionBook(counted, Closures(), lambda: clock[0])
    week = own("XNYS", date(2026, 3, 2), date(2026, 3, 8))
    assert [one.day.day for one in week] == [2, 3, 4, 5, 6]
    assert own("XNYS", date(2026, 2, 27), date(2026, 3, 12))[0].day == date(2026, 2, 27)
    assert len(asked) == 1

    clock[0] = 90_000.0
    own("XNYS", date(2026, 3, 2), date(2026, 3, 8))
    assert len(asked) == 2


@pytest.mark.slow
def test_announced_closures_and_early_closes_move_runs() -> None:
    closures = Closures.model_validate(
        {"closures": {"XNYS": {"2026-03-04": "mourning"}}, "early_closes": {"XNYS": {"2026-03-05": "13:00"}}}
    )
    own = SessionBook(known_spans, closures, lambda: 0.0)
    of = schedule({"at": "XNYS close + 30m"})
    name = "job_0"

    found = plan(of, [name], {name: datetime(2026, 3, 3, tzinfo=UTC)}, datetime(2026, 3, 6, tzinfo=UTC), own)

    assert [one.scheduled_for.isoformat() for one in found.runs] == [
        "2026-03-03T21:30:00+00:00", "2026-03-05T18:30:00+00:00", "2026-03-06T21:30:00+00:00",
    ]  # fmt: skip
