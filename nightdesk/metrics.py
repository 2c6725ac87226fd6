"""The metrics every service has; each service declares its own beside its code."""

import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Info
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from nightdesk import __version__

CGROUP: Final = Path("/sys/fs/cgroup")
PROC: Final = Path("/proc")

PROGRAM: Final = "SUPERVISOR_PROCESS_NAME"
"""How supervisord tells a process which of its programs it is."""


def service_registry(service: str) -> CollectorRegistry:
    """Return a registry with the process's own figures, its container's memory and ``nightdesk_service_info``."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    Info("nightdesk_service", "Which service and version this is.", registry=registry).info(
        {"service": service, "version": __version__}
    )
    started = Gauge(
        "nightdesk_started_timestamp_seconds",
        "When the process started, Unix time; launched_by stays the same when its keeper starts it again.",
        ("launched_by",),
        registry=registry,
    )
    started.labels(launched_by(socket.gethostname(), os.getppid(), os.environ.get(PROGRAM, ""))).set(time.time())
    registry.register(ContainerCollector(CGROUP))
    return registry


def launched_by(hostname: str, parent: int, program: str) -> str:
    """Return what a process that is started again has in common with the one before it.

    A container that its restart policy starts again keeps its name, a new one has another; supervisord keeps its
    process id, and names its programs, of which several may be one service.
    """
    return "/".join(filter(None, (hostname, str(parent), program)))


class ContainerCollector(Collector):
    """The memory of the own container, as cgroup v2 counts it; nothing outside of one.

    https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def collect(self) -> Iterator[Metric]:
        """Yield what is used, less the cached files that the kernel gives back first, and the limit if there is one."""
        try:
            current = int(self._read("memory.current"))
            inactive = _table(self._read("memory.stat")).get("inactive_file", 0)
            limit = self._read("memory.max")
        except (OSError, ValueError):
            return
        used = max(0, current - inactive)
        yield GaugeMetricFamily("nightdesk_memory_used_bytes", "Memory the container cannot do without.", value=used)
        if limit.isdecimal():
            yield GaugeMetricFamily("nightdesk_memory_limit_bytes", "Memory it may use.", value=int(limit))

    def _read(self, name: str) -> str:
        return (self._root / name).read_text(encoding="ascii").strip()


class HostCollector(Collector):
    """The machine's memory, and the disks behind the directories that matter to a service, by the volume's name.

    A container sees the machine's own ``/proc/meminfo``. What cannot be read is left out.
    """

    def __init__(self, volumes: Mapping[str, Path], *, proc: Path = PROC) -> None:
        self._volumes = dict(volumes)
        self._proc = proc

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of this moment."""
        yield from self._disks()
        yield from self._memory()

    def _disks(self) -> Iterator[Metric]:
        by = ["volume"]
        free = GaugeMetricFamily("nightdesk_disk_free_bytes", "Room that is left for us on the disk.", labels=by)
        size = GaugeMetricFamily("nightdesk_disk_size_bytes", "Size of the disk's file system.", labels=by)
        for volume, directory in self._volumes.items():
            try:
                usage = shutil.disk_usage(directory)
            except OSError:
                continue
            free.add_metric([volume], usage.free)
            size.add_metric([volume], usage.total)
        yield from (free, size)

    def _memory(self) -> Iterator[Metric]:
        try:
            table = _table((self._proc / "meminfo").read_text(encoding="ascii").replace(":", ""))
            available, total = table["MemAvailable"] * 1024, table["MemTotal"] * 1024
        except (OSError, ValueError, KeyError):
            return
        yield GaugeMetricFamily(
            "nightdesk_host_memory_available_bytes", "Memory the machine can still give away.", value=available
        )
        yield GaugeMetricFamily("nightdesk_host_memory_total_bytes", "Memory of the machine.", value=total)


def _table(text: str) -> dict[str, int]:
    """Return the numbers of a file that has a name and a number in each line; a unit behind it is passed over."""
    return {words[0]: int(words[1]) for words in map(str.split, text.splitlines()) if len(words) > 1}
