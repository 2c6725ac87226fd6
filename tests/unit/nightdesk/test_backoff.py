"""Waiting times grow, are capped, spread and never end."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from nightdesk.backoff import delays_s


def test_the_longest_delays_double_up_to_the_cap() -> None:
    assert list(islice(delays_s(base_s=1, cap_s=10, random=lambda: 1.0), 6)) == [1, 2, 4, 8, 10, 10]


@given(st.floats(0, 1), st.integers(0, 200))
def test_a_delay_is_at_least_half_and_at_most_the_cap(chance: float, attempt: int) -> None:
    delay_s = next(islice(delays_s(base_s=1, cap_s=60, random=lambda: chance), attempt, None))

    assert min(60, 2**attempt) / 2 <= delay_s <= 60
