"""What every service says of its process, its container and its machine."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from nightdesk.metrics import ContainerCollector, HostCollector, launched_by, service_registry

MEMINFO = """MemTotal:        4096 kB
MemFree:          100 kB
MemAvailable:    1024 kB
HugePages_Total:    0
"""


def figures(collector: Collector) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(collector)
    return {
        "/".join([sample.name.removeprefix("nightdesk_"), *sample.labels.values()]): sample.value
        for metric in registry.collect()
        for sample in metric.samples
    }


def cgroup(root: Path, **files: str) -> Collector:
    for name, text in files.items():
        (root / name.replace("_", ".", 1)).write_text(text)
    return ContainerCollector(root)


def test_a_service_says_since_when_it_runs_and_who_launched_it() -> None:
    (metric,) = [one for one in service_registry("desk").collect() if one.name == "nightdesk_started_timestamp_seconds"]
    (sample,) = metric.samples

    assert set(sample.labels) == {"launched_by"}
    assert sample.value > 0


@pytest.mark.parametrize(
    ("hostname", "parent", "program", "launcher"),
    [("3f2a", 0, "", "3f2a/0"), ("desk", 812, "worker-1", "desk/812/worker-1")],
)
def test_a_launch_is_a_container_or_a_program_of_one_supervisor(
    hostname: str, parent: int, program: str, launcher: str
) -> None:
    assert launched_by(hostname, parent, program) == launcher


def test_cached_files_that_nobody_reads_are_no_memory_in_use(tmp_path: Path) -> None:
    container = cgroup(
        tmp_path, memory_current="1000\n", memory_stat="anon 300\ninactive_file 400\n", memory_max="5000\n"
    )

    assert figures(container) == {"memory_used_bytes": 600, "memory_limit_bytes": 5000}


def test_a_container_without_a_limit_tells_none(tmp_path: Path) -> None:
    container = cgroup(tmp_path, memory_current="1000\n", memory_stat="anon 300\n", memory_max="max\n")

    assert figures(container) == {"memory_used_bytes": 1000}


@pytest.mark.parametrize("files", [{}, {"memory_current": "x", "memory_stat": "", "memory_max": "max"}])
def test_outside_of_a_container_its_memory_is_left_out(tmp_path: Path, files: Mapping[str, str]) -> None:
    assert figures(cgroup(tmp_path, **files)) == {}


def test_the_machine_tells_its_disks_by_volume_and_its_memory(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text(MEMINFO)
    found = figures(HostCollector({"spool": tmp_path}, proc=tmp_path))

    assert found["host_memory_available_bytes"] == 1024 * 1024
    assert found["host_memory_total_bytes"] == 4096 * 1024
    assert 0 <= found["disk_free_bytes/spool"] < found["disk_size_bytes/spool"]


def test_what_cannot_be_read_of_the_machine_is_left_out(tmp_path: Path) -> None:
    assert figures(HostCollector({"spool": tmp_path / "gone"}, proc=tmp_path / "gone")) == {}
