"""The stack under test behind one small port: containers of a Compose project of its own, or local processes."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import requests

from deploy.local import machine, programs
from deploy.local import stack as local
from nightdesk.errors import NightdeskError, UnavailableError

SOURCE: Final = Path(__file__).resolve().parents[2]
HERE: Final = Path(__file__).resolve().parent
SERVICES: Final = ("simulator", "collector", "worker")
OURS: Final = ("collector", "worker")
DATABASES: Final = ("redis", "postgres")
UP_LIMIT_S: Final = 420
"""The first start may build the image."""
COMMAND_LIMIT_S: Final = 60
DEATH_LIMIT_S: Final = 10.0
DATABASE: Final = "nightdesk"
SUPERUSER: Final = "postgres"
SIMULATOR_PORT: Final = 8090
METRICS_PORT: Final = 9100
TAG: Final = "chaos"
"""Of the image: a `make up` beside a run builds its own."""
KEEPER: Final = "spool-keeper"
FILLER: Final = "filler"
FILL: Final = f'fallocate -l "$(($(df --output=avail -B1 . | tail -n 1) - LEFT))" {FILLER}'
"""Leaves LEFT bytes on the disk of the working directory."""
SPOOL_DISK_BYTES: Final = 128 * 1024 * 1024
"""As in spool.yaml."""
ENVIRON: Final = {"SIMULATOR_BUFFER_BYTES": "268435456"}
"""The exchange waits for a slow reader, whatever else this machine does: a burst is not about being cut off."""
LONG_ENVIRON: Final = {**ENVIRON, "FRAME_MAX_TICKS": "50"}
END_LIMIT_S: Final = 20.0
PASSED_ON: Final = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR", "TMPDIR")
"""What of this environment a stack sees: a user's FEEDS or API_TOKEN has no business in a test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a database answers now, and its password."""

    host: str
    port: int
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disguise:
    """How a service is run differently: a Compose file on top, or the same for a local process.

    ``launcher`` is a file of this directory that runs the module named after it.
    """

    file: str
    launcher: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)


class NotHereError(NightdeskError):
    """This machine does not let a fault happen; nothing was harmed."""


class Stack(Protocol):
    """One running stack. Methods raise UnavailableError while what they ask about does not run, or cannot be done."""

    @property
    def on(self) -> str:
        """``compose`` or ``local``."""

    def process_ids(self, service: str) -> list[int]:
        """Return the host's ids of a service's main processes, those that run, the oldest first."""

    def kill(self, service: str) -> float:
        """SIGKILL the oldest main process of a service and return when, Unix seconds, once it is gone.

        Whatever restarts it must notice by itself.
        """

    def stop(self, service: str) -> None:
        """Stop a service in good order, so that nothing starts it again but ``start``."""

    def start(self, service: str) -> None:
        """Start a service that was stopped."""

    def restart(self) -> None:
        """Stop and start everything but the exchange."""

    def scale(self, service: str, number: int) -> None:
        """Run so many replicas of a service, while those that run go on."""

    def disguise(self, service: str, disguise: Disguise) -> None:
        """Replace a service that has one replica by one that is run differently."""

    def undisguise(self, service: str) -> None:
        """Replace it by one that is run as delivered."""

    def simulator_url(self) -> str:
        """Return the simulator's HTTP address."""

    def postgres(self) -> Address:
        """Return PostgreSQL's address and its superuser's password."""

    def redis(self) -> Address:
        """Return Redis's address and password."""

    def health(self, service: str) -> list[dict[str, Any]]:
        """Return what ``/health`` of each replica says, in the order of ``process_ids``."""

    def metrics(self, service: str) -> list[str]:
        """Return what ``/metrics`` of each replica says, in the same order."""

    def in_redis_data(self, script: str) -> None:
        """Run a shell script in the directory of Redis's append-only file."""

    def fill_spool(self, left_bytes: int) -> None:
        """Leave only so much room on the disk of the spool; raises NotHereError where it has no disk of its own."""

    def free_spool(self) -> None:
        """Give the room back."""

    def logs(self, service: str) -> str:
        """Return the end of a service's log."""


class LocalStack:
    """Processes under supervisord, in a temporary directory; further replicas are children of this process."""

    on = "local"

    def __init__(self, stack: local.Stack, *, small_spool: bool) -> None:
        self._stack = stack
        self._small_spool = small_spool
        self._copies: dict[str, list[Copy]] = {}

    def process_ids(self, service: str) -> list[int]:
        """Return the process ids of a service, its copies included."""
        supervised = [one.pid for one in self._stack.programs() if one.pid and one.name.partition("-")[0] == service]
        return sorted([*supervised, *(one.process_id for one in self._copies_of(service))], key=_started)

    def kill(self, service: str) -> float:
        """SIGKILL the oldest process of a service."""
        return _kill(_first(self.process_ids(service), service))

    def stop(self, service: str) -> None:
        """Stop a program."""
        self._stack.supervisor.stop_program(service)

    def start(self, service: str) -> None:
        """Start a program."""
        self._stack.supervisor.start_program(service)

    def restart(self) -> None:
        """Stop the desk, databases last, and start it, databases first."""
        for name in (*OURS, *DATABASES):
            self.stop(name)
        for name in (*DATABASES, *OURS):
            self.start(name)

    def scale(self, service: str, number: int) -> None:
        """Start copies of what supervisord runs, or end the newest."""
        copies = self._copies_of(service)
        while len(copies) > number - 1:
            copies.pop().end()
        while len(copies) < number - 1:
            log = self._stack.layout.logs / f"{service}-copy-{len(copies) + 1}.log"
            copies.append(Copy(self._stack.pid(service), log))

    def disguise(self, service: str, disguise: Disguise) -> None:
        """Start a copy in disguise and stop the original, in this order: a copy stands by as long as it must."""
        log = self._stack.layout.logs / f"{service}-disguised.log"
        self._copies_of(service).append(Copy(self._stack.pid(service), log, disguise))
        self.stop(service)

    def undisguise(self, service: str) -> None:
        """Start the original and end the copy."""
        self.start(service)
        self.scale(service, 1)

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

    def health(self, service: str) -> list[dict[str, Any]]:
        """Ask each replica."""
        return [_health(url) for url in self._urls(service)]

    def metrics(self, service: str) -> list[str]:
        """Ask each replica."""
        return [_asked(f"{url}/metrics").text for url in self._urls(service)]

    def in_redis_data(self, script: str) -> None:
        """Run it as Redis's own user would."""
        _output("sh", "-euc", script, directory=self._stack.layout.redis)

    def fill_spool(self, left_bytes: int) -> None:
        """Write a file that takes the rest."""
        if not self._small_spool:
            raise NotHereError("no disk of its own for the spool: that takes root, or sudo without a password")
        _output("sh", "-euc", FILL, directory=self._stack.layout.spool, environ={"LEFT": str(left_bytes)})

    def free_spool(self) -> None:
        """Delete that file."""
        (self._stack.layout.spool / FILLER).unlink(missing_ok=True)

    def logs(self, service: str) -> str:
        """Return the end of a program's log file."""
        files = sorted(self._stack.layout.logs.glob(f"{service}*.log"))
        return "\n".join(file.read_text(encoding="utf-8", errors="replace")[-4000:] for file in files)

    def end_copies(self) -> None:
        """End every further replica."""
        for copies in self._copies.values():
            while copies:
                copies.pop().end()

    def _urls(self, service: str) -> list[str]:
        ports = [self._stack.ports[service]] if self._stack.pid(service) else []
        return [f"http://127.0.0.1:{port}" for port in [*ports, *(one.port for one in self._copies_of(service))]]

    def _copies_of(self, service: str) -> "list[Copy]":
        kept = self._copies.setdefault(service, [])
        kept[:] = [one for one in kept if one.runs]
        return kept


class Copy:
    """A further replica of a local process: the same command in the same environment, on a port of its own."""

    def __init__(self, process_id: int, log: Path, disguise: Disguise | None = None) -> None:
        proc = Path(f"/proc/{process_id}")
        variables = proc.joinpath("environ").read_bytes().rstrip(b"\0").split(b"\0")
        environ = dict(os.fsdecode(one).split("=", 1) for one in variables)
        command = [os.fsdecode(word) for word in proc.joinpath("cmdline").read_bytes().rstrip(b"\0").split(b"\0")]
        if disguise:
            environ |= disguise.environ
            command[1:1] = [str(HERE / name) for name in disguise.launcher]
        (self.port,) = machine.choose_ports(["copy"], {}, {}).values()
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, env={**environ, "METRICS_PORT": str(self.port)}, cwd=proc.joinpath("cwd").readlink(),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip

    @property
    def process_id(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def end(self) -> None:
        """End it in good order, by force when it does not."""
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class ComposeStack:
    """Containers of one Compose project."""

    on = "compose"

    def __init__(self, project: str, *, small_spool: bool = True, environ: Mapping[str, str] | None = None) -> None:
        self._project = project
        self._environ = {"NIGHTDESK_TAG": TAG, **(environ or {})}
        self._files = [SOURCE / "compose.yaml", HERE / "compose.yaml", *([HERE / "spool.yaml"] if small_spool else [])]
        self._passwords: dict[str, str] = {}

    def start_all(self) -> None:
        """Build the image if it is out of date and start the services; raises UnavailableError with what was said."""
        keeper = [KEEPER] if HERE / "spool.yaml" in self._files else []
        self._compose("up", "--detach", "--build", "--wait", *keeper, *SERVICES, limit_s=UP_LIMIT_S)
        self._passwords = {
            "postgres": self._secret("postgres", "superuser-password"),
            "redis": self._secret("redis", "redis-password"),
        }

    def remove(self) -> None:
        """Remove the project's containers, volumes and networks."""
        self._compose("down", "--volumes", "--remove-orphans", "--timeout", "5", limit_s=120)

    def process_ids(self, service: str) -> list[int]:
        """Return the host's ids of the containers' main processes."""
        return sorted((pid for one in self._inspect(service) if (pid := int(one["State"]["Pid"]))), key=_started)

    def kill(self, service: str) -> float:
        """SIGKILL by the host's id: ``docker kill`` would count as a manual stop and switch the restart policy off."""
        return _kill(_first(self.process_ids(service), service))

    def stop(self, service: str) -> None:
        """Stop a service's containers."""
        self._compose("stop", service, limit_s=120)

    def start(self, service: str) -> None:
        """Start a service's containers again."""
        self._compose("start", service)

    def restart(self) -> None:
        """Restart everything but the exchange, and but the container that only holds the spool's disk."""
        self._compose("restart", *DATABASES, *OURS, limit_s=180)

    def scale(self, service: str, number: int) -> None:
        """Scale as a user would."""
        options = ("--detach", "--no-deps", "--no-recreate", "--scale", f"{service}={number}")
        self._compose("up", *options, service, limit_s=120)

    def disguise(self, service: str, disguise: Disguise) -> None:
        """Recreate the container with one more Compose file."""
        self._compose("up", "--detach", "--no-deps", service, files=[*self._files, HERE / disguise.file], limit_s=120)

    def undisguise(self, service: str) -> None:
        """Recreate it without."""
        self._compose("up", "--detach", "--no-deps", service, limit_s=120)

    def simulator_url(self) -> str:
        """Return the simulator's address on its Compose network."""
        return f"http://{self._host('simulator')}:{SIMULATOR_PORT}"

    def postgres(self) -> Address:
        """Return PostgreSQL's present address."""
        return Address(host=self._host("postgres"), port=5432, password=self._passwords["postgres"])

    def redis(self) -> Address:
        """Return Redis's present address."""
        return Address(host=self._host("redis"), port=6379, password=self._passwords["redis"])

    def health(self, service: str) -> list[dict[str, Any]]:
        """Ask each replica at its own address."""
        return [_health(f"http://{host}:{METRICS_PORT}") for host in self._hosts(service)]

    def metrics(self, service: str) -> list[str]:
        """Ask each replica at its own address."""
        return [_asked(f"http://{host}:{METRICS_PORT}/metrics").text for host in self._hosts(service)]

    def in_redis_data(self, script: str) -> None:
        """Run it in Redis's container, as Redis's user."""
        self._compose("exec", "-T", "--workdir", "/data", "redis", "sh", "-euc", script)

    def fill_spool(self, left_bytes: int) -> None:
        """Write a file that takes the rest of the spool's volume."""
        self._in_spool(FILL, LEFT=str(left_bytes))

    def free_spool(self) -> None:
        """Delete that file."""
        self._in_spool(f"rm -f {FILLER}")

    def logs(self, service: str) -> str:
        """Return the last lines of a service's log."""
        return self._compose("logs", "--no-color", "--no-log-prefix", "--tail", "30", service)

    def _in_spool(self, script: str, **environ: str) -> None:
        values = [word for name, value in environ.items() for word in ("--env", f"{name}={value}")]
        self._compose("exec", "-T", *values, "--workdir", "/var/lib/nightdesk/spool", KEEPER, "sh", "-euc", script)

    def _host(self, service: str) -> str:
        """A restarted container may come back with another address."""
        for host in self._hosts(service):
            return host
        raise UnavailableError(f"{service} has no address now")

    def _hosts(self, service: str) -> list[str]:
        running = [one for one in self._inspect(service) if int(one["State"]["Pid"])]
        running.sort(key=lambda one: _started(int(one["State"]["Pid"])))
        addresses = ([n["IPAddress"] for n in one["NetworkSettings"]["Networks"].values()] for one in running)
        return [next(filter(None, found)) for found in addresses if any(found)]

    def _inspect(self, service: str) -> list[dict[str, Any]]:
        wanted = (f"label=com.docker.compose.project={self._project}", f"label=com.docker.compose.service={service}")
        filters = [word for one in wanted for word in ("--filter", one)]
        containers = _output("docker", "ps", "--all", "--quiet", *filters).split()
        return list(json.loads(_output("docker", "inspect", *containers))) if containers else []

    def _secret(self, service: str, name: str) -> str:
        return self._compose("exec", "-T", service, "cat", f"/run/secrets/{name}").strip()

    def _compose(self, *arguments: str, limit_s: float = COMMAND_LIMIT_S, files: Sequence[Path] | None = None) -> str:
        named = [word for file in files or self._files for word in ("--file", str(file))]
        command = ("docker", "compose", "--project-name", self._project, *named, "--env-file", os.devnull)
        return _output(*command, *arguments, limit_s=limit_s, environ=self._environ)


@contextmanager
def running(on: str, *, long: bool = False) -> Iterator[Stack]:
    """Run a private stack, ``compose`` or ``local``, and remove every trace of it afterwards.

    Its spool has a small disk of its own, unless it is ``long``: then frames are small and the disk is the machine's.
    """
    environ = LONG_ENVIRON if long else ENVIRON
    with _local(environ, small_spool=not long) if on == "local" else _compose(environ, small_spool=not long) as stack:
        yield stack


@contextmanager
def _local(environ: Mapping[str, str], *, small_spool: bool) -> Iterator[Stack]:
    with contextlib.ExitStack() as after:
        disk = after.enter_context(_disk()) if small_spool else None
        prepare = (lambda layout: layout.spool.symlink_to(disk)) if disk else _nothing
        found = after.enter_context(local.private_stack(services=SERVICES, environ=environ, prepare=prepare))
        stack = LocalStack(found, small_spool=disk is not None)
        after.callback(stack.end_copies)
        yield stack


@contextmanager
def _compose(environ: Mapping[str, str], *, small_spool: bool) -> Iterator[Stack]:
    stack = ComposeStack(f"nightdesk-chaos-{os.getpid()}", small_spool=small_spool, environ=environ)
    try:
        stack.start_all()
        yield stack
    finally:
        stack.remove()


@contextmanager
def _disk() -> Iterator[Path | None]:
    """A disk of ``SPOOL_DISK_BYTES`` in memory; None where nobody lets us mount one."""
    directory = Path(tempfile.mkdtemp(prefix="nightdesk-spool-"))
    try:
        mounted = _mounted(directory)
        try:
            yield directory if mounted else None
        finally:
            if mounted:
                _as_root("umount", "--lazy", str(directory))
    finally:
        directory.rmdir()


def _mounted(directory: Path) -> bool:
    """Mount a small disk there; False where nobody lets us."""
    try:
        _as_root("mount", "-t", "tmpfs", "-o", f"size={SPOOL_DISK_BYTES},mode=1777", "tmpfs", str(directory))
    except UnavailableError:
        return False
    return True


def suspend(process_id: int) -> None:
    """SIGSTOP a process."""
    send(process_id, signal.SIGSTOP)


def wake(process_id: int) -> None:
    """SIGCONT a process; nothing when it is gone."""
    with contextlib.suppress(UnavailableError, ProcessLookupError):
        send(process_id, signal.SIGCONT)


def resident_bytes(process_id: int) -> int:
    """Return the memory a process holds now, 0 once it is gone (Linux: proc(5))."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        resident_pages = Path(f"/proc/{process_id}/statm").read_text(encoding="ascii").split()[1]
        return int(resident_pages) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _kill(process_id: int) -> float:
    at_s = time.time()
    send(process_id, signal.SIGKILL)
    deadline_s = time.monotonic() + DEATH_LIMIT_S
    while resident_bytes(process_id):
        if time.monotonic() > deadline_s:
            raise UnavailableError(f"process {process_id} outlived SIGKILL by {DEATH_LIMIT_S:.0f} s")
        time.sleep(0.005)
    return at_s


def send(process_id: int, number: signal.Signals) -> None:
    """Send a signal; raises ProcessLookupError or UnavailableError when there is nobody to take it."""
    try:
        os.kill(process_id, number)
    except PermissionError:
        # A container's process belongs to another user; where sudo asks no password it may.
        _output("sudo", "--non-interactive", "kill", f"-{number.value}", str(process_id))


def _as_root(*command: str) -> None:
    _output(*(() if os.geteuid() == 0 else ("sudo", "--non-interactive")), *command)


def _started(process_id: int) -> int:
    """When a process began, in the kernel's ticks; what is gone comes last (Linux: proc(5))."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        after_name = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2]
        return int(after_name.split()[19])
    return sys.maxsize


def _health(url: str) -> dict[str, Any]:
    """503 has a body as well."""
    return dict(_asked(f"{url}/health").json())


def _asked(url: str) -> requests.Response:
    try:
        return requests.get(url, timeout=(1.0, 3.0))
    except requests.RequestException as error:
        raise UnavailableError(f"{url}: {error}") from error


def _nothing(_layout: programs.Layout) -> None:
    """The spool is where it always is."""


def _first(process_ids: list[int], service: str) -> int:
    if not process_ids:
        raise UnavailableError(f"{service} does not run")
    return process_ids[0]


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[name] for name in PASSED_ON if name in environ}


def _output(
    *command: str, limit_s: float = COMMAND_LIMIT_S, environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> str:  # fmt: skip
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=limit_s, cwd=directory,
            env={**_environment(os.environ), **(environ or {})},
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        raise UnavailableError(f"{' '.join(command[:4])}...: {error.stderr.strip()[-2000:]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{' '.join(command[:4])}...: {error}") from error
    return done.stdout
