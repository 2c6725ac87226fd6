"""What compose.yaml promises, seen from inside the running containers."""

import socket
from urllib.parse import urlsplit

import pytest

from services.init.plan import SERVICES as SECRET_READERS
from services.init.plan import places
from tests.e2e.stack import PORTS, Desk

pytestmark = pytest.mark.e2e

RUNNING = (
    "redis",
    "postgres",
    "simulator",
    "collector",
    "worker",
    "api",
    "alerter",
    "scheduler",
    "jobs",
    "prometheus",
    "grafana",
)
NO_CAPABILITY = "0" * 16
REFUSED = "refused"


@pytest.fixture(params=RUNNING)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def inside(desk: Desk, service: str, script: str) -> str:
    """Return what a script prints inside a container, and whether it failed as the last line."""
    return desk.compose("exec", "-T", service, "sh", "-c", f"({script}) 2>&1 || echo {REFUSED}")


def status_of(desk: Desk, service: str) -> dict[str, str]:
    lines = inside(desk, service, "cat /proc/1/status").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_its_process_is_not_root_and_has_no_capability_and_can_gain_none(desk: Desk, service: str) -> None:
    status = status_of(desk, service)

    assert "0" not in status["Uid"].split()
    assert {status["CapEff"], status["CapPrm"], status["CapBnd"]} == {NO_CAPABILITY}
    assert status["NoNewPrivs"] == "1"


def test_its_root_file_system_takes_no_file(desk: Desk, service: str) -> None:
    said = inside(desk, service, "grep ' / ' /proc/mounts; touch /etc/intruder")

    assert " ro," in said
    assert said.splitlines()[-1] == REFUSED


def test_it_sees_its_own_secrets_and_no_others(desk: Desk, service: str) -> None:
    expected = {place.name for place in places() if place.service == service}

    assert set(inside(desk, service, "ls /run/secrets 2>/dev/null || true").split()) == expected


@pytest.mark.parametrize("reader", sorted(set(SECRET_READERS) & set(RUNNING)))
def test_secrets_can_be_read_and_not_written(desk: Desk, reader: str) -> None:
    name = next(place.name for place in places() if place.service == reader)

    assert inside(desk, reader, f"test -s /run/secrets/{name}") == ""
    assert REFUSED in inside(desk, reader, "touch /run/secrets/intruder")


@pytest.mark.parametrize("name", ["redis", "postgres", "worker"])
def test_a_container_of_the_inner_network_alone_cannot_reach_the_world(desk: Desk, name: str) -> None:
    # Without a gateway the kernel's table has no line for 0.0.0.0.
    routes = inside(desk, name, "cat /proc/net/route").splitlines()[1:]

    assert routes
    assert not [line for line in routes if line.split()[1] == "00000000"]


@pytest.mark.parametrize("name", sorted(PORTS))
def test_a_published_port_answers_on_this_machine_only(desk: Desk, name: str) -> None:
    address = urlsplit(desk.url(name))

    assert address.hostname == "127.0.0.1"
    with socket.create_connection((address.hostname, address.port or 0), timeout=5):
        pass


@pytest.fixture(scope="module")
def secrets(desk: Desk) -> set[str]:
    return {
        inside(desk, place.service, f"cat /run/secrets/{place.name}")
        for place in places()
        if place.service in RUNNING and not place.name.endswith(".conf")
    }


def test_no_secret_is_in_a_containers_environment(desk: Desk, service: str, secrets: set[str]) -> None:
    environment = desk.compose("exec", "-T", service, "env")

    assert "" not in secrets
    assert not [secret for secret in secrets if secret in environment]


def test_no_secret_is_in_any_log(desk: Desk, secrets: set[str]) -> None:
    logs = desk.compose("logs", "--no-color")

    assert not [secret for secret in secrets if secret in logs]
