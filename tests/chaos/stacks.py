"""The stack under test behind one small port: containers of a Compose project of its own, or local processes."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from deploy.local import stack as local
from nightdesk.errors import UnavailableError

SOURCE: Final = Path(__file__).resolve().parents[2]
SERVICES: Final = ("simulator", "collector", "worker")
UP_LIMIT_S: Final = 420
"""The first start may build the image."""
COMMAND_LIMIT_S: Final = 60
DEATH_LIMIT_S: Final = 10.0
DATABASE: Final = "nightdesk"
SUPERUSER: Final = "postgres"
SIMULATOR_PORT: Final = 8090
PASSED_ON: Final = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR", "TMPDIR")
"""What of this environment a stack sees: a user's FEEDS or API_TOKEN has no business in a test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a database answers now, and its password."""

    host: str
    port: int
    password: str


class Stack(Protocol):
    """One running stack. Methods raise UnavailableError while what they ask about does not run."""

    @property
    def on(self) -> str:
        """``compose`` or ``local``."""

    def process_ids(self, service: str) -> list[int]:
        """Return the host's ids of a service's main processes, those that run."""

    def kill(self, service: str) -> float:
        """SIGKILL one main process of a service and return when, Unix seconds, once it is gone.

        Whatever restarts it must notice by itself.
        """

    def simulator_url(self) -> str:
        """Return the simulator's HTTP address."""

    def postgres(self) -> Address:
        """Return PostgreSQL's address and its superuser's password."""

    def redis(self) -> Address:
        """Return Redis's address and password."""

    def logs(self, service: str) -> str:
        """Return the end of a service's log."""


class LocalStack:
    """Processes under supervisord, in a temporary directory."""

    on = "local"

    def __init__(self, stack: local.Stack) -> None:
        self._stack = stack

    def process_ids(self, service: str) -> list[int]:
        """Return the process ids of a service, its replicas ``worker-1``, ``worker-2`` included."""
        return [one.pid for one in self._stack.programs() if one.pid and one.name.partition("-")[0] == service]

    def kill(self, service: str) -> float:
        """SIGKILL one process of a service."""
        return _kill(_first(self.process_ids(service), service))

    def simulator_url(self) -> str:
        """Return the simulator's address."""
        return self._stack.url("simulator")

    def postgres(self) -> Address:
        """Return where PostgreSQL listens."""
        password = self._stack.database_password(SUPERUSER)
        return Address(host="127.0.0.1", port=self._stack.ports["postgres"], password=password)

    def redis(self) -> Address:
        """Return where Redis listens."""
        password = self._stack.secret("redis", "redis-password")
        return Address(host="127.0.0.1", port=self._stack.ports["redis"], password=password)

    def logs(self, service: str) -> str:
        """Return the end of a program's log file."""
        files = sorted(self._stack.layout.logs.glob(f"{service}*.log"))
        return "\n".join(file.read_text(encoding="utf-8", errors="replace")[-4000:] for file in files)


class ComposeStack:
    """Containers of one Compose project."""

    on = "compose"

    def __init__(self, project: str) -> None:
        self._project = project
        self._passwords: dict[str, str] = {}

    def start(self) -> None:
        """Build the image if it is out of date and start the services; raises UnavailableError with what was said."""
        self._compose("up", "--detach", "--build", "--wait", *SERVICES, limit_s=UP_LIMIT_S)
        self._passwords = {
            "postgres": self._secret("postgres", "superuser-password"),
            "redis": self._secret("redis", "redis-password"),
        }

    def remove(self) -> None:
        """Remove the project's containers, volumes and networks."""
        self._compose("down", "--volumes", "--remove-orphans", "--timeout", "5", limit_s=120)

    def process_ids(self, service: str) -> list[int]:
        """Return the host's ids of the containers' main processes."""
        return [pid for one in self._inspect(service) if (pid := int(one["State"]["Pid"]))]

    def kill(self, service: str) -> float:
        """SIGKILL by the host's id: ``docker kill`` would count as a manual stop and switch the restart policy off."""
        return _kill(_first(self.process_ids(service), service))

    def simulator_url(self) -> str:
        """Return the simulator's address on its Compose network."""
        return f"http://{self._host('simulator')}:{SIMULATOR_PORT}"

    def postgres(self) -> Address:
        """Return PostgreSQL's present address."""
        return Address(host=self._host("postgres"), port=5432, password=self._passwords["postgres"])

    def redis(self) -> Address:
        """Return Redis's present address."""
        return Address(host=self._host("redis"), port=6379, password=self._passwords["redis"])

    def logs(self, service: str) -> str:
        """Return the last lines of a service's log."""
        return self._compose("logs", "--no-color", "--no-log-prefix", "--tail", "30", service)

    def _host(self, service: str) -> str:
        """A restarted container may come back with another address."""
        for container in self._inspect(service):
            for network in container["NetworkSettings"]["Networks"].values():
                if network["IPAddress"]:
                    return str(network["IPAddress"])
        raise UnavailableError(f"{service} has no address now")

    def _inspect(self, service: str) -> list[dict[str, Any]]:
        wanted = (f"label=com.docker.compose.project={self._project}", f"label=com.docker.compose.service={service}")
        filters = [word for one in wanted for word in ("--filter", one)]
        containers = _output("docker", "ps", "--all", "--quiet", *filters).split()
        return list(json.loads(_output("docker", "inspect", *containers))) if containers else []

    def _secret(self, service: str, name: str) -> str:
        return self._compose("exec", "-T", service, "cat", f"/run/secrets/{name}").strip()

    def _compose(self, *arguments: str, limit_s: float = COMMAND_LIMIT_S) -> str:
        files = ("--file", str(SOURCE / "compose.yaml"), "--file", str(SOURCE / "tests/chaos/compose.yaml"))
        command = ("docker", "compose", "--project-name", self._project, *files, "--env-file", os.devnull)
        return _output(*command, *arguments, limit_s=limit_s)


@contextmanager
def running(on: str) -> Iterator[Stack]:
    """Run a private stack, ``compose`` or ``local``, and remove every trace of it afterwards."""
    if on == "local":
        with local.private_stack(services=SERVICES) as stack:
            yield LocalStack(stack)
        return
    compose = ComposeStack(f"nightdesk-chaos-{os.getpid()}")
    try:
        compose.start()
        yield compose
    finally:
        compose.remove()


def resident_bytes(process_id: int) -> int:
    """Return the memory a process holds now, 0 once it is gone (Linux: proc(5))."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        resident_pages = Path(f"/proc/{process_id}/statm").read_text(encoding="ascii").split()[1]
        return int(resident_pages) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _kill(process_id: int) -> float:
    at_s = time.time()
    try:
        os.kill(process_id, signal.SIGKILL)
    except PermissionError:
        # A container's process belongs to another user; where sudo asks no password it may.
        _output("sudo", "--non-interactive", "kill", "-KILL", str(process_id))
    deadline_s = time.monotonic() + DEATH_LIMIT_S
    while resident_bytes(process_id):
        if time.monotonic() > deadline_s:
            raise UnavailableError(f"process {process_id} outlived SIGKILL by {DEATH_LIMIT_S:.0f} s")
        time.sleep(0.005)
    return at_s


def _first(process_ids: list[int], service: str) -> int:
    if not process_ids:
        raise UnavailableError(f"{service} does not run")
    return process_ids[0]


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[name] for name in PASSED_ON if name in environ}


def _output(*command: str, limit_s: float = COMMAND_LIMIT_S) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=limit_s, env=_environment(os.environ)
        )
    except subprocess.CalledProcessError as error:
        raise UnavailableError(f"{' '.join(command[:4])}...: {error.stderr.strip()[-2000:]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{' '.join(command[:4])}...: {error}") from error
    return done.stdout
