import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.book import Book, Diff, Ladder, Window

CHANGES = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 9)), max_size=60)


def a_book() -> Book:
    return Book(bids={10: 5, 9: 7}, asks={12: 3, 14: 4}, first_id=100)


def applied(levels: dict[int, int], changes: list[tuple[int, int]]) -> dict[int, int]:
    return {price: size for price, size in (levels | dict(changes)).items() if size}


def test_a_take_is_filled_up_to_what_the_level_holds() -> None:
    ladder = Ladder(-1, {12: 3, 14: 4})

    assert ladder.take(2) == (12, 2)
    assert ladder.take(5) == (12, 1)
    assert ladder.best == 14


def test_the_last_level_of_a_side_is_never_removed() -> None:
    ladder = Ladder(+1, {10: 5})

    with pytest.raises(ValueError, match="last of its side"):
        ladder.put(10, 0)


def test_every_change_has_the_next_number() -> None:
    book = a_book()
    book.bids.put(10, 6)
    book.asks.take(1)

    assert book.last_id == 102


def test_a_snapshot_has_the_best_first() -> None:
    snapshot = a_book().snapshot(5)

    assert snapshot.bids == [(10, 5), (9, 7)]
    assert snapshot.asks == [(12, 3), (14, 4)]


def test_a_window_without_changes_says_nothing() -> None:
    assert Window(a_book()).take() is None


def test_a_diff_names_a_removed_level_with_size_zero() -> None:
    book = a_book()
    window = Window(book)
    book.bids.put(10, 0)
    window.note(book.bids.changed, book.asks.changed)

    assert window.take() == Diff(101, 101, [(10, 0)], [])


@given(changes=CHANGES, bidding=st.booleans())
def test_best_is_always_the_best_of_the_levels(changes: list[tuple[int, int]], bidding: bool) -> None:
    ladder = Ladder(1 if bidding else -1, {15: 1})
    for price, size in changes:
        if size or ladder.levels.keys() != {price}:
            ladder.put(price, size)

    assert ladder.best == (max if bidding else min)(ladder.levels)


@given(first=CHANGES, second=CHANGES)
def test_a_snapshot_and_its_diffs_give_the_later_snapshot(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    book = Book(bids={1000: 1}, asks={2000: 1})
    window = Window(book)
    levels, last_id = dict(book.bids.levels), book.last_id
    for changes in (first, second):
        for price, size in changes:
            book.bids.put(price, size)
        window.note(book.bids.changed, book.asks.changed)
        book.bids.changed.clear()
        diff = window.take()
        if diff is not None:
            assert diff.first_id == last_id + 1
            levels, last_id = applied(levels, diff.bids), diff.last_id

    assert levels == book.bids.levels
    assert last_id == book.last_id
