"""Intervals say what sets of ids say."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from nightdesk.admission import Interval
from services.jobs.backfill.intervals import holds, joined, left_out, size, within, without

IDS = st.sets(st.integers(0, 60), max_size=40)
BOUNDS = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: (min(pair), max(pair)))


def intervals(ids: set[int]) -> list[Interval]:
    return joined((one, one) for one in ids)


def members(found: list[Interval]) -> set[int]:
    assert all(low <= high for low, high in found)
    assert all(one[1] < later[0] for one, later in pairwise(found))
    return {one for low, high in found for one in range(low, high + 1)}


@given(ids=IDS)
def test_a_set_survives_becoming_intervals(ids: set[int]) -> None:
    assert members(intervals(ids)) == ids
    assert size(intervals(ids)) == len(ids)


@given(ids=IDS, bounds=BOUNDS)
def test_parts_are_what_sets_say(ids: set[int], bounds: Interval) -> None:
    inside = set(range(bounds[0], bounds[1] + 1))

    assert members(without(intervals(ids), bounds)) == ids - inside
    assert members(within(intervals(ids), bounds)) == ids & inside


@given(ids=IDS, present=IDS)
def test_what_is_left_out_is_the_difference(ids: set[int], present: set[int]) -> None:
    assert members(left_out(intervals(ids), sorted(present))) == ids - present


@given(ids=IDS, one=st.integers(-1, 61))
def test_an_id_is_held_or_not(ids: set[int], one: int) -> None:
    assert holds(intervals(ids), one) == (one in ids)
