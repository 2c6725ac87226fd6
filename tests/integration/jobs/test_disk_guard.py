"""The host's disks, seen from a container."""

import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.databases import RunningRedis
from services.jobs import disk_guard
from services.jobs.runner.job import Desk, FindingError
from tests.conftest import Database
from tests.integration.jobs.conftest import Told

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Desks = Callable[..., Desk]
MOUNTS = "/dev/vda / ext4 rw 0 0\n/dev/vdb /data ext4 rw 0 0\nproc /proc proc rw 0 0\n/dev/vdc /cd ext4 ro 0 0\n"
NOON = datetime(2026, 3, 10, 12, 5, tzinfo=UTC)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    (tmp_path / "host/proc/1").mkdir(parents=True)
    (tmp_path / "host/proc/1/mounts").write_text(MOUNTS)
    return tmp_path / "host"


def full(**percent: float) -> disk_guard.StatVfs:
    """Disks of 1000 blocks and inodes, by the name of their directory; the root is called host."""

    def statvfs(path: str) -> os.statvfs_result:
        free = round(1000 - 10 * percent.get(Path(path).name, 10))
        inodes = round(1000 - 10 * percent.get(f"{Path(path).name}_inodes", 10))
        return os.statvfs_result((4096, 4096, 1000, free, free, 1000, inodes, inodes, 0, 255))

    return statvfs


def guard(desk: Desk, statvfs: disk_guard.StatVfs, **arguments: Any) -> Any:
    return disk_guard.guard(desk, disk_guard.Arguments.model_validate(arguments), statvfs)


def remember(database: Database, result: Any, at: datetime) -> None:
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO runs ("
            " job, scheduled_for, task, origin, chain, state, due_at, grace_s, max_age_s, timeout_s, result)"
            " VALUES ('disk_guard', %(at)s, 'disk_guard', 'schedule', '', 'succeeded', %(at)s, 1, 1, 1, %(result)s)",
            {"at": at, "result": json.dumps(result)},
        )


def test_the_hosts_disks_are_seen_not_the_containers(desk: Desks, host: Path, told: Told) -> None:
    result = guard(desk(host_root=host), full(host=50, data=60))

    assert {point: facts["percent"] for point, facts in result["mounts"].items()} == {"/": 50, "/data": 60}
    assert told.notifications == []
    assert result["database_bytes"] > 0
    json.dumps(result)


def test_a_warning_is_told_once_a_day(desk: Desks, host: Path, told: Told) -> None:
    guard(desk(host_root=host), full(data=85))

    ((level, _, text, fields, key),) = told.notifications
    assert (level, key, fields["mount"]) == ("warning", "disk_guard /data", "/data")
    assert "85.0 % of space used" in text


def test_critical_is_a_finding(desk: Desks, host: Path, told: Told) -> None:
    with pytest.raises(FindingError, match=r"/data: 95\.0 % of space used") as raised:
        guard(desk(host_root=host), full(host=85, data=95))

    assert raised.value.result["mounts"]["/data"]["level"] == "critical"
    assert [one[4] for one in told.notifications] == ["disk_guard /"]


def test_inodes_run_out_as_well(desk: Desks, host: Path) -> None:
    with pytest.raises(FindingError, match=r"/data: 99\.0 % of inodes used"):
        guard(desk(host_root=host), full(data_inodes=99))


def test_a_mount_has_its_own_thresholds_or_is_ignored(desk: Desks, host: Path, told: Told) -> None:
    guard(desk(host_root=host), full(data=94), mounts={"/data": {"warning": 95, "critical": 99}})
    guard(desk(host_root=host), full(data=94), ignore=["/data"])

    assert told.notifications == []


def test_thresholds_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValueError, match="warning is above critical"):
        disk_guard.Arguments.model_validate({"mounts": {"/data": {"warning": 95}}})


def test_a_disk_that_fills_up_quickly_is_told_of_before_it_is_full(
    database: Database, desk: Desks, host: Path, told: Told
) -> None:
    for hour in range(8):
        result = guard(desk(host_root=host), full(host=30 + hour))
        remember(database, result, NOON - timedelta(hours=8 - hour))

    result = guard(desk(host_root=host, scheduled_for=NOON), full(host=38))

    assert result["mounts"]["/"]["days_until_full"] == pytest.approx(62 / 24, abs=0.1)
    assert "full in 2.6 days" in told.notifications[-1][2]
    assert result["mounts"]["/data"]["days_until_full"] is None


def test_a_disk_that_has_become_read_only_is_critical(database: Database, desk: Desks, host: Path) -> None:
    remember(database, guard(desk(host_root=host), full()), NOON - timedelta(hours=1))
    (host / "proc/1/mounts").write_text(MOUNTS.replace("/data ext4 rw", "/data ext4 ro"))

    with pytest.raises(FindingError, match="/data: has become read-only"):
        guard(desk(host_root=host, scheduled_for=NOON), full())


def test_a_file_system_that_never_answers_holds_up_nobody(
    desk: Desks, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_guard, "PATIENCE_S", 0.2)
    ended = threading.Event()

    def statvfs(path: str) -> os.statvfs_result:
        if path.endswith("/data"):
            ended.wait(20)
        return full()(path)

    with pytest.raises(FindingError, match="/data: does not answer"):
        guard(desk(host_root=host), statvfs)
    ended.set()


def test_where_only_root_may_go_is_said_and_wakes_nobody(desk: Desks, host: Path, told: Told) -> None:
    def statvfs(path: str) -> os.statvfs_result:
        if path.endswith("/data"):
            raise PermissionError(13, "Permission denied")
        return full()(path)

    result = guard(desk(host_root=host), statvfs)

    assert result["mounts"]["/data"]["problems"] == ["cannot be looked at: Permission denied"]
    assert told.notifications == []


def test_a_mount_that_has_not_reached_the_container_is_not_taken_for_the_disk_below(desk: Desks, host: Path) -> None:
    def statvfs(path: str) -> os.statvfs_result:
        return os.statvfs_result((*full()(path), 77))

    result = guard(desk(host_root=host), statvfs)

    assert result["mounts"]["/"]["percent"] == 10
    assert "mounted after" in result["mounts"]["/data"]["problems"][0]


def test_no_disk_at_all_is_a_finding(desk: Desks, tmp_path: Path) -> None:
    with pytest.raises(FindingError, match="no disk is to be seen"):
        guard(desk(host_root=tmp_path), full())


def test_redis_is_a_place_that_fills_up_too(desk: Desks, host: Path, redis_server: RunningRedis, redis: Any) -> None:
    redis.config_set("maxmemory", redis.info("memory")["used_memory"] + 1000)
    try:
        with pytest.raises(FindingError, match=r"redis: \d+\.\d % of memory used"):
            guard(desk(host_root=host, redis_url=redis_server.url), full())
    finally:
        redis.config_set("maxmemory", 0)


def test_a_redis_that_is_away_is_for_others_to_tell(desk: Desks, host: Path) -> None:
    result = guard(desk(host_root=host, redis_url="redis://127.0.0.1:1/0"), full())

    assert result["redis"]["level"] == "fine"


def test_the_disks_of_this_machine_are_seen(desk: Desks) -> None:
    arguments = disk_guard.Arguments(warning=100, critical=100, warning_days=0)

    result = disk_guard.run(desk(), arguments)

    assert result["mounts"]["/"]["size_bytes"] == os.statvfs("/").f_blocks * os.statvfs("/").f_frsize
