"""A log on disk: the file that is written to, and those before it.

    <directory>/worker-3f2a.jsonl                                      is written to
    <directory>/worker-3f2a.20261119T000003000123.jsonl                was, and is about to be compressed
    <directory>/worker-3f2a.20261118T000001000456.jsonl.gz             was
    <directory>/worker-3f2a.errors.jsonl, .20261118T....errors.jsonl.gz   the same of errors alone

Several processes may write to one file: each write holds the file's lock, and first looks whether the file still has
its name. A file is given up by giving it another name, under the same lock, so that no line is ever added to it later.
What becomes of it then is ``log_tidying``'s.
"""

import fcntl
import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 50 * 10**6
MAX_ERRORS_BYTES: Final = 20 * 10**6

LOCK_WITHIN_S: Final = 1.0
"""Others hold the lock for as long as a write takes; a process that was stopped meanwhile holds it for longer."""

LOCK_PAUSE_S: Final = 0.005

NAME: Final = re.compile(
    r"(?P<log>.+?)(?P<stamp>\.\d{8}T\d{12})?(?P<kind>(\.errors)?\.jsonl)(?P<gz>\.gz)?(?P<part>\.part)?"
)
"""Every file of ours: with a stamp it was given up, with ``.gz`` it is compressed, with ``.part`` it is being so."""


def log_file(directory: Path, service: str, host: str, *, errors: bool = False) -> Path:
    """Return the file that a service of this host writes to."""
    return directory / service / f"{service}-{host}{'.errors' if errors else ''}.jsonl"


class RotatingFile:
    """The file that is written to; given up before it grows beyond ``max_bytes``, and at the first line of a UTC day.

    ``tidy`` is called in a thread of its own at the first line and whenever a file was given up. Not for several
    threads at once.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int,
        tidy: Callable[[Path, float], None],
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._tidy = tidy
        self._wall_s = wall_s
        self._descriptor: int | None = None

    def write(self, lines: Sequence[bytes]) -> None:
        """Append whole lines, or none of them and raise OSError."""
        text = b"".join(lines)
        is_first = self._descriptor is None
        while self._is_over(descriptor := self._locked(), len(text)):
            try:
                give_up(self._path, self._wall_s())
            finally:
                unlock(descriptor)
            is_first = True
        try:
            append(descriptor, text)
        finally:
            unlock(descriptor)
        if is_first:
            directory, now_s = self._path.parent, self._wall_s()
            tidying = threading.Thread(target=self._tidy, args=(directory, now_s), name="log-tidying", daemon=True)
            with suppress(RuntimeError):  # no more threads: the lines are written, and must not be so again
                tidying.start()

    def _is_over(self, descriptor: int, more_bytes: int) -> bool:
        status = os.fstat(descriptor)
        is_full = status.st_size + more_bytes > self._max_bytes
        return status.st_size > 0 and (is_full or day_of(status.st_mtime) < day_of(self._wall_s()))

    def _locked(self) -> int:
        """Return the file of our name, locked."""
        while True:
            descriptor = self._opened()
            lock(descriptor, LOCK_WITHIN_S)
            with suppress(OSError):
                if is_at(descriptor, self._path):
                    return descriptor
            self._descriptor = None  # another process gave it up, or the directory is no more
            os.close(descriptor)

    def _opened(self) -> int:
        if self._descriptor is None:
            self._path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        return self._descriptor


def append(descriptor: int, text: bytes) -> None:
    """Write all of the text at the end, on a line of its own; what a full disk cut off is taken back."""
    end = os.fstat(descriptor).st_size
    torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"  # its writer was killed
    left = memoryview(b"\n" + text if torn else text)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, end)
        raise


def give_up(path: Path, now_s: float) -> Path:
    """Give a file, whose lock is held, the name of one that is not written to any more; return that name."""
    found = NAME.fullmatch(path.name)
    log, kind = (found["log"], found["kind"]) if found else (path.name, "")
    moment = datetime.fromtimestamp(now_s, UTC)
    while True:
        target = path.with_name(f"{log}.{moment:%Y%m%dT%H%M%S%f}{kind}")
        if not target.exists() and not target.with_name(f"{target.name}.gz").exists():
            path.rename(target)
            return target
        moment += timedelta(microseconds=1)  # the clock was set back


def lock(descriptor: int, within_s: float) -> None:
    """Take a file's lock; raises TimeoutError, an OSError, when another process holds it for too long."""
    until_s = time.monotonic() + within_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until_s:
                raise TimeoutError(f"another process holds the log's lock for more than {within_s:g} s") from error
            time.sleep(LOCK_PAUSE_S)
        else:
            return


def unlock(descriptor: int) -> None:
    """Give a file's lock back."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def is_at(descriptor: int, path: Path) -> bool:
    """Return whether an open file is still the one of this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def day_of(unix_s: float) -> date:
    """Return the UTC day of a Unix time."""
    return datetime.fromtimestamp(unix_s, UTC).date()
