"""The fast week runs forward only, and its hours are those of the exchange with our closures."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightdesk.calendars import Calendars, exchange_spans, read_closures
from tests.night import configuration
from tests.night.hours import wrong_hours
from tests.night.week import BEGINS_S, CALENDAR, SESSIONS, STRETCHES, WATCHED_S, Week, is_open, moment_s

WEEK = Week()
SECONDS = st.floats(0, WEEK.length_s + 600)
FRIDAY_S = moment_s("2026-11-07 00:00")


@given(SECONDS, SECONDS)
def test_simulated_time_never_goes_back(one: float, other: float) -> None:
    early, late = sorted([one, other])

    assert WEEK.simulated_s(early) <= WEEK.simulated_s(late)


@given(SECONDS)
def test_real_and_simulated_time_turn_into_each_other(passed_s: float) -> None:
    assert WEEK.real_s(WEEK.simulated_s(passed_s)) == pytest.approx(passed_s, abs=1e-3)


def test_before_the_beginning_time_stands_still() -> None:
    assert WEEK.simulated_s(-5.0) == WEEK.simulated_s(0.0) == BEGINS_S
    assert WEEK.real_s(BEGINS_S - 86_400) == 0.0


@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_opens_and_closes_to_the_moment(session: tuple[float, float]) -> None:
    for edge_s, after in zip(session, (True, False), strict=True):
        real_s = WEEK.real_s(edge_s)

        assert is_open(WEEK.simulated_s(real_s + 0.01)) is after
        assert is_open(WEEK.simulated_s(real_s - 0.01)) is not after


def test_the_open_is_an_hour_later_in_utc_once_summer_time_is_over() -> None:
    opens = [datetime.fromtimestamp(session.open_s, UTC) for session in SESSIONS]

    assert [(one.day, one.hour) for one in opens] == [(29, 13), (30, 13), (2, 14), (4, 14), (5, 14), (6, 14)]


def test_the_hours_written_down_are_those_of_the_exchange_with_our_closures(tmp_path: Path) -> None:
    file = tmp_path / "calendars.yaml"
    file.write_text(configuration.CALENDARS)
    calendars = Calendars([CALENDAR], closures=read_closures(file), spans=exchange_spans)
    calendars.rebuild(int(BEGINS_S * 1e9))

    for hours in range(0, int(FRIDAY_S - BEGINS_S), 900):
        assert calendars.is_open(CALENDAR, int((BEGINS_S + hours) * 1e9)) is is_open(BEGINS_S + hours)


def test_without_our_closures_the_exchange_would_be_open_on_the_holiday_and_all_of_the_half_day() -> None:
    spans = exchange_spans(CALENDAR, date(2026, 11, 3), date(2026, 11, 6))

    assert spans[0].session == date(2026, 11, 3)
    assert spans[-1].close_ns == int(moment_s("2026-11-06 21:00") * 1e9)


@pytest.mark.parametrize(
    ("opens", "closes"),
    [
        ("2026-10-29 00:00", "2026-10-29 13:30"),
        ("2026-10-31 13:30", "2026-10-31 20:00"),
        ("2026-11-02 13:30", "2026-11-02 14:30"),
        ("2026-11-03 14:30", "2026-11-03 21:00"),
        ("2026-11-06 18:00", "2026-11-06 21:00"),
    ],
)
def test_hours_that_are_open_by_a_mistake_only_last_long_enough_to_page(opens: str, closes: str) -> None:
    assert WEEK.real_s(moment_s(closes)) - WEEK.real_s(moment_s(opens)) >= WATCHED_S
    assert not any(is_open(WEEK.simulated_s(at)) for at in _between(opens, closes))


def test_the_week_is_told_within_its_limit() -> None:
    assert sum(stretch.real_s for stretch in STRETCHES) == WEEK.length_s < 18 * 60


def test_hours_that_are_told_wrongly_are_noticed_and_an_edge_is_forgiven() -> None:
    opens_s = WEEK.real_s(SESSIONS[0].open_s)

    assert wrong_hours(WEEK, [(opens_s - 20, False), (opens_s + 0.5, False), (opens_s + 20, True)]) == []
    assert wrong_hours(WEEK, [(opens_s - 20, True)]) == ["Thu 29 Oct 11:05: New York is said to be open"]


def _between(opens: str, closes: str) -> list[float]:
    begins_s, ends_s = WEEK.real_s(moment_s(opens)), WEEK.real_s(moment_s(closes))
    return [begins_s + 1, (begins_s + ends_s) / 2, ends_s - 1]
