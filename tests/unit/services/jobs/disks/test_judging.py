"""How full, and until when."""

import os

import pytest

from services.jobs.disks.judging import Level, Limits, days_until_full, growth_bytes_per_day, history, usage

GB = 10**9
DAY_S = 86_400.0


def statvfs(blocks: int, free: int, available: int, inodes: int = 0, inodes_free: int = 0) -> os.statvfs_result:
    return os.statvfs_result((4096, 4096, blocks, free, available, inodes, inodes_free, inodes_free, 0, 255))


def test_what_only_root_may_use_counts_as_df_counts_it() -> None:
    found = usage(statvfs(100, 20, 10, 1000, 250))

    assert (found.size_bytes, found.used_bytes, found.free_bytes) == (409_600, 327_680, 40_960)
    assert found.percent == pytest.approx(88.89)
    assert found.inodes_percent == 75


def test_an_empty_file_system_and_one_that_makes_inodes_as_it_goes_divide_by_nothing() -> None:
    found = usage(statvfs(0, 0, 0))

    assert (found.percent, found.inodes_percent) == (0, 0)


@pytest.mark.parametrize(
    ("percent", "level"), [(79.9, Level.FINE), (80, Level.WARNING), (89.9, Level.WARNING), (90, Level.CRITICAL)]
)
def test_a_threshold_itself_is_too_much(percent: float, level: Level) -> None:
    assert Limits(80, 90).level(percent) is level


def test_growth_is_the_line_through_the_points() -> None:
    points = [(hour * 3600.0, 50 * GB + hour * GB / 24) for hour in range(24)]

    assert growth_bytes_per_day(points) == pytest.approx(GB)
    assert days_until_full(10 * GB, GB) == 10


def test_too_little_history_is_no_trend() -> None:
    assert growth_bytes_per_day([]) is None
    assert growth_bytes_per_day([(0, 1), (DAY_S, 2), (2 * DAY_S, 3)]) is None
    assert growth_bytes_per_day([(minute * 60.0, minute * GB) for minute in range(60)]) is None


@pytest.mark.parametrize("per_day", [None, 0, -GB, 1])
def test_what_does_not_grow_is_never_full(per_day: float | None) -> None:
    assert days_until_full(10 * GB, per_day) is None


def test_results_of_another_form_are_left_out() -> None:
    results = [
        (1.0, {"mounts": {"/": {"used_bytes": 5}}}),
        (2.0, {"mounts": {"/": {"unseen": True}}}),
        (3.0, {"mounts": []}),
        (4.0, {}),
        (5.0, {"mounts": {"/": {"used_bytes": "5"}, "/data": {"used_bytes": 1}}}),
    ]

    assert history(results, "/") == [(1.0, 5.0)]
