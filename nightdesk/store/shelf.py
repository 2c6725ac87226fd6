"""Backups in a directory: which there are, which are whole, which may go.

A backup is ``<name>.dump``, with what it holds in ``<name>.json`` beside it. Names sort by time. One that is not
verified yet ends in ``.partial``.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from nightdesk.errors import ConfigurationError

DUMP: Final = ".dump"
PARTIAL: Final = ".partial"
PIECE_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a backup holds: rows by table."""

    bytes: int
    sha256: str
    rows: Mapping[str, int] = field(default_factory=dict)


def name_at(moment: datetime) -> str:
    """Return the name of a backup that was begun then."""
    return f"nightdesk-{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}{DUMP}"


def backups(directory: Path) -> list[Path]:
    """Return the whole backups, oldest first."""
    return sorted(path for path in directory.glob(f"nightdesk-*{DUMP}") if path.is_file())


def surplus(whole: Sequence[Path], keep: int) -> list[Path]:
    """Return the backups to delete, given all whole ones, oldest first; the newest never is. Pure."""
    return list(whole[: -max(keep, 1)])


def delete(paths: Iterable[Path]) -> None:
    """Delete backups and what is said of them."""
    for path in paths:
        path.unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)


def sweep(directory: Path) -> list[str]:
    """Delete what killed runs left half done; return the names."""
    left = sorted(directory.glob(f"*{PARTIAL}"))
    for path in left:
        path.unlink(missing_ok=True)
    return [path.name for path in left]


def settle(partial: Path, final: Path, contents: Contents) -> None:
    """Give a verified backup its name, so that it is found in it even after a power cut."""
    told = final.with_suffix(".json")
    draft = told.with_name(f"{told.name}{PARTIAL}")
    draft.write_text(json.dumps(asdict(contents), indent=2) + "\n", encoding="utf-8")
    for path in (partial, draft):
        _sync(path)
    draft.replace(told)
    partial.replace(final)
    _sync(final.parent)


def contents(backup: Path) -> Contents | None:
    """Return what is said of a backup; None when nothing is."""
    try:
        said = json.loads(backup.with_suffix(".json").read_text(encoding="utf-8"))
        return Contents(**said)
    except (OSError, ValueError, TypeError):
        return None


def check(backup: Path) -> Contents | None:
    """Return what is said of a backup; raises ConfigurationError when the file is not the one that was verified."""
    said = contents(backup)
    if said is not None and sha256(backup) != said.sha256:
        raise ConfigurationError(f"{backup}: it is damaged: its digest is not the one of {said.bytes} verified bytes")
    return said


def sha256(path: Path) -> str:
    """Return a file's digest."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
