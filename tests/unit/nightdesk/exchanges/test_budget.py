"""The rate budget, and what ``Retry-After`` says."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightdesk.exchanges.budget import MAX_WAIT_S, WINDOW_S, RateBudget, retry_after_s

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def test_the_first_calls_of_a_minute_wait_for_nothing() -> None:
    budget = RateBudget(weight_per_minute=6000, now_s=0.0)

    assert [budget.spend(50, now_s=0.0) for _ in range(60)] == [0.0] * 60


def test_what_is_over_the_burst_waits_its_turn() -> None:
    budget = RateBudget(weight_per_minute=120, now_s=0.0)
    budget.spend(60, now_s=0.0)

    assert budget.spend(1, now_s=0.0) == 1.0
    assert budget.spend(1, now_s=0.0) == 2.0
    assert budget.spend(1, now_s=3.0) == 0.0


@given(calls=st.lists(st.tuples(st.floats(0, 20), st.integers(1, 40)), max_size=60))
def test_no_minute_spends_more_than_is_allowed(calls: list[tuple[float, int]]) -> None:
    budget, now_s, spent = RateBudget(weight_per_minute=100, now_s=0.0), 0.0, []
    for after_s, weight in calls:
        now_s += after_s
        spent.append((now_s + budget.spend(weight, now_s), weight))

    for begin_s, _ in spent:
        assert sum(weight for at_s, weight in spent if begin_s <= at_s < begin_s + WINDOW_S - 1e-6) <= 100 + 1e-6


def test_a_closed_host_is_not_asked_until_it_opens() -> None:
    budget = RateBudget(weight_per_minute=6000, now_s=0.0)
    budget.close(30.0, now_s=10.0)
    budget.close(5.0, now_s=10.0)

    assert budget.spend(1, now_s=10.0) == 30.0
    assert budget.spend(1, now_s=40.0) == 0.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 0.5 ", 0.5),
        ("-3", 0.0),
        ("Sun, 01 Mar 2026 12:01:30 GMT", 90.0),
        ("Sun, 01 Mar 2026 11:59:00 GMT", 0.0),
        ("Sun, 01 Mar 2026 12:01:30 -0000", 90.0),
        ("1e9", MAX_WAIT_S),
        ("nan", 60.0),
        ("soon", 60.0),
        ("", 60.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_anything_else_the_default(text: str, seconds: float) -> None:
    assert retry_after_s({"Retry-After": text}, NOW, default_s=60.0) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_is_a_surprise(text: str) -> None:
    assert 0.0 <= retry_after_s({"Retry-After": text}, NOW, default_s=60.0) <= MAX_WAIT_S
