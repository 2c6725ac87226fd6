"""Which mounts of a machine hold data, from the kernel's own list. Pure.

The format is fstab's, see https://man7.org/linux/man-pages/man5/fstab.5.html: blanks in a name are octal.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

NO_DISKS: Final = frozenset(
    {
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
        "erofs", "fusectl", "hugetlbfs", "iso9660", "mqueue", "nsfs", "overlay", "proc", "pstore", "ramfs",
        "rpc_pipefs", "securityfs", "selinuxfs", "squashfs", "sysfs", "tmpfs", "tracefs", "udf",
        "fuse.gvfsd-fuse", "fuse.lxcfs", "fuse.portal", "fuse.snapfuse",
    }
)  # fmt: skip
"""File systems that are no disk, or that nobody can write to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One file system: its device, where it is, its type, and whether it can be written to."""

    device: str
    point: str
    type: str
    writable: bool


def parse(text: str) -> list[Mount]:
    """Return the mounts in ``/proc/<pid>/mounts``."""
    fields = (line.split(" ") for line in text.splitlines() if line.count(" ") >= 3)
    return [
        Mount(device=_plain(device), point=_plain(point), type=kind, writable="ro" not in options.split(","))
        for device, point, kind, options, *_ in fields
    ]


def disks(mounts: Iterable[Mount], *, named: Collection[str] = (), ignored: Collection[str] = ()) -> list[Mount]:
    """Return the mounts to look at, one for each device: a named one, else the one nearest the root.

    What is mounted over is hidden by the later one. A system whose root is an overlay has no other word for its disk.
    """
    visible = {mount.point: mount for mount in mounts}.values()
    candidates = [one for one in visible if one.type not in NO_DISKS or (one.type, one.point) == ("overlay", "/")]
    chosen: dict[str, Mount] = {}
    for one in sorted(candidates, key=lambda one: (one.point not in named, _depth(one.point), one.point)):
        if not any(_inside(one.point, pattern) for pattern in ignored):
            chosen.setdefault(one.device, one)
    return sorted(chosen.values(), key=lambda one: one.point)


def _depth(point: str) -> int:
    return len(PurePosixPath(point).parts)


def _inside(point: str, pattern: str) -> bool:
    """Whether it is the ignored directory or lies below it."""
    return point == pattern or (pattern != "/" and point.startswith(pattern.rstrip("/") + "/"))


def _plain(name: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), name)
