"""The rate budget."""

from hypothesis import given
from hypothesis import strategies as st

from nightdesk.exchanges.budget import WINDOW_S, RateBudget


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
