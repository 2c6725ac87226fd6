"""Where the measured processes run: in the project's own image, or on this machine's Python.

Each process is tied to a core, or to both. In the image, the network is the machine's own: no bridge is measured.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from bench import servers
from bench.servers import Cores, listed
from deploy import databases
from deploy.databases import RunningPostgres, RunningRedis
from nightdesk.errors import UnavailableError

SOURCE: Final = Path(__file__).resolve().parents[1]
COMPOSE: Final = SOURCE / "compose.yaml"
STOP_LIMIT_S: Final = 30.0

Process: TypeAlias = "subprocess.Popen[str]"


class Place(Protocol):
    """Starts Python processes."""

    name: str
    """What runs them, for the reader of the table."""

    def redis(self, directory: Path, cores: Cores) -> AbstractContextManager[RunningRedis]:
        """Run an empty Redis on these cores."""

    def postgres(
        self, directory: Path, cores: Cores, settings: Mapping[str, str]
    ) -> AbstractContextManager[RunningPostgres]:
        """Run an empty PostgreSQL on these cores."""

    def start(self, cores: Cores, module: str, *arguments: str, env: Mapping[str, str] | None = None) -> Process:
        """Start ``python -m module`` on these cores, its input and output piped, errors passed on."""


class Machine:
    """This machine's Python."""

    def __init__(self) -> None:
        self.name = f"Python {platform.python_version()} and databases of this machine"

    @contextmanager
    def redis(self, directory: Path, cores: Cores) -> Iterator[RunningRedis]:
        """Run an empty Redis."""
        with ExitStack() as stack:
            with tied_to(cores):
                server = stack.enter_context(databases.redis(directory))
            yield server

    @contextmanager
    def postgres(self, directory: Path, cores: Cores, settings: Mapping[str, str]) -> Iterator[RunningPostgres]:
        """Run an empty PostgreSQL."""
        with ExitStack() as stack:
            with tied_to(cores):
                server = stack.enter_context(databases.postgres(directory, settings=settings))
            yield server

    def start(self, cores: Cores, module: str, *arguments: str, env: Mapping[str, str] | None = None) -> Process:
        """Start a process."""
        with tied_to(cores):
            return _popen([sys.executable, "-m", module, *arguments], {**os.environ, **(env or {})})


class Image:
    """The project's image, built from this source, with ``bench`` mounted into it."""

    def __init__(self, identity: str, scratch: Path) -> None:
        self._identity = identity
        self._scratch = scratch
        version = _output(["docker", "run", "--rm", identity, "python", "-V"])
        self.name = f"{version} in the project's image, databases in Compose's"

    def redis(self, directory: Path, cores: Cores) -> AbstractContextManager[RunningRedis]:  # noqa: ARG002  a volume
        """Run the container that Compose runs."""
        return servers.redis(COMPOSE, cores)

    def postgres(
        self,
        directory: Path,  # noqa: ARG002  a volume
        cores: Cores,
        settings: Mapping[str, str],
    ) -> AbstractContextManager[RunningPostgres]:
        """Run the container that Compose runs."""
        return servers.postgres(COMPOSE, cores, settings)

    def start(self, cores: Cores, module: str, *arguments: str, env: Mapping[str, str] | None = None) -> Process:
        """Start a container that goes when its process does."""
        variables = [word for name, value in (env or {}).items() for word in ("--env", f"{name}={value}")]
        command = [
            "docker", "run", "--rm", "--interactive", "--init", "--network", "host", "--cpuset-cpus", listed(cores),
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
    try:
        servers.fetch(COMPOSE)
    except UnavailableError as error:
        print(f"the databases' images are not here, measuring on this machine's Python and databases: {error}")
        return Machine()
    return Image(built.stdout.strip(), scratch)


@contextmanager
def tied_to(cores: Cores) -> Iterator[None]:
    """Start processes on these cores: what is started inside the block inherits it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
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
