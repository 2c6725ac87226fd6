"""The checksum of a set of rows."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nightdesk.ticks import Kind
from services.jobs.archive.checksum import Checksum, checksum
from services.jobs.archive.columns import Lists, Rows, Values, length, select
from tests.unit.services.jobs.archive.rows import KINDS, any_rows, listed, rows


@settings(max_examples=30)
@given(any_rows(), st.randoms(use_true_random=False))
def test_it_is_the_same_in_any_order(given_rows: tuple[Kind, Rows], random: object) -> None:
    _, rows = given_rows
    order = list(range(length(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]

    assert checksum(select(rows, np.array(order))) == checksum(rows)


@settings(max_examples=30)
@given(any_rows(least=2), st.integers(1, 5))
def test_the_sums_of_parts_make_that_of_the_whole(given_rows: tuple[Kind, Rows], cut: int) -> None:
    _, rows = given_rows
    cut = min(cut, length(rows) - 1)
    parts = select(rows, np.arange(cut)), select(rows, np.arange(cut, length(rows)))

    assert checksum(parts[0]) + checksum(parts[1]) == checksum(rows)


@settings(max_examples=30)
@given(st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(rows(kind), rows(kind))))
def test_other_rows_have_another(both: tuple[Rows, Rows]) -> None:
    one, other = both
    same = sorted(map(repr, listed(one))) == sorted(map(repr, listed(other)))

    assert (checksum(one) == checksum(other)) is same


@settings(max_examples=30)
@given(any_rows(), st.data())
def test_one_bit_changes_it(given_rows: tuple[Kind, Rows], data: st.DataObject) -> None:
    _, rows = given_rows
    name = data.draw(st.sampled_from([name for name, column in rows.items() if len(column.numbers)]))
    column = rows[name]
    place = data.draw(st.integers(0, len(column.numbers) - 1))
    if isinstance(column, Values) and column.null is not None:
        assume(not column.null[place])
    changed = column.numbers.copy()
    changed.view(np.uint8)[place * changed.itemsize + data.draw(st.integers(0, changed.itemsize - 1))] ^= (
        1 << data.draw(st.integers(0, 7))
    )
    other = Lists(changed, column.counts) if isinstance(column, Lists) else Values(changed, column.null)

    assert checksum({**rows, name: other}) != checksum(rows)


@settings(max_examples=30)
@given(any_rows())
def test_a_null_is_not_a_zero(given_rows: tuple[Kind, Rows]) -> None:
    _, rows = given_rows
    for name, column in rows.items():
        if isinstance(column, Values) and column.null is not None:
            assert checksum({**rows, name: Values(column.numbers)}) != checksum(rows)


@settings(max_examples=30)
@given(any_rows())
def test_a_row_that_comes_twice_counts_twice(given_rows: tuple[Kind, Rows]) -> None:
    _, rows = given_rows
    twice = select(rows, np.append(np.arange(length(rows)), 0))

    assert checksum(twice).text != checksum(rows).text


@settings(max_examples=30)
@given(any_rows())
def test_what_is_written_down_is_read_again(given_rows: tuple[Kind, Rows]) -> None:
    found = checksum(given_rows[1])

    assert len(found.text) == 32
    assert Checksum.read(found.rows, found.text) == found


def test_it_never_changes_because_it_is_written_down() -> None:
    rows: Rows = {
        "symbol_id": Values(np.array([1, 2], np.int32)),
        "price": Values(np.array([1.5, 0.0]), np.array([False, True])),
        "bids": Lists(np.array([1.0, 2.0]), np.array([2, 0])),
    }

    assert checksum(rows).text == "9c95d157afe0b8224e91d876e8815383"
