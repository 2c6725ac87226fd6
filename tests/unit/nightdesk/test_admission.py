"""Admission against a model that takes one id at a time and keeps plain sets."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nightdesk.admission import Interval, OpenGaps, admit, admit_rising
from nightdesk.ticks import NO_ID

ids = st.lists(st.one_of(st.integers(100, 160), st.integers(0, 10**12), st.just(NO_ID)), max_size=40)
announcements = st.lists(st.tuples(st.integers(100, 160), st.integers(0, 20)), max_size=2)


@dataclass
class Model:
    """The rule as it is written, one id after the other."""

    mark: int | None = None
    missing: list[range] = field(default_factory=list)
    stored: list[int] = field(default_factory=list)
    duplicates: int = 0

    def take(self, tick_id: int) -> None:
        if tick_id == NO_ID:
            self.stored.append(tick_id)
        elif self.mark is None or tick_id > self.mark:
            if self.mark is not None and tick_id > self.mark + 1:
                self.missing.append(range(self.mark + 1, tick_id))
            self.mark = tick_id
            self.stored.append(tick_id)
        elif any(tick_id in one for one in self.missing):
            self.missing = [part for one in self.missing for part in _without(one, tick_id)]
            self.stored.append(tick_id)
        else:
            self.duplicates += 1


def _without(one: range, tick_id: int) -> list[range]:
    if tick_id not in one:
        return [one]
    return [part for part in (range(one.start, tick_id), range(tick_id + 1, one.stop)) if part]


@dataclass
class Ledger:
    """What the store keeps between batches."""

    mark: int | None = None
    gaps: dict[int, tuple[Interval, ...]] = field(default_factory=dict)
    stored: list[int] = field(default_factory=list)
    duplicates: int = 0

    def take(self, batch: list[int], announced: list[Interval] | None = None) -> None:
        intervals = [(gap, low, high) for gap, left in self.gaps.items() for low, high in left]
        array = np.array(batch, dtype=np.int64)
        done = admit(array, self.mark, OpenGaps.of(intervals), announced or [])
        self.mark = done.mark
        self.stored += array[done.admitted].tolist()
        self.duplicates += done.duplicates
        self.gaps |= done.shrunken
        for interval in done.opened:
            self.gaps[len(self.gaps)] = (interval,)

    def missing(self) -> list[Interval]:
        return sorted(interval for left in self.gaps.values() for interval in left)


@given(st.lists(ids, max_size=6))
def test_any_batching_gives_what_one_at_a_time_gives(batches: list[list[int]]) -> None:
    model, ledger = Model(), Ledger()
    for batch in batches:
        ledger.take(batch)
        for tick_id in batch:
            model.take(tick_id)

    assert sorted(ledger.stored) == sorted(model.stored)
    assert ledger.mark == model.mark
    assert ledger.duplicates == model.duplicates
    assert covered(ledger.missing()) == covered([(one.start, one.stop - 1) for one in model.missing])


def covered(intervals: list[Interval]) -> list[Interval]:
    """The same ids as the fewest intervals: where one hole was opened in two batches does not matter."""
    merged: list[Interval] = []
    for low, high in sorted(intervals):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


@given(st.lists(st.tuples(st.lists(st.integers(100, 160), max_size=20), announcements), max_size=6))
def test_stored_and_missing_are_disjoint_and_together_everything(
    turns: list[tuple[list[int], list[tuple[int, int]]]],
) -> None:
    ledger = Ledger()
    for batch, announced in turns:
        ledger.take(batch, [(low, low + more) for low, more in announced])

    missing = {tick_id for low, high in ledger.missing() for tick_id in range(low, high + 1)}
    assert len(ledger.stored) == len(set(ledger.stored))
    assert not missing & set(ledger.stored)
    if ledger.mark is not None and (known := missing | set(ledger.stored)):
        assert known == set(range(min(known), ledger.mark + 1))


@given(st.lists(st.lists(st.integers(-1, 50), max_size=20), max_size=5))
def test_a_rising_sequence_admits_what_is_above_all_before_it(batches: list[list[int]]) -> None:
    mark: int | None = None
    highest = NO_ID
    for batch in batches:
        expected = []
        for number in batch:
            expected.append(number == NO_ID or number > highest)
            highest = max(highest, number)
        done = admit_rising(np.array(batch, dtype=np.int64), mark)
        mark = done.mark
        assert done.admitted.tolist() == expected
        assert done.duplicates == expected.count(False)
    assert mark == (highest if highest > NO_ID else None)


def test_the_first_id_ever_sets_the_mark_and_opens_no_gap() -> None:
    done = admit(np.array([500, 501]), None)

    assert (done.mark, done.opened, done.admitted.tolist()) == (501, (), [True, True])


def test_a_jump_opens_a_gap_of_exactly_the_ids_jumped_over() -> None:
    assert admit(np.array([11, 15]), 10).opened == ((12, 14),)


def test_a_hole_filled_in_its_own_batch_was_never_one() -> None:
    done = admit(np.array([13, 12, 11]), 10)

    assert (done.opened, done.mark, done.duplicates) == ((), 13, 0)


def test_a_late_id_splits_the_gap_it_falls_into() -> None:
    done = admit(np.array([15]), 20, OpenGaps.of([(7, 11, 19)]))

    assert done.shrunken == {7: ((11, 14), (16, 19))}
    assert done.admitted.all()


def test_the_last_late_id_fills_the_gap() -> None:
    assert admit(np.array([11, 12]), 12, OpenGaps.of([(7, 11, 12)])).shrunken == {7: ()}


def test_what_is_announced_and_does_not_come_is_missing() -> None:
    done = admit(np.array([11, 13]), 10, announced=[(NO_ID, 15)])

    assert (done.mark, done.opened) == (15, ((12, 12), (14, 15)))


def test_an_announcement_before_anything_was_seen_says_where_it_begins_or_nothing() -> None:
    nothing = np.empty(0, dtype=np.int64)

    assert admit(nothing, None, announced=[(NO_ID, 15)]).mark is None
    assert admit(nothing, None, announced=[(14, 15)]).opened == ((14, 15),)
