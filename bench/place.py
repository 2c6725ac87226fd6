"""Where the measured processes run: in the project's own image, or on this machine's Python.

Each process is tied to one core. In the image, the network is the machine's own, so that no bridge is measured.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol, TypeAlias

SOURCE: Final = Path(__file__).resolve().parents[1]
STOP_LIMIT_S: Final = 30.0

Process: TypeAlias = "subprocess.Popen[str]"


class Place(Protocol):
    """Starts Python processes."""

    name: str
    """What runs them, for the reader of the table."""

    def start(self, core: int, module: str, *arguments: str, env: Mapping[str, str] | None = None) -> Process:
        """Start ``python -m module`` on one core, its input and output piped, errors passed on."""


class Machine:
    """This machine's Python."""

    def __init__(self) -> None:
        self.name = f"Python {platform.python_version()} of this machine"

    def start(self, core: int, module: str, *arguments: str, env: Mapping[str, str] | None = None) -> Process:
        """Start a process."""
        with tied_to(core):
            return _popen([sys.executable, "-m", module, *arguments], {**os.environ, **(env or {})})


class Image:
    """The project's image, built from this source, with ``bench`` mounted into it."""

    def __init__(self, identity: str, scratch: Path) -> None:
        self._identity = identity
        self._scratch = scratch
        version = _output(["docker", "run", "--rm", identity, "python", "-V"])
        self.name = f"{version} in the project's image"

    def start(self, core: int, module: str, *arguments: str, env: Mapping[str, str] | None = None) -> Process:
        """Start a container that goes when its process does."""
        variables = [word for name, value in (env or {}).items() for word in ("--env", f"{name}={value}")]
        command = [
            "docker", "run", "--rm", "--interactive", "--init", "--network", "host", "--cpuset-cpus", str(core),
            "--user", f"{os.getuid()}:{os.getgid()}",
            "--volume", f"{SOURCE / 'bench'}:/app/bench:ro", "--volume", f"{self._scratch}:{self._scratch}",
            *variables, self._identity, "python", "-m", module, *arguments,
        ]  # fmt: skip
        return _popen(command, os.environ)


def choose(scratch: Path) -> Place:
    """Return the image where an engine answers and builds it, else this machine; says why."""
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
    ):
        print("no Docker engine answers: measuring on this machine's Python")
        return Machine()
    built = subprocess.run(["docker", "build", "--quiet", str(SOURCE)], capture_output=True, text=True, check=False)
    if built.returncode:
        print(f"the image cannot be built, measuring on this machine's Python: {built.stderr.strip()[-300:]}")
        return Machine()
    return Image(built.stdout.strip(), scratch)


@contextmanager
def tied_to(core: int) -> Iterator[None]:
    """Start processes on one core: what is started inside the block inherits it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def stop(process: Process) -> None:
    """Ask a process to end, and end it if it does not."""
    if process.stdin is not None:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _popen(command: Sequence[str], env: Mapping[str, str]) -> Process:
    return subprocess.Popen(command, env=env, cwd=SOURCE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
