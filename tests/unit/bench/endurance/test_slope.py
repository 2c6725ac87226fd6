import numpy as np
import pytest

from bench.endurance.slope import level, slope

TIMES_S = np.arange(0.0, 600.0, 2.0)


def test_a_line_is_found_exactly() -> None:
    found = slope(TIMES_S.tolist(), (50.0 + 12.0 * TIMES_S / 3600).tolist())

    assert found.per_hour == pytest.approx(12.0)
    assert found.give_or_take == pytest.approx(0.0, abs=1e-6)


def test_what_stands_still_has_no_slope_and_no_doubt() -> None:
    found = slope(TIMES_S.tolist(), [50.0] * len(TIMES_S))

    assert found.per_hour == pytest.approx(0.0, abs=1e-9)
    assert found.give_or_take == pytest.approx(0.0, abs=1e-9)


def test_a_leak_under_noise_is_found_and_the_truth_lies_within_the_interval() -> None:
    noise = np.random.default_rng(7).normal(0, 0.5, len(TIMES_S))

    found = slope(TIMES_S.tolist(), (50.0 + 30.0 * TIMES_S / 3600 + noise).tolist())

    assert abs(found.per_hour - 30.0) <= found.give_or_take
    assert found.per_hour - found.give_or_take > 20.0


def test_steps_leave_more_doubt_than_noise_of_the_same_size() -> None:
    noise = np.random.default_rng(7).choice([-0.5, 0.5], len(TIMES_S))
    steps = np.where(TIMES_S // 100 % 2, 0.5, -0.5)

    assert (
        slope(TIMES_S.tolist(), steps.tolist()).give_or_take > 3 * slope(TIMES_S.tolist(), noise.tolist()).give_or_take
    )


def test_a_few_samples_are_no_series() -> None:
    with pytest.raises(ValueError, match="9 samples"):
        slope([0.0] * 9, [0.0] * 9)


def test_steps_are_told_apart_from_what_creeps() -> None:
    values = [50.0, 50.1, 52.1, 52.2, 51.0, 51.1]

    between, steps = level(values)

    assert steps == pytest.approx([2.0, -1.2])
    assert between == pytest.approx([50.0, 50.1, 50.1, 50.2, 50.2, 50.3])
