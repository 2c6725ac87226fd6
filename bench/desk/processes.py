"""What processes use: CPU, memory, disk. Linux: proc(5); whoever may not read a process sees none of it."""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")

_PARENT, _USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM = 1, 11, 12, 13, 14
"""Fields of ``/proc/<pid>/stat`` after the command's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a process used so far, with its children that ended, and what memory it holds now."""

    cpu_s: float = 0.0
    written_bytes: int = 0
    """What it gave to write(2): files and pipes, and sockets where they are written to like files (Redis does).

    The kernel's own ``write_bytes`` counts whole folios, up to a hundred times what a small append changes.
    """
    private_bytes: int = 0
    """Memory of its own: not files, not shared memory."""
    shared_bytes: int = 0
    """Shared memory it touched: for PostgreSQL its ``shared_buffers``, seen anew by every process."""


def usage(process_id: int) -> Usage | None:
    """Return what a process uses, None when it is gone."""
    directory = PROC / str(process_id)
    try:
        status = fields_of((directory / "status").read_text(encoding="utf-8", errors="replace"))
        io = fields_of((directory / "io").read_text(encoding="ascii"))
        stat = stat_of((directory / "stat").read_text(encoding="utf-8", errors="replace"))
    except (OSError, IndexError):
        return None
    return Usage(
        cpu_s=cpu_s(stat),
        written_bytes=io.get("wchar", 0),
        private_bytes=1024 * status.get("RssAnon", 0),
        shared_bytes=1024 * status.get("RssShmem", 0),
    )


def family(process_id: int) -> list[int]:
    """Return a process and all that descend from it."""
    children: dict[int, list[int]] = defaultdict(list)
    for one, parent in parents().items():
        children[parent].append(one)
    return descendants(process_id, children)


def parents() -> dict[int, int]:
    """Return the parent of every process."""
    found: dict[int, int] = {}
    for path in PROC.glob("[0-9]*/stat"):
        try:
            found[int(path.parent.name)] = int(stat_of(path.read_text(encoding="utf-8", errors="replace"))[_PARENT])
        except (OSError, IndexError):
            continue  # it ended meanwhile
    return found


def descendants(process_id: int, children: Mapping[int, Sequence[int]]) -> list[int]:
    """Return a process and its descendants, parents first."""
    found = [process_id]
    for one in found:
        found += children.get(one, ())
    return found


def total(process_ids: Iterable[int]) -> Usage:
    """Return what several processes use together; their shared memory is counted once."""
    used = [one for one in map(usage, process_ids) if one is not None]
    return Usage(
        cpu_s=sum(one.cpu_s for one in used),
        written_bytes=sum(one.written_bytes for one in used),
        private_bytes=sum(one.private_bytes for one in used),
        shared_bytes=max((one.shared_bytes for one in used), default=0),
    )


def command_of(process_id: int) -> str:
    """Return how a process calls itself, empty when it is gone."""
    try:
        words = (PROC / str(process_id) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
    return " ".join(words.split())


def stat_of(text: str) -> list[str]:
    """Return the fields of ``/proc/<pid>/stat`` after the command's name, which may hold anything."""
    return text.rpartition(")")[2].split()


def cpu_s(stat: Sequence[str]) -> float:
    """Return the CPU seconds of a process and of its children that ended."""
    return sum(int(stat[at]) for at in (_USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM)) / TICKS_A_SECOND


def fields_of(text: str) -> dict[str, int]:
    """Return the ``name: number`` lines of a file of ``/proc``, units left out."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        words = value.split()
        if words and words[0].isdigit():
            found[name] = int(words[0])
    return found
