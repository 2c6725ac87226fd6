"""What becomes of log files that are not written to any more: compressed, and deleted when they are too old.

Whoever writes to a directory tidies all of it, so that files of a host that is no more are not kept for ever. A copy
has another name (``.part``) until it is whole, and the file itself stays until the copy has its name: at every moment
each line can be read from a file, and who knows a file by its first bytes finds it again by them, whatever its name
became.

How long a file is kept counts from its last line.
"""

import gzip
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from nightdesk.log_files import NAME, day_of, give_up, is_at, lock, unlock

DAY_S: Final = 86_400
KEPT_S: Final = {".jsonl": 7 * DAY_S, ".errors.jsonl": 30 * DAY_S}
PART_KEPT_S: Final = DAY_S
"""A copy that nobody finished; the next attempt at one writes over it."""

COPY_BYTES: Final = 2**20


def tidy(directory: Path, now_s: float) -> None:
    """Bring a directory of logs in order. What cannot be done is left for the next time."""
    for path in sorted(directory.iterdir()):
        with suppress(OSError):
            _see_to(path, now_s)


def _see_to(path: Path, now_s: float) -> None:
    found = NAME.fullmatch(path.name)
    if found is None:
        return
    last_s = path.stat().st_mtime
    kept_s = PART_KEPT_S if found["part"] else KEPT_S[found["kind"]]
    if now_s - last_s > kept_s:
        delete(path)
    elif found["gz"]:
        return
    elif found["stamp"]:
        compress(path)
    elif day_of(last_s) < day_of(now_s):
        with held(path):
            given_up = give_up(path, now_s)
        compress(given_up)


def delete(path: Path) -> None:
    """Delete a file that nobody is writing to at this moment."""
    with held(path):
        path.unlink()


def compress(path: Path) -> None:
    """Put a compressed copy in a file's place; its time is that of the last line still."""
    part, copy = path.with_name(f"{path.name}.gz.part"), path.with_name(f"{path.name}.gz")
    with held(path), path.open("rb") as source, part.open("wb") as target:
        with gzip.GzipFile("", "wb", fileobj=target, mtime=0) as compressed:
            shutil.copyfileobj(source, compressed, COPY_BYTES)
        target.flush()
        os.fsync(target.fileno())  # before the only other copy goes
        status = os.fstat(source.fileno())
        os.utime(part, ns=(status.st_atime_ns, status.st_mtime_ns))
        part.chmod(status.st_mode & 0o777)
        part.rename(copy)
        path.unlink()


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a file's lock; raises OSError when another process has it, or the file is gone or another by now."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        lock(descriptor, 0)
        if not is_at(descriptor, path):
            raise FileNotFoundError(f"{path} was given up meanwhile")
        yield
    finally:
        with suppress(OSError):
            unlock(descriptor)
        os.close(descriptor)
