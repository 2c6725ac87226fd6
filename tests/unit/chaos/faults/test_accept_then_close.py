"""Waits that do not grow are found."""

from tests.chaos.faults.accept_then_close import hammering


def test_waits_that_double_are_right() -> None:
    assert hammering([0.0, 0.5, 1.5, 3.5, 7.5]) == []
    assert hammering([0.0, 1.0, 3.0, 7.0, 15.0]) == []


def test_a_wait_that_is_shorter_than_due_is_found() -> None:
    assert hammering([0.0, 0.7, 1.4]) == ["wait 2 was 0.70 s, at least 1 s is due"]
    assert hammering([0.0, 0.1]) == ["wait 1 was 0.10 s, at least 0.5 s is due"]
