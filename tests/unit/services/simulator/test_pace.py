import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.pace import Due, multiples_between, steps


@given(spans=st.lists(st.integers(0, 1000), max_size=50), per_s=st.integers(0, 5000))
def test_nothing_due_is_lost_between_steps(spans: list[int], per_s: int) -> None:
    due = Due()

    assert sum(due.take(per_s, span) for span in spans) == pytest.approx(per_s * sum(spans) / 1000, abs=1.001)


@given(begin=st.integers(0, 200_000), length=st.integers(0, 200_000), longest=st.integers(100, 90_000))
def test_steps_cover_the_time_without_crossing_a_minute(begin: int, length: int, longest: int) -> None:
    spans = list(steps(begin, begin + length, longest))

    assert sum(end - start for start, end in spans) == length
    assert all(0 < end - start <= longest for start, end in spans)
    assert all(start // 60_000 == (end - 1) // 60_000 for start, end in spans)


def test_a_multiple_belongs_to_the_step_that_ends_on_it() -> None:
    assert multiples_between(90, 100, 100)
    assert not multiples_between(100, 110, 100)
