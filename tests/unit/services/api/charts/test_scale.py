"""Scales and their ticks."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from services.api.charts.scale import Scale, nice_step, path, span_of, ticks, time_ticks, written

DAY = datetime(2026, 11, 19, tzinfo=UTC)


def test_a_scale_leads_from_values_to_pixels() -> None:
    scale = Scale(10, 20, 100, 0)

    assert (scale(10), scale(15), scale(20)) == (100, 50, 0)
    assert Scale(5, 5, 0, 10)(5) == 5


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (64_010, 64_990, [64_200, 64_400, 64_600, 64_800]),
        (0, 0, [0]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (0.00012, 0.00018, [0.00012, 0.00014, 0.00016, 0.00018]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


@given(some.floats(1e-9, 1e12), some.integers(1, 10))
def test_a_step_never_makes_too_many_parts(span: float, most: int) -> None:
    step = nice_step(span, most)

    assert span / step <= most * (1 + 1e-6)
    assert round(step / 10 ** math.floor(math.log10(step) + 1e-9)) in {1, 2, 5}


@given(some.floats(allow_nan=False, allow_infinity=False), some.floats(allow_nan=False, allow_infinity=False))
@example(-1.7e308, 1.7e308)
@example(1e300, math.nextafter(1e300, math.inf))
def test_ticks_are_few_whatever_they_are_asked_for(low: float, high: float) -> None:
    assert len(ticks(low, high)) <= 12


def test_moments_are_full_hours_or_days() -> None:
    assert time_ticks(DAY, DAY + timedelta(days=1)) == [DAY + timedelta(hours=4 * 0 + 6 * n) for n in range(5)]
    weeks = time_ticks(DAY, DAY + timedelta(days=90))
    assert len(weeks) <= 7
    assert all(one.weekday() == 0 for one in weeks)
    assert weeks[0] >= DAY


def test_numbers_are_short() -> None:
    texts = [written(value) for value in (0, 12, 0.1234567, 64_123.5, 1_234_567, 250_000, 2.5e9)]
    assert texts == ["0", "12", "0.123457", "64,123.5", "1.235M", "250k", "2.5G"]


def test_a_span_has_room_even_without_a_difference() -> None:
    assert span_of([]) == (0, 1)
    assert span_of([100, 100]) == (99, 101)
    assert span_of([0, math.nan]) == (-1, 1)


def test_a_path_goes_through_its_points() -> None:
    assert path([(1, 2), (3, 4.5)]) == "M1,2L3,4.5"
    assert path([]) == ""
