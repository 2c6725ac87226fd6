"""Which days are archived."""

from datetime import date, timedelta

import pytest

from nightdesk.ticks import Kind
from services.jobs.archive.planning import TableDay, kept_days, plan

TODAY = date(2026, 3, 20)


def day(age: int, kind: Kind = Kind.TRADE) -> TableDay:
    return TableDay(TODAY - timedelta(days=age), kind)


@pytest.mark.parametrize(
    ("asked", "retention", "kept"), [(None, 30, 7), (None, 3, 3), (None, 0, None), (12, 0, 12), (12, 5, 12)]
)
def test_a_week_is_kept_unless_somebody_says_otherwise(asked: int | None, retention: int, kept: int | None) -> None:
    assert kept_days(asked, retention) == kept


def test_the_last_days_stay_and_the_oldest_goes_first() -> None:
    chosen = plan([day(age) for age in (0, 1, 7, 8, 9, -3)], today=TODAY, keep_days=7)

    assert chosen.due == (day(9), day(8))


def test_a_gap_holds_up_its_own_table_until_it_is_old() -> None:
    partitions = [day(8), day(8, Kind.QUOTE), day(15)]
    chosen = plan(partitions, today=TODAY, keep_days=7, gaps={day(8), day(15)}, max_wait_days=14)

    assert chosen.due == (day(15), day(8, Kind.QUOTE))
    assert chosen.waiting == (day(8),)


def test_a_restored_day_stays() -> None:
    chosen = plan([day(8), day(9)], today=TODAY, keep_days=7, restored={day(9)}, gaps={day(9)}, max_wait_days=14)

    assert (chosen.due, chosen.waiting, chosen.restored) == ((day(8),), (), (day(9),))
