import pytest

from bench.rows.memory import by_service, megabytes, of
from bench.rows.pipeline import peaks
from bench.workbench import MeasurementError, NothingToMeasureError

STATS = """\
nightdesk-bench-7-worker-1 50MiB / 384MiB
nightdesk-bench-7-worker-2 50MiB / 384MiB
nightdesk-bench-7-redis-1 512KiB / 512MiB
nightdesk-redis-1 1GiB / 2GiB
"""


def test_replicas_are_added_up_and_other_desks_left_out() -> None:
    assert by_service(STATS, "nightdesk-bench-7-") == {"worker": 104.8576, "redis": 0.524288}


def test_a_desk_without_containers_is_noticed() -> None:
    with pytest.raises(MeasurementError, match="nightdesk-bench-8"):
        by_service(STATS, "nightdesk-bench-8-")


def test_dockers_units_are_powers_of_two() -> None:
    assert [megabytes(text) for text in ("0B", "1KiB", "1.5MiB", "2GiB")] == [0.0, 0.001024, 1.572864, 2147.483648]


def test_a_service_that_does_not_run_here_is_left_out() -> None:
    with pytest.raises(NothingToMeasureError, match="grafana does not run here"):
        of({"redis": 1.0}, "grafana")


def test_the_highest_sample_counts() -> None:
    samples = iter([1e6, 3e6])
    with peaks({"redis": lambda: next(samples, 2e6)}) as highest:
        pass

    assert highest["redis"] >= 1.0
