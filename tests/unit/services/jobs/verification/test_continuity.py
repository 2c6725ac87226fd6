"""Ids by minute tell where a hole is."""

from hypothesis import given
from hypothesis import strategies as st

from services.jobs.backfill.intervals import joined
from services.jobs.verification.continuity import MinuteIds, Neighbours, are_contiguous, begun, edges, near, touched


def minutes_of(ids: list[int], a_minute: int = 5) -> list[MinuteIds]:
    """Ids as they lie when five of them fall into a minute."""
    by_minute: dict[int, list[int]] = {}
    for one in sorted(ids):
        by_minute.setdefault(one // a_minute, []).append(one)
    return [
        MinuteIds(minute=minute, count=len(mine), low=mine[0], high=mine[-1], total=sum(mine))
        for minute, mine in by_minute.items()
    ]


@given(st.sets(st.integers(0, 60), min_size=1))
def test_ids_are_contiguous_when_none_is_missing_between_them(ids: set[int]) -> None:
    assert are_contiguous(minutes_of(list(ids))) == (max(ids) - min(ids) + 1 == len(ids))


@given(st.sets(st.integers(0, 60), min_size=1), st.integers(0, 60))
def test_an_id_stored_twice_is_not_contiguous(ids: set[int], again: int) -> None:
    assert not are_contiguous(minutes_of([*ids, again, again]))


@given(st.sets(st.integers(0, 100), min_size=2), st.data())
def test_the_minute_of_a_missing_id_is_touched(ids: set[int], data: st.DataObject) -> None:
    lost = data.draw(st.sampled_from(sorted(ids)))
    left = minutes_of(sorted(ids - {lost}))

    assert lost // 5 in touched([(lost, lost)], left, 0, 20)


def test_holes_reach_to_the_neighbours_of_a_day() -> None:
    day = minutes_of([10, 11, 12])

    assert edges(day, Neighbours(before=7, after=15)) == [(8, 9), (13, 14)]
    assert edges(day, Neighbours(before=9, after=13)) == []
    assert edges(day, Neighbours(before=None, after=None)) == []
    assert edges([], Neighbours(before=7, after=15)) == [(8, 14)]


def test_a_hole_is_counted_in_the_day_in_which_it_begins() -> None:
    day = minutes_of([10, 11, 20, 21])
    around = Neighbours(before=5, after=30)
    missing = near(joined([(1, 3), (6, 9), (12, 19), (22, 29), (40, 50)]), around)

    assert missing == [(6, 9), (12, 19), (22, 29)]
    assert begun(missing, day) == [(12, 19), (22, 29)]
    assert begun(missing, []) == []
