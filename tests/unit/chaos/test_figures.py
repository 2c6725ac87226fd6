"""Figures are read from what a service exposes."""

from tests.chaos.figures import total

TEXT = """\
# HELP conflated_total Left out.
# TYPE conflated_total counter
conflated_total{feed="a",kind="quote"} 3.0
conflated_total{feed="a",kind="depth"} 4.0
conflated_created{feed="a",kind="depth"} 1.7e9
"""


def test_a_metric_is_summed_over_replicas_and_over_labels_that_are_not_given() -> None:
    assert total([TEXT, TEXT], "conflated_total", kind="quote") == 6.0
    assert total([TEXT], "conflated_total") == 7.0


def test_what_nobody_exposes_is_nothing() -> None:
    assert total([TEXT], "other_total") == 0.0
    assert total([], "conflated_total") == 0.0
