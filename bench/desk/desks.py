"""Start a private desk, all its services, where the real one would run; know its processes and addresses."""

import http.client
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import psycopg
import redis

from bench.desk import processes
from bench.place import SOURCE
from bench.workbench import MeasurementError
from deploy.local import stack as local
from nightdesk.errors import UnavailableError

LOCAL_SERVICES: Final = ("simulator", "collector", "worker", "api", "alerter")
PASSWORDS: Final = {"redis": "redis-password", "postgres": "superuser-password"}
UP_LIMIT_S: Final = 420.0
"""The first start may build the image."""
COMMAND_LIMIT_S: Final = 120.0
HTTP_LIMIT_S: Final = 15.0
PORTS_IN_COMPOSE: Final = {"simulator": 8090, "collector": 9100, "worker": 9100, "api": 8000}
ENVIRONMENT: Final = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR", "TMPDIR")
"""What of this environment a desk sees: a user's FEEDS has no business in a measurement."""


class Desk(Protocol):
    """One running desk."""

    on: str
    """``compose`` or ``local``."""

    def main_processes(self) -> dict[str, list[int]]:
        """Return the main processes of every service that runs, by service."""

    def address(self, service: str) -> tuple[str, int]:
        """Return where a service answers HTTP; of several replicas, the first."""

    def database(self) -> "psycopg.Connection[Any]":
        """Connect to the database ``nightdesk`` as its superuser."""

    def redis(self) -> "redis.Redis":
        """Return a client of Redis."""


class LocalDesk:
    """Processes under supervisord."""

    on = "local"

    def __init__(self, stack: local.Stack) -> None:
        self._stack = stack

    def main_processes(self) -> dict[str, list[int]]:
        """Return the processes that supervisord keeps running."""
        found: dict[str, list[int]] = {}
        for one in self._stack.programs():
            if one.pid:
                found.setdefault(one.name.partition("-")[0], []).append(one.pid)
        return found

    def address(self, service: str) -> tuple[str, int]:
        """Return a port of this machine."""
        ports = self._stack.ports
        return "127.0.0.1", ports[next(name for name in ports if name.partition("-")[0] == service)]

    def database(self) -> "psycopg.Connection[Any]":
        """Connect."""
        password = self._stack.database_password("postgres")
        return psycopg.connect(self._stack.database_url("postgres"), password=password, autocommit=True)

    def redis(self) -> "redis.Redis":
        """Return a client."""
        return redis.Redis.from_url(self._stack.redis_url(), password=self._stack.secret("redis", "redis-password"))


class ComposeDesk:
    """Containers of a Compose project of its own."""

    on = "compose"

    def __init__(self, project: str, environ: Mapping[str, str], overrides: Sequence[Path]) -> None:
        self._project = project
        self._environ = environ
        files = (SOURCE / "compose.yaml", *overrides)
        self._files = [word for file in files for word in ("--file", str(file))]
        self._passwords: dict[str, str] = {}

    def start(self) -> None:
        """Build the image if it is out of date and start everything; raises UnavailableError with what was said."""
        self._compose("up", "--detach", "--build", "--wait", limit_s=UP_LIMIT_S)
        self._passwords = {service: self._secret(service, name) for service, name in PASSWORDS.items()}

    def remove(self) -> None:
        """Remove containers, volumes and networks."""
        self._compose("down", "--volumes", "--remove-orphans", "--timeout", "5")

    def main_processes(self) -> dict[str, list[int]]:
        """Return the main processes of the containers, by the host's ids."""
        found: dict[str, list[int]] = {}
        for one in self._inspect():
            if one["State"]["Pid"]:
                found.setdefault(_service_of(one), []).append(int(one["State"]["Pid"]))
        return found

    def address(self, service: str) -> tuple[str, int]:
        """Return a container's own address."""
        return self._host(service), PORTS_IN_COMPOSE[service]

    def database(self) -> "psycopg.Connection[Any]":
        """Connect."""
        url = f"postgresql://postgres@{self._host('postgres')}:5432/nightdesk"
        return psycopg.connect(url, password=self._passwords["postgres"], autocommit=True)

    def redis(self) -> "redis.Redis":
        """Return a client."""
        return redis.Redis(host=self._host("redis"), password=self._passwords["redis"])

    def _secret(self, service: str, name: str) -> str:
        return self._compose("exec", "-T", service, "cat", f"/run/secrets/{name}").strip()

    def _host(self, service: str) -> str:
        for one in self._inspect():
            networks = one["NetworkSettings"]["Networks"].values()
            if _service_of(one) == service and any(network["IPAddress"] for network in networks):
                return next(str(network["IPAddress"]) for network in networks if network["IPAddress"])
        raise UnavailableError(f"{service} has no address")

    def _inspect(self) -> list[dict[str, Any]]:
        label = f"label=com.docker.compose.project={self._project}"
        containers = _output("docker", "ps", "--all", "--quiet", "--filter", label).split()
        return list(json.loads(_output("docker", "inspect", *containers))) if containers else []

    def _compose(self, *arguments: str, limit_s: float = COMMAND_LIMIT_S) -> str:
        command = ("docker", "compose", "--project-name", self._project, *self._files, "--env-file", os.devnull)
        return _output(*command, *arguments, limit_s=limit_s, environ=self._environ)


@contextmanager
def running(on: str, environ: Mapping[str, str], *, recording: Path | None = None) -> Iterator[Desk]:
    """Run a desk, ``compose`` or ``local``, on a recording or on the simulator's market; remove every trace of it.

    ``environ`` is what an ``.env`` would say.
    """
    if on == "local":
        replay = {"SIMULATOR_REPLAY": str(recording)} if recording else {}
        with local.private_stack(services=LOCAL_SERVICES, environ={**environ, **replay}) as stack:
            yield LocalDesk(stack)
        return
    desk = _compose_desk(environ, recording)
    try:
        desk.start()
        yield desk
    finally:
        desk.remove()


def _compose_desk(environ: Mapping[str, str], recording: Path | None) -> ComposeDesk:
    here, overrides, variables = Path(__file__).parent, ["compose.yaml"], dict(environ)
    if recording is not None:
        overrides.append("replay.compose.yaml")
        variables["BENCH_RECORDINGS"] = str(recording.parent)
        variables["SIMULATOR_REPLAY"] = f"/var/lib/nightdesk/recordings/{recording.name}"
    return ComposeDesk(f"nightdesk-bench-{os.getpid()}", variables, [here / name for name in overrides])


def mode() -> str:
    """Return where the desk runs here: ``compose`` or ``local``."""
    return _output(str(SOURCE / "deploy" / "mode"), environ={"ON": os.environ.get("ON", "")}).strip()


def families(desk: Desk) -> dict[str, list[int]]:
    """Return every process of a desk by service: the main ones and all that descend from them."""
    return {
        service: [one for main in mains for one in processes.family(main)]
        for service, mains in desk.main_processes().items()
    }


def get(desk: Desk, service: str, path: str) -> bytes:
    """Return what a service answers; raises OSError or HTTPException."""
    return _request(desk, service, "GET", path)


def get_json(desk: Desk, service: str, path: str) -> dict[str, Any]:
    """Return a JSON object that a service answers."""
    return dict(json.loads(get(desk, service, path)))


def post(desk: Desk, path: str, body: Mapping[str, object]) -> None:
    """Tell the simulator something."""
    _request(desk, "simulator", "POST", path, json.dumps(body))


def wait_until(happened: Callable[[], bool], limit_s: float, what: str) -> None:
    """Ask twice a second; raises MeasurementError when it has not happened in time."""
    deadline_s = time.monotonic() + limit_s
    while not happened():
        if time.monotonic() > deadline_s:
            raise MeasurementError(f"after {limit_s:.0f} s still not: {what}")
        time.sleep(0.5)


def _request(desk: Desk, service: str, method: str, path: str, body: str | None = None) -> bytes:
    connection = http.client.HTTPConnection(*desk.address(service), timeout=HTTP_LIMIT_S)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise MeasurementError(f"{service}{path} answers {answer.status}: {text[:300]!r}")
    return text


def _service_of(container: Mapping[str, Any]) -> str:
    return str(container["Config"]["Labels"]["com.docker.compose.service"])


def _output(*command: str, limit_s: float = COMMAND_LIMIT_S, environ: Mapping[str, str] | None = None) -> str:
    passed = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=limit_s, env={**passed, **(environ or {})}
        )
    except subprocess.CalledProcessError as error:
        raise UnavailableError(f"{' '.join(command[:4])}...: {error.stderr.strip()[-2000:]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{' '.join(command[:4])}...: {error}") from error
    return done.stdout
