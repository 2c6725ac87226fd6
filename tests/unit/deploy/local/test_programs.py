"""Services of Compose as processes of one machine."""

from pathlib import Path

from deploy.local.compose import Service
from deploy.local.programs import Layout, environment_of, names_of, programs_of, redis_configuration

LAYOUT = Layout(root=Path("/state"))
PORTS = {"redis": 1001, "postgres": 1002, "simulator": 1003, "collector": 1004, "worker": 1005, "api": 1006}


def a_service(name: str, replicas: int = 1, **environment: str) -> Service:
    command = ("python", "-m", f"services.{name}")
    return Service(name=name, command=command, environment=environment, replicas=replicas)


def environment(service: Service) -> dict[str, str]:
    return environment_of(service, service.name, layout=LAYOUT, ports=PORTS)


def test_one_replica_bears_the_services_name() -> None:
    assert names_of(a_service("worker")) == ["worker"]


def test_several_replicas_are_numbered() -> None:
    assert names_of(a_service("worker", replicas=2)) == ["worker-1", "worker-2"]


def test_secrets_are_read_from_the_services_own_directory() -> None:
    service = a_service("worker", REDIS_PASSWORD_FILE="/run/secrets/redis-password")

    assert environment(service)["REDIS_PASSWORD_FILE"] == "/state/secrets/worker/redis-password"


def test_a_state_directory_that_looks_like_a_volume_is_left_as_it_is() -> None:
    service = a_service("worker", REDIS_PASSWORD_FILE="/run/secrets/redis-password")
    layout = Layout(root=Path("/var/lib/nightdesk/desk"))

    found = environment_of(service, "worker", layout=layout, ports=PORTS)

    assert found["REDIS_PASSWORD_FILE"] == "/var/lib/nightdesk/desk/secrets/worker/redis-password"


def test_volumes_become_directories() -> None:
    service = a_service("collector", SPOOL_DIR="/var/lib/nightdesk/spool")

    assert environment(service)["SPOOL_DIR"] == "/state/spool"


def test_the_services_log_beside_what_the_programs_print() -> None:
    service = a_service("worker", LOG_DIR="/var/lib/nightdesk/logs")

    assert environment(service)["LOG_DIR"] == "/state/logs/services"


def test_addresses_become_this_machines() -> None:
    service = a_service(
        "worker", REDIS_URL="redis://redis:6379/0", DATABASE_URL="postgresql://writer@postgres:5432/nightdesk"
    )

    assert environment(service)["REDIS_URL"] == "redis://127.0.0.1:1001/0"
    assert environment(service)["DATABASE_URL"] == "postgresql://writer@127.0.0.1:1002/nightdesk"


def test_the_collector_finds_the_simulator() -> None:
    found = environment(a_service("collector"))

    assert found["SIMULATOR_WS_URL"] == "ws://127.0.0.1:1003"
    assert found["SIMULATOR_REST_URL"] == "http://127.0.0.1:1003"


def test_each_process_has_a_metrics_port_of_its_own() -> None:
    ports = {"worker-1": 7, "worker-2": 8}
    programs = programs_of(
        a_service("worker", replicas=2), python="/py", source=Path("/src"), layout=LAYOUT, ports=ports
    )

    assert [program.environment["METRICS_PORT"] for program in programs] == ["7", "8"]
    assert programs[0].command == ("/py", "-m", "services.worker")


def test_api_and_simulator_serve_everything_on_one_port() -> None:
    assert environment(a_service("api", API_PORT="8000"))["API_PORT"] == "1006"
    assert environment(a_service("simulator", SIMULATOR_PORT="8090"))["SIMULATOR_PORT"] == "1003"


def test_the_api_asks_every_process_how_it_is() -> None:
    ports = {"collector": 1, "worker-1": 2, "worker-2": 3, "simulator": 4, "api": 5, "redis": 6}

    targets = environment_of(a_service("api"), "api", layout=LAYOUT, ports=ports)["HEALTH_TARGETS"]

    assert targets == (
        "collector=http://127.0.0.1:1,simulator=http://127.0.0.1:4,worker=http://127.0.0.1:2,worker=http://127.0.0.1:3"
    )


def test_the_alerter_watches_this_machines_prometheus_and_keeps_its_state_here() -> None:
    service = a_service("alerter", PROMETHEUS_URL="http://prometheus:9090", STATE_DIR="/var/lib/nightdesk/alerter")

    found = environment_of(service, "alerter", layout=LAYOUT, ports={"alerter": 7, "prometheus": 8})

    assert found["METRICS_PORT"] == "7"
    assert found["PROMETHEUS_URL"] == "http://127.0.0.1:8"
    assert found["STATE_DIR"] == str(LAYOUT.alerter)


def test_the_api_asks_the_alerter_where_there_is_one() -> None:
    service = a_service("api", ALERTER_URL="http://alerter:9100")

    with_alerter = environment_of(service, "api", layout=LAYOUT, ports={"api": 6, "alerter": 7})

    assert with_alerter["ALERTER_URL"] == "http://127.0.0.1:7"
    assert "alerter=http://127.0.0.1:7" in with_alerter["HEALTH_TARGETS"]
    assert "ALERTER_URL" not in environment_of(service, "api", layout=LAYOUT, ports={"api": 6})


def test_nothing_listens_beyond_this_machine() -> None:
    assert environment(a_service("worker"))["LISTEN_HOST"] == "127.0.0.1"


def test_empty_variables_are_left_out() -> None:
    assert "TICKDB_API_KEY" not in environment(a_service("collector", TICKDB_API_KEY=""))


def test_redis_listens_on_this_machine_only() -> None:
    delivered = "include /run/secrets/redis.conf\nappendonly yes\ndir /data\n"

    lines = redis_configuration(delivered, layout=LAYOUT, port=1001).splitlines()

    assert "include /state/secrets/redis/redis.conf" in lines
    assert "appendonly yes" in lines
    assert "bind 127.0.0.1" in lines
    assert [line for line in lines if line.startswith("dir ")] == ["dir /state/data/redis"]
