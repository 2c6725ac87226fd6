"""Stretches of time, beside sets of whole seconds."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.jobs.facts.spans import Span, common, joined, length_s, without

SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda pair: (float(pair[0]), float(pair[1]))))


def seconds(spans: list[Span]) -> set[int]:
    return {second for begin, end in spans for second in range(int(begin), int(end))}


@given(SPANS)
def test_joined_spans_cover_the_same_and_are_apart(spans: list[Span]) -> None:
    found = joined(spans)

    assert seconds(found) == seconds(spans)
    assert all(before[1] < after[0] for before, after in pairwise(found))
    assert length_s(found) == len(seconds(spans))


@given(SPANS, SPANS)
def test_what_is_common_and_what_is_left_is_that_of_sets(some: list[Span], others: list[Span]) -> None:
    assert seconds(common(some, others)) == seconds(some) & seconds(others)
    assert seconds(without(some, others)) == seconds(some) - seconds(others)
