import itertools

from hypothesis import given
from hypothesis import strategies as st

from services.simulator.runs import Runs


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5))))
def test_runs_hold_what_was_added_and_never_touch(added: list[tuple[int, int]]) -> None:
    runs = Runs()
    for low, more in added:
        runs.add(low, low + more)

    held = runs.as_json()
    assert {one for low, high in held for one in range(low, high + 1)} == {
        one for low, more in added for one in range(low, low + more + 1)
    }
    assert all(high + 1 < low for (_, high), (low, _) in itertools.pairwise(held))
