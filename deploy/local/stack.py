"""A whole desk as processes of this machine: databases, migrations, services, all kept running by supervisord.

``make up`` runs one in ``.local``; replays and the chaos harness run private ones elsewhere, on ports of their own:

    with private_stack(services=("simulator", "collector", "worker")) as stack:
        stack.kill("worker")                  # SIGKILL; supervisord starts it again
        stack.url("simulator")                # http://127.0.0.1:40123
        stack.database_url("nightdesk_reader")
"""

import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import psycopg
import redis

from deploy import databases
from deploy.local import compose, machine, programs, prometheus
from deploy.local.programs import HOST, PREFERRED_PORTS, Layout, Program
from deploy.local.supervisor import ProgramState, Supervisor, configuration
from nightdesk.errors import ConfigurationError, UnavailableError
from services.init import app as init
from services.init import directories
from services.init.plan import SERVICES as SECRET_READERS

SOURCE: Final = Path(__file__).resolve().parents[2]
SERVICES: Final = ("simulator", "collector", "worker", "api", "alerter", "scheduler", "jobs")
WATCHES_PROMETHEUS: Final = "alerter"
"""Has nothing to watch where there is no Prometheus, and is left out with it."""

DATABASES: Final = ("redis", "postgres")
ROLE_SECRETS: Final = {
    "postgres": "superuser-password",
    "nightdesk_owner": "owner-password",
    "nightdesk_writer": "writer-password",
    "nightdesk_reader": "reader-password",
    "nightdesk_clerk": "clerk-password",
}
DATABASE_NAME: Final = "nightdesk"
READY_LIMIT_S: Final = 30.0
TAIL_LINES: Final = 12


class Stack:
    """One desk in one directory; starting, asking, killing, stopping it."""

    def __init__(
        self,
        root: Path,
        *,
        services: Sequence[str] = SERVICES,
        environ: Mapping[str, str],
        own_variables: Mapping[str, Mapping[str, str]] | None = None,
        preferred_ports: Mapping[str, int] = PREFERRED_PORTS,
        source: Path = SOURCE,
        ready_limit_s: float = READY_LIMIT_S,
    ) -> None:
        """Describe it; ``own_variables`` are those of one service alone, which compose.yaml's come before."""
        self._ready_limit_s = ready_limit_s
        self.layout = Layout(root=root)
        self._source = source
        self._preferred = preferred_ports
        self._compose = (source / "compose.yaml").read_text(encoding="utf-8")
        self._prometheus = machine.find_prometheus()
        own = own_variables or {}
        self._ours = {
            name: replace(service, environment={**own.get(name, {}), **service.environment})
            for name, service in compose.our_services(self._compose, environ).items()
        }
        self._services = [self._ours[name] for name in services if self._prometheus or name != WATCHES_PROMETHEUS]
        self.supervisor = Supervisor(root)

    @property
    def ports(self) -> dict[str, int]:
        """The port of every process, by name; empty before the first start."""
        try:
            return dict(json.loads(self.layout.ports.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}

    @property
    def process_names(self) -> list[str]:
        """The services' processes: ``worker``, or ``worker-1``, ``worker-2``..."""
        return [name for service in self._services for name in programs.names_of(service)]

    def start(self) -> None:
        """Start everything and return once it serves; raises ConfigurationError or UnavailableError."""
        if self.supervisor.runs():
            raise ConfigurationError(f"the desk already runs in {self.layout.root}; `make down` stops it")
        machine.ensure_databases()
        self._make_directories()
        self._make_secrets()
        self._choose_ports()
        databases.initialise_postgres(self.layout.postgres, self.secret("postgres", "superuser-password"))
        everything = [*self._database_programs(), *self._service_programs(), *self._prometheus_programs()]
        self.supervisor.start(
            configuration(everything, socket=self.supervisor.socket, directory=self.layout.root, logs=self.layout.logs)
        )
        for name in DATABASES:
            self.supervisor.start_program(name)
        self._wait("redis", self._redis_answers)
        self._wait("postgres", self._postgres_answers)
        self._migrate()
        self._start_programs([program.name for program in everything if not program.is_database])

    def stop(self) -> None:
        """Stop everything in order, databases last; the data stays."""
        self.supervisor.shut_down()

    def programs(self) -> list[ProgramState]:
        """Return what supervisord says of every program."""
        return self.supervisor.programs()

    def pid(self, name: str) -> int:
        """Return a program's process id, 0 while it does not run."""
        return self.supervisor.pid(name)

    def kill(self, name: str, request: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to a program and return the process id that got it; supervisord restarts what ends."""
        pid = self.pid(name)
        if pid == 0:
            raise UnavailableError(f"{name} does not run")
        os.kill(pid, request)
        return pid

    def url(self, name: str) -> str:
        """Return the HTTP address of a process."""
        return f"http://{HOST}:{self.ports[name]}"

    def environment(self, name: str) -> dict[str, str]:
        """Return the variables that a process is started with."""
        service = self._ours[name.partition("-")[0]]
        return programs.environment_of(service, name, layout=self.layout, ports=self.ports)

    def redis_url(self) -> str:
        """Return Redis's address, without the password (secret ``redis-password``)."""
        return f"redis://{HOST}:{self.ports['redis']}/0"

    def database_url(self, role: str, *, database: str = DATABASE_NAME) -> str:
        """Return the address of a database for a role, without the password (see ``database_password``)."""
        return f"postgresql://{role}@{HOST}:{self.ports['postgres']}/{database}"

    def database_password(self, role: str) -> str:
        """Return a role's password."""
        return self.secret("migrate", ROLE_SECRETS[role])

    def secret(self, service: str, name: str) -> str:
        """Return one secret of one service."""
        return (self.layout.secrets / service / name).read_text(encoding="ascii")

    def is_live(self, name: str) -> bool:
        """Return whether a process answers /livez with 200."""
        connection = http.client.HTTPConnection(HOST, self.ports[name], timeout=3)
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _start_programs(self, names: Sequence[str]) -> None:
        """Start all, each once the one before serves, since it may need it; raise at the end what went wrong."""
        problems: list[str] = []
        for name in names:
            self.supervisor.start_program(name)
            try:
                self._wait(name, partial(self._serves, name))
            except UnavailableError as error:
                problems.append(str(error))
        if problems:
            raise UnavailableError("\n".join([*problems, "everything else runs"]))

    def _serves(self, name: str) -> bool:
        return name not in self.process_names or self.is_live(name)

    def _make_directories(self) -> None:
        layout = self.layout
        for directory in (
            layout.logs, layout.spool, layout.recordings, layout.alerter, layout.redis, layout.prometheus,
        ):  # fmt: skip
            directory.mkdir(parents=True, exist_ok=True)
        layout.postgres.parent.mkdir(parents=True, exist_ok=True)
        for reader in SECRET_READERS:
            (layout.secrets / reader).mkdir(parents=True, exist_ok=True)
        layout.secrets.chmod(0o700)

    def _make_secrets(self) -> None:
        data = directories.existing_data(self.layout.data)
        try:
            init.fill(self.layout.secrets, data=data, new_value=lambda: secrets.token_urlsafe(32), renew=False)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"{self.layout.secrets} has lost secrets that {self.layout.data} needs: put them back from a backup, or"
                f" remove {self.layout.root} to start empty"
            ) from error

    def _choose_ports(self) -> None:
        names = [*DATABASES, *self.process_names, *(["prometheus"] if self._prometheus else [])]
        preferred = {name: self._preferred[name] for name in names if name in self._preferred}
        chosen = machine.choose_ports(names, preferred, self.ports)
        self.layout.ports.write_text(json.dumps(chosen, indent=2), encoding="utf-8")

    def _database_programs(self) -> list[Program]:
        port = self.ports["redis"]
        delivered = (self._source / "deploy" / "redis" / "redis.conf").read_text(encoding="utf-8")
        file = self.layout.root / "redis.conf"
        file.write_text(programs.redis_configuration(delivered, layout=self.layout, port=port), encoding="utf-8")
        settings = compose.postgres_settings(self._compose)
        return [
            Program(
                name="redis",
                command=(str(databases.find_redis()), str(file)),
                directory=self.layout.redis,
                is_database=True,
            ),
            Program(
                name="postgres",
                command=tuple(databases.postgres_command(self.layout.postgres, self.ports["postgres"], settings)),
                directory=Path("/"),
                user=databases.unprivileged_user(),
                # SIGTERM would wait for every client to leave.
                stop_signal="INT",
                stop_wait_s=60,
                is_database=True,
            ),
        ]

    def _service_programs(self) -> list[Program]:
        return [
            program
            for service in self._services
            for program in programs.programs_of(
                service, python=sys.executable, source=self._source, layout=self.layout, ports=self.ports
            )
        ]

    def _prometheus_programs(self) -> list[Program]:
        delivered = self._source / "prometheus" / "prometheus.yml"
        if self._prometheus is None or not delivered.exists():
            return []
        file = self.layout.root / "prometheus.yml"
        text = delivered.read_text(encoding="utf-8")
        file.write_text(prometheus.localised(text, ports=self.ports, rules=delivered.parent), encoding="utf-8")
        command = (
            str(self._prometheus),
            f"--config.file={file}",
            f"--storage.tsdb.path={self.layout.prometheus}",
            "--storage.tsdb.retention.time=15d",
            f"--web.listen-address={HOST}:{self.ports['prometheus']}",
        )
        return [Program(name="prometheus", command=command, directory=self.layout.root)]

    def _migrate(self) -> None:
        log = self.layout.logs / "migrate.log"
        with log.open("ab") as output:
            done = subprocess.run(
                [sys.executable, *self._ours["migrate"].command[1:]],
                env={**self.environment("migrate"), "PATH": os.environ.get("PATH", os.defpath)},
                cwd=self._source,
                stdout=output,
                stderr=output,
                check=False,
            )
        if done.returncode:
            raise UnavailableError(f"migrate failed; {log} ends with:\n{_tail(log)}")

    def _wait(self, name: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self._ready_limit_s
        while not ready():
            if time.monotonic() > deadline:
                log = self.layout.logs / f"{name}.log"
                raise UnavailableError(
                    f"{name} is not ready after {self._ready_limit_s:.0f} s; {log} ends with:\n{_tail(log)}"
                )
            time.sleep(0.1)

    def _redis_answers(self) -> bool:
        password = self.secret("redis", "redis-password")
        try:
            with redis.Redis(host=HOST, port=self.ports["redis"], password=password, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _postgres_answers(self) -> bool:
        """Connect as the superuser, and make the database when it is not there."""
        url = self.database_url("postgres", database="postgres")
        try:
            with psycopg.connect(url, password=self.database_password("postgres"), autocommit=True) as connection:
                known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE_NAME]).fetchone()
                if known is None:
                    connection.execute("CREATE DATABASE nightdesk")
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def private_stack(
    *,
    services: Sequence[str] = SERVICES,
    environ: Mapping[str, str] | None = None,
    source: Path = SOURCE,
    ready_limit_s: float = READY_LIMIT_S,
    keep: bool = False,
    prepare: Callable[[Layout], None] = lambda _: None,
) -> Iterator[Stack]:
    """Run a stack of one's own in a temporary directory on free ports; remove it afterwards unless ``keep``.

    ``prepare`` may put things into the empty directory before anything starts.
    """
    root = Path(tempfile.mkdtemp(prefix="nightdesk-"))
    # PostgreSQL may run as another user, who must be able to enter.
    root.chmod(0o755)
    stack = Stack(
        root,
        services=services,
        environ=environ or {},
        preferred_ports={},
        source=source,
        ready_limit_s=ready_limit_s,
    )
    try:
        prepare(stack.layout)
        stack.start()
        yield stack
    finally:
        if stack.supervisor.runs():
            stack.stop()
        if not keep:
            shutil.rmtree(root)


def _tail(file: Path) -> str:
    if not file.exists():
        return "(it is empty)"
    return "\n".join(file.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:])
