"""Which days are stored."""

from datetime import UTC, date, datetime

from nightdesk.store.days import DAY_NS, bounds_ns, days_around

NOON_NS = int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp()) * 10**9


def test_the_retention_counts_whole_days_back_from_today() -> None:
    low_ns, high_ns = bounds_ns(NOON_NS, 2)

    assert datetime.fromtimestamp(low_ns / 1e9, tz=UTC) == datetime(2026, 3, 8, tzinfo=UTC)
    assert high_ns == NOON_NS + DAY_NS


def test_no_retention_means_all_of_the_past() -> None:
    assert bounds_ns(NOON_NS, 0)[0] == 0


def test_days_are_made_from_yesterday_to_three_ahead() -> None:
    assert days_around(NOON_NS) == [date(2026, 3, day) for day in range(9, 14)]
