"""The local book."""

from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.collector.book import Book, BookSide

PRICES = st.sampled_from([0.1, 0.2, 0.3, 1.0, 1.5, 2.0, 99.99])
SIZES = st.sampled_from([0.0, 0.5, 1.0, 7.25])
LEVELS = st.lists(st.tuples(PRICES, SIZES), max_size=12)


def depth(book: Book, levels: int = 10):  # noqa: ANN201
    return book.depth("X", levels, sequence=7, exchange_ns=1, received_ns=2)


@given(sign=st.sampled_from([1, -1]), start=LEVELS, changes=st.lists(LEVELS, max_size=8), count=st.integers(0, 9))
def test_a_side_is_what_a_dict_of_its_levels_is(sign, start, changes, count) -> None:  # noqa: ANN001
    side, known = BookSide(sign), {price: size for price, size in start if size}
    side.replace(start)
    for levels in changes:
        side.apply(levels)
        known |= dict(levels)
    known = {price: size for price, size in known.items() if size}
    best = sorted(known.items(), reverse=sign == 1)[:count]

    assert side.top(count) == [number for level in best for number in level]
    assert len(side) == len(known)


def test_removing_a_level_that_is_not_there_is_nothing() -> None:
    side = BookSide(1)
    side.apply([(1.0, 0.0)])

    assert side.top(5) == []


def test_a_snapshot_forgets_what_was_there() -> None:
    book = Book()
    book.replace([(1.0, 1.0)], [(3.0, 1.0)])
    book.replace([(2.0, 1.0)], [])

    assert depth(book).bids == [2.0, 1.0]
    assert depth(book).asks == []


def test_depth_shows_both_sides_best_first_with_spread() -> None:
    book = Book()
    book.replace([(1.0, 10.0), (2.0, 20.0)], [(4.0, 40.0), (3.0, 30.0)])
    tick = depth(book)

    assert tick.bids == [2.0, 20.0, 1.0, 10.0]
    assert tick.asks == [3.0, 30.0, 4.0, 40.0]
    assert tick.spread == 1.0
    assert (tick.symbol, tick.sequence, tick.exchange_ns, tick.received_ns) == ("X", 7, 1, 2)


@pytest.mark.parametrize("levels", [1, 5, 10])
def test_pressure_is_of_five_levels_however_many_are_shown(levels: int) -> None:
    book = Book()
    book.replace([(10.0 - at, 2.0) for at in range(8)], [(11.0 + at, 1.0) for at in range(8)])
    tick = depth(book, levels)

    assert tick.pressure_ratio == 2.0
    assert len(tick.bids) == 2 * min(levels, 8)


@pytest.mark.parametrize(("bids", "asks"), [([], []), ([(1.0, 1.0)], []), ([], [(1.0, 1.0)])])
def test_an_empty_side_has_neither_spread_nor_pressure(bids, asks) -> None:  # noqa: ANN001
    book = Book()
    book.replace(bids, asks)
    tick = depth(book)

    assert isnan(tick.spread)
    assert isnan(tick.pressure_ratio)


def test_a_crossed_book_is_shown_as_it_is() -> None:
    book = Book()
    book.replace([(5.0, 1.0)], [(4.0, 1.0)])

    assert depth(book).spread == -1.0
