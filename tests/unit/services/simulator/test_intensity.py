import pytest

from services.simulator.intensity import ROUND_S, flat, u_shaped


def test_the_opening_is_the_busiest_moment() -> None:
    shape = [u_shaped(second) for second in range(int(ROUND_S))]

    assert max(shape) == shape[0] > 3
    assert shape[-1] > 1.5 > min(shape)


def test_the_shape_keeps_the_mean_rate() -> None:
    mean = sum(u_shaped(tenth / 10) for tenth in range(int(ROUND_S * 10))) / (ROUND_S * 10)

    assert mean == pytest.approx(1.0, abs=0.01)
    assert flat(12.0) == 1.0
