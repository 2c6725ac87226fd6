import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.history import History, Prints, aggregates


def prints(first_id: int, count: int) -> Prints:
    ids = range(first_id, first_id + count)
    return Prints(
        first_id, [100] * count, [1] * count, [False] * count, [1000 + i for i in ids], [10 + i // 2 for i in ids]
    )


def test_what_was_added_is_found() -> None:
    history = History(first_id=5, capacity=100)
    history.add(prints(5, 10))

    assert [t.trade_id for t in history.slice(7, 3)] == [7, 8, 9]


def test_the_oldest_trades_are_forgotten() -> None:
    history = History(first_id=0, capacity=10)
    history.add(prints(0, 8))
    history.add(prints(8, 7))

    assert history.first_id == 5
    assert list(history.slice(0, 100)) == list(prints(5, 10))


def test_a_run_longer_than_the_history_leaves_its_end() -> None:
    history = History(first_id=0, capacity=10)
    history.add(prints(0, 25))

    assert list(history.slice(0, 100)) == list(prints(15, 10))


def test_a_hole_in_the_history_is_refused() -> None:
    with pytest.raises(ValueError, match="does not follow"):
        History(first_id=0, capacity=10).add(prints(3, 1))


def test_ids_are_found_by_time() -> None:
    history = History(first_id=0, capacity=10)
    history.add(prints(0, 25))

    assert history.id_at_time(1017) == 17
    assert history.id_at_time(0) == 15
    assert history.id_at_time(9999) == 25


def test_aggregates_sum_their_trades() -> None:
    first, *_ = aggregates(prints(4, 4))

    assert (first.agg_id, first.first_id, first.last_id, first.size) == (12, 4, 5, 2)


@given(runs=st.lists(st.integers(0, 30), max_size=12), capacity=st.integers(1, 40))
def test_a_history_is_the_end_of_everything_added(runs: list[int], capacity: int) -> None:
    history = History(first_id=7, capacity=capacity)
    everything = []
    for count in runs:
        run = prints(history.next_id, count)
        history.add(run)
        everything += list(run)

    assert list(history.slice(0, 10_000)) == everything[-capacity:]
