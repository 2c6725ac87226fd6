"""How fast a channel may be used: a few at once, then so many a minute, and never within a pause it asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerter.delivery.bucket import BURST, Bucket


def test_a_few_may_go_at_once_and_then_each_waits_for_its_turn() -> None:
    bucket = Bucket(per_minute=30)

    assert [bucket.spend(100.0) for _ in range(6)] == [0, 0, 0, 2, 4, 6]


def test_it_refills_while_nothing_is_sent_but_to_no_more_than_that() -> None:
    bucket = Bucket(per_minute=30)
    for _ in range(3):
        bucket.spend(100.0)

    assert bucket.spend(102.0) == 0
    assert [bucket.spend(90_000.0) for _ in range(4)] == [0, 0, 0, 2]


def test_nothing_passes_within_a_pause() -> None:
    bucket = Bucket(per_minute=30)
    bucket.close(20.0, 100.0)

    assert bucket.spend(105.0) == 15.0
    assert bucket.spend(120.0) == 0


def test_of_two_pauses_the_longer_counts() -> None:
    bucket = Bucket(per_minute=30)
    bucket.close(20.0, 100.0)
    bucket.close(5.0, 101.0)

    assert bucket.spend(101.0) == 19.0


def test_a_pause_shorter_than_its_turn_changes_nothing() -> None:
    bucket = Bucket(per_minute=1)
    for _ in range(3):
        bucket.spend(100.0)
    bucket.close(5.0, 100.0)

    assert bucket.spend(100.0) == 60.0


@given(st.floats(0.5, 600), st.lists(st.floats(0, 30), min_size=1, max_size=60))
def test_in_no_time_pass_more_than_the_rate_and_the_burst(per_minute: float, pauses: list[float]) -> None:
    bucket, now_s, sent = Bucket(per_minute=per_minute), 0.0, list[float]()
    for pause_s in pauses:
        now_s += pause_s + bucket.spend(now_s + pause_s)
        sent.append(now_s)

    for first, begin_s in enumerate(sent):
        for count, end_s in enumerate(sent[first:], start=1):
            assert count <= BURST + (end_s - begin_s) * per_minute / 60 + 1e-6


@pytest.mark.parametrize("per_minute", [0.1, 600])
def test_the_first_goes_at_once_however_slow_it_is(per_minute: float) -> None:
    assert Bucket(per_minute=per_minute).spend(0.0) == 0
