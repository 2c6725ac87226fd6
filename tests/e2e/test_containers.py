"""What compose.yaml promises, seen from inside the running containers."""

import socket
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from services.init.plan import SERVICES as SECRET_READERS
from services.init.plan import places
from tests.e2e.stack import PORTS, PROJECT, Desk

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
RUNNING = ("redis", "postgres", "simulator", "collector", "worker", "api", "prometheus", "grafana")
NO_CAPABILITY = "0" * 16


def compose(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["docker", "compose", "--project-name", PROJECT, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def inside(service: str, script: str) -> subprocess.CompletedProcess[str]:
    return compose("exec", "-T", service, "sh", "-c", script)


@pytest.fixture(scope="module", autouse=True)
def _running(desk: Desk) -> None:
    """Everything below looks into the running stack."""


@pytest.fixture(params=RUNNING)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@cache
def status_of(service: str) -> dict[str, str]:
    lines = inside(service, "cat /proc/1/status").stdout.splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_its_process_is_not_root(service: str) -> None:
    assert "0" not in status_of(service)["Uid"].split()


def test_its_process_has_no_capability_and_can_gain_none(service: str) -> None:
    status = status_of(service)

    assert {status["CapEff"], status["CapPrm"], status["CapBnd"]} == {NO_CAPABILITY}
    assert status["NoNewPrivs"] == "1"


def test_its_root_file_system_takes_no_file(service: str) -> None:
    done = inside(service, "grep ' / ' /proc/mounts; touch /etc/intruder")

    assert " ro," in done.stdout
    assert done.returncode != 0


def test_it_sees_its_own_secrets_and_no_others(service: str) -> None:
    expected = {place.name for place in places() if place.service == service}

    assert set(inside(service, "ls /run/secrets 2>/dev/null").stdout.split()) == expected


@pytest.mark.parametrize("reader", sorted(set(SECRET_READERS) & set(RUNNING)))
def test_secrets_can_be_read_and_not_written(reader: str) -> None:
    name = next(place.name for place in places() if place.service == reader)

    assert inside(reader, f"test -s /run/secrets/{name}").returncode == 0
    assert inside(reader, "touch /run/secrets/intruder").returncode != 0


@pytest.mark.parametrize("name", ["redis", "postgres"])
def test_a_database_publishes_no_port(name: str) -> None:
    assert compose("port", name, {"redis": "6379", "postgres": "5432"}[name]).stdout.strip() in {"", ":0"}


@pytest.mark.parametrize("service", ["worker"])
def test_a_service_of_the_inner_network_cannot_reach_the_world(service: str) -> None:
    script = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=3)"

    done = inside(service, f'python -c "{script}"')

    assert "Network is unreachable" in done.stderr


@pytest.mark.parametrize("name", sorted(PORTS))
def test_a_published_port_answers_on_this_machine(desk: Desk, name: str) -> None:
    address = urlsplit(desk.url(name))

    assert address.hostname == "127.0.0.1"
    with socket.create_connection((address.hostname, address.port or 80), timeout=5):
        pass


@pytest.fixture(scope="module")
def secrets() -> set[str]:
    return {
        inside(place.service, f"cat /run/secrets/{place.name}").stdout
        for place in places()
        if place.service in RUNNING and not place.name.endswith(".conf")
    }


def test_no_secret_is_in_a_container_s_environment(service: str, secrets: set[str]) -> None:
    environment = compose("exec", "-T", service, "env").stdout

    assert "" not in secrets
    assert not [secret for secret in secrets if secret in environment]
