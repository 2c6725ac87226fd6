"""Sets of ids as intervals."""

from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.ids import Ids, above, common, ids_of, number_of, readable, without

small_sets = st.sets(st.integers(0, 30))


def from_set(numbers: set[int]) -> Ids:
    return ids_of((one, one) for one in numbers)


def to_set(ids: Ids) -> set[int]:
    return {one for low, high in ids for one in range(low, high + 1)}


def test_touching_and_overlapping_intervals_become_one() -> None:
    assert ids_of([(5, 6), (1, 2), (3, 4), (9, 8), (10, 12), (11, 11)]) == ((1, 6), (10, 12))


@given(small_sets, small_sets)
def test_interval_sets_do_what_sets_do(one: set[int], other: set[int]) -> None:
    ours, theirs = from_set(one), from_set(other)

    assert to_set(ours) == one
    assert number_of(ours) == len(one)
    assert common(ours, theirs) == from_set(one & other)
    assert without(ours, theirs) == from_set(one - other)


@given(small_sets, st.integers(-1, 31))
def test_only_what_is_greater_than_the_floor_is_above_it(numbers: set[int], floor: int) -> None:
    assert to_set(above(from_set(numbers), floor)) == {one for one in numbers if one > floor}


def test_a_set_in_words_names_its_first_runs_and_counts_the_rest() -> None:
    assert readable(((7, 7),)) == "7 (1 id)"
    assert readable(((1, 2), (5, 5), (8, 9)), shown=2) == "1-2, 5 and 1 more runs (5 ids)"
