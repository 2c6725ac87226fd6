"""Redis and PostgreSQL in the containers that compose.yaml runs, on chosen cores and on the machine's own network.

Their data lie in volumes that go with the containers.
"""

import secrets
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import psycopg
import redis as redis_driver
import yaml

from deploy.databases import RunningPostgres, RunningRedis, free_port
from nightdesk.errors import UnavailableError

HOST: Final = "127.0.0.1"
START_LIMIT_S: Final = 60.0

Cores: TypeAlias = frozenset[int]


@contextmanager
def redis(compose: Path, cores: Cores) -> Iterator[RunningRedis]:
    """Run an empty Redis until the block ends."""
    port = free_port()
    command = ["redis-server", "--bind", HOST, "--port", str(port), "--appendonly", "yes", "--save", ""]
    with _container(_image(compose, "redis"), cores, [], command) as identity:
        _wait_until(lambda: _redis_answers(port), identity)
        yield RunningRedis(host=HOST, port=port, process_id=_process_id(identity))


@contextmanager
def postgres(compose: Path, cores: Cores, settings: Mapping[str, str]) -> Iterator[RunningPostgres]:
    """Run an empty PostgreSQL with these settings until the block ends."""
    port, password = free_port(), secrets.token_urlsafe(24)
    chosen = {**settings, "listen_addresses": HOST, "port": str(port)}
    command = ["postgres", *(f"-c{name}={value}" for name, value in chosen.items())]
    options = ["--shm-size", "128m", "--env", f"POSTGRES_PASSWORD={password}"]
    options += ["--env", "POSTGRES_INITDB_ARGS=--auth-host=scram-sha-256 --data-checksums"]
    with _container(_image(compose, "postgres"), cores, options, command) as identity:
        server = RunningPostgres(host=HOST, port=port, password=password, process_id=_process_id(identity))
        # Over TCP: while the data are prepared, the server listens on its socket only.
        _wait_until(lambda: _postgres_answers(server), identity)
        yield server


def fetch(compose: Path) -> None:
    """See that the images are here; raises UnavailableError when they cannot be had."""
    for service in ("redis", "postgres"):
        image = _image(compose, service)
        known = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False)
        if known.returncode:
            _output(["docker", "pull", image])


def listed(cores: Cores) -> str:
    """Return cores as Docker lists them."""
    return ",".join(map(str, sorted(cores)))


def _image(compose: Path, service: str) -> str:
    image: str = yaml.safe_load(compose.read_text(encoding="utf-8"))["services"][service]["image"]
    return image


@contextmanager
def _container(image: str, cores: Cores, options: Sequence[str], command: Sequence[str]) -> Iterator[str]:
    start = [
        "docker",
        "run",
        "--detach",
        "--network",
        "host",
        "--cpuset-cpus",
        listed(cores),
        *options,
        image,
        *command,
    ]
    identity = _output(start)
    try:
        yield identity
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", identity], capture_output=True, check=False)


def _process_id(identity: str) -> int:
    return int(_output(["docker", "inspect", "--format", "{{.State.Pid}}", identity]))


def _wait_until(ready: Callable[[], bool], identity: str) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while not ready():
        if time.monotonic() > deadline:
            said = subprocess.run(
                ["docker", "logs", "--tail", "20", identity], capture_output=True, text=True, check=False
            )
            raise UnavailableError(f"a container did not start:\n{said.stderr}")
        time.sleep(0.1)


def _redis_answers(port: int) -> bool:
    try:
        with redis_driver.Redis(host=HOST, port=port) as client:
            return bool(client.ping())
    except redis_driver.RedisError:
        return False


def _postgres_answers(server: RunningPostgres) -> bool:
    try:
        psycopg.connect(server.url(), password=server.password, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnavailableError(f"{' '.join(command[:2])}: {done.stderr.strip()}")
    return done.stdout.strip()
