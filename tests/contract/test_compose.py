"""What compose.yaml promises of every container, read from Compose itself."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ONE_SHOTS = {"init", "migrate"}
RUNNING = {
    "redis", "postgres", "simulator", "collector", "worker", "api", "alerter", "scheduler", "jobs", "prometheus",
    "grafana", "proxy",
}  # fmt: skip
OPEN_TO_THE_WORLD = {"proxy": {"80", "443"}}
DATABASES = {"redis", "postgres"}
CALLS_OUT = {"collector", "alerter", "jobs"}
SECRET_VOLUME = re.compile("^secrets-")

MEMORY_OF_THE_SERVER = 4 * 2**30
MEMORY_OF_THE_SYSTEM = 512 * 2**20


WITHOUT_ALERTER_ENV = "services: {alerter: {env_file: !reset []}}"


def compose_config(**environ: str) -> dict[str, Any]:
    """Return what Compose makes of the file, without this machine's .env and alerter.env."""
    command = ["docker", "compose", "--env-file", os.devnull, "--project-directory", str(ROOT)]
    done = subprocess.run(
        [*command, "--file", str(ROOT / "compose.yaml"), "--file", "-", "config", "--format", "json"],
        input=WITHOUT_ALERTER_ENV,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environ},
    )
    return dict(json.loads(done.stdout))


def has_compose() -> bool:
    command = ["docker", "compose", "version"]
    return (
        shutil.which("docker") is not None and subprocess.run(command, check=False, capture_output=True).returncode == 0
    )


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    if not has_compose():
        pytest.skip("needs the docker command with Compose; none is on PATH")
    return compose_config(COMPOSE_PROFILES="proxy")


@pytest.fixture(scope="module")
def services(config: dict[str, Any]) -> dict[str, Any]:
    return dict(config["services"])


@pytest.fixture(params=sorted(ONE_SHOTS | RUNNING))
def service(request: pytest.FixtureRequest, services: dict[str, Any]) -> dict[str, Any]:
    return dict(services[request.param], name=request.param)


@pytest.fixture(params=sorted(RUNNING))
def running(request: pytest.FixtureRequest, services: dict[str, Any]) -> dict[str, Any]:
    return dict(services[request.param], name=request.param)


def volumes_of(service: dict[str, Any], kind: str = "volume") -> list[dict[str, Any]]:
    return [volume for volume in service.get("volumes", []) if volume["type"] == kind]


def test_these_are_all_services(services: dict[str, Any]) -> None:
    assert set(services) == ONE_SHOTS | RUNNING


def test_nothing_is_open_to_the_world_unless_it_is_asked_for() -> None:
    if not has_compose():
        pytest.skip("needs the docker command with Compose; none is on PATH")

    assert set(compose_config()["services"]) == (ONE_SHOTS | RUNNING) - set(OPEN_TO_THE_WORLD)


# --- every container ---


def test_it_does_not_run_as_root(service: dict[str, Any]) -> None:
    assert service["user"].partition(":")[0] not in {"", "0", "root"}


def test_its_root_file_system_is_read_only(service: dict[str, Any]) -> None:
    assert service["read_only"] is True


def test_it_has_no_capability(service: dict[str, Any]) -> None:
    assert service["cap_drop"] == ["ALL"]
    assert not service.get("cap_add")


def test_it_gains_no_privilege(service: dict[str, Any]) -> None:
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")


def test_it_shares_nothing_with_the_host(service: dict[str, Any]) -> None:
    assert not {"pid", "ipc", "uts", "userns_mode", "devices", "cgroup_parent"} & set(service)
    assert service.get("network_mode", "none") == "none"
    assert not [one for one in volumes_of(service, "bind") if "docker.sock" in one["source"]]


def test_its_memory_processors_and_processes_are_limited(service: dict[str, Any]) -> None:
    assert 0 < int(service["mem_limit"]) <= MEMORY_OF_THE_SERVER // 4
    assert 0 < service["cpus"] < 2
    assert 0 < service["pids_limit"] <= 512


def test_its_logs_are_rotated(service: dict[str, Any]) -> None:
    assert service["logging"]["driver"] == "json-file"
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}


def test_its_temporary_files_stay_in_memory_and_are_not_run(service: dict[str, Any]) -> None:
    assert any(one.startswith("/tmp:") for one in service["tmpfs"])
    assert all({"noexec", "nosuid", "nodev"} <= set(one.partition(":")[2].split(",")) for one in service["tmpfs"])
    assert all("size=" in one for one in service["tmpfs"])


def test_files_of_the_project_are_mounted_read_only(service: dict[str, Any]) -> None:
    assert all(one.get("read_only") for one in volumes_of(service, "bind"))


def test_its_image_has_a_fixed_version(service: dict[str, Any]) -> None:
    assert re.search(r":(v?\d+\.|\d+-|local$)", service["image"])


def test_its_name_is_left_to_compose_so_that_it_can_be_scaled(service: dict[str, Any]) -> None:
    assert "container_name" not in service
    assert "hostname" not in service


def test_no_password_stands_in_its_environment(service: dict[str, Any]) -> None:
    named = {
        key: value
        for key, value in (service.get("environment") or {}).items()
        if re.search("PASS|TOKEN|KEY|SECRET", key)
    }

    assert all(not value or key.endswith("_FILE") for key, value in named.items())
    assert all(value.startswith("/run/secrets/") for value in named.values() if value)


# --- long-running services ---


def test_it_is_started_again(running: dict[str, Any]) -> None:
    assert running["restart"] == "unless-stopped"


def test_its_health_is_checked(running: dict[str, Any]) -> None:
    check = running["healthcheck"]

    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)


def test_it_has_time_to_shut_down(running: dict[str, Any]) -> None:
    seconds = {"30s": 30, "1m0s": 60}[running["stop_grace_period"]]

    assert seconds >= (60 if running["name"] == "postgres" else 30)


# --- one-shots ---


@pytest.mark.parametrize("name", sorted(ONE_SHOTS))
def test_a_one_shot_ends_and_something_that_runs_waits_for_it(services: dict[str, Any], name: str) -> None:
    waiting = [
        other
        for other in RUNNING
        if services[other].get("depends_on", {}).get(name, {}).get("condition") == "service_completed_successfully"
    ]

    assert services[name].get("restart", "no") == "no"
    assert waiting


def test_the_alerter_waits_for_nothing_that_it_reports_on(services: dict[str, Any]) -> None:
    assert set(services["alerter"]["depends_on"]) == {"init"}


def test_init_has_no_network(services: dict[str, Any]) -> None:
    assert services["init"]["network_mode"] == "none"


# --- networks and ports ---


def test_databases_are_on_the_internal_network_only(config: dict[str, Any]) -> None:
    assert config["networks"]["inside"]["internal"] is True
    assert all(set(config["services"][name]["networks"]) == {"inside"} for name in DATABASES)
    assert not [name for name in DATABASES if config["services"][name].get("ports")]


def test_ports_are_published_on_this_machine_only_but_for_the_proxys(service: dict[str, Any]) -> None:
    elsewhere = {port["published"] for port in service.get("ports", []) if port.get("host_ip") != "127.0.0.1"}

    assert elsewhere == OPEN_TO_THE_WORLD.get(service["name"], set())


def test_the_proxy_reaches_no_database(services: dict[str, Any]) -> None:
    assert set(services["proxy"]["networks"]) == {"outside"}


def test_grafana_has_a_path_of_its_own_once_there_is_an_address_and_this_machine_still_finds_it() -> None:
    if not has_compose():
        pytest.skip("needs the docker command with Compose; none is on PATH")
    alone = compose_config()["services"]["grafana"]
    behind = compose_config(PUBLIC_URL="https://desk.example.com", GRAFANA_PORT="3001")["services"]["grafana"]

    assert {alone["environment"][name] for name in ("GF_SERVER_ROOT_URL", "GF_SERVER_SERVE_FROM_SUB_PATH")} == {""}
    assert behind["environment"]["GF_SERVER_SERVE_FROM_SUB_PATH"] == "true"
    assert behind["environment"]["GF_SERVER_ROOT_URL"] == "http://localhost:3001/grafana/"
    assert behind["healthcheck"]["test"][-1] == "http://127.0.0.1:3000/grafana/api/health"


def test_whoever_publishes_a_port_or_calls_out_is_on_the_outer_network(config: dict[str, Any]) -> None:
    publishing = {name for name, service in config["services"].items() if service.get("ports")}

    assert not config["networks"]["outside"].get("internal")
    assert {name for name, one in config["services"].items() if "outside" in one.get("networks", {})} == (
        publishing | CALLS_OUT
    )


@pytest.mark.parametrize("name", ["worker", "collector", "jobs", "scheduler"])
def test_a_scaled_service_publishes_nothing(services: dict[str, Any], name: str) -> None:
    assert not services[name].get("ports")


# --- logs ---


def test_our_services_log_to_files_that_outlive_them_and_one_shots_to_none(services: dict[str, Any]) -> None:
    ours = {name for name, service in services.items() if service["image"].startswith("nightdesk:")}
    mounts = {name: [one for one in volumes_of(services[name]) if one["source"] == "logs"] for name in services}

    assert {name for name, found in mounts.items() if found} == ours - ONE_SHOTS
    assert all(one["target"] == services[name]["environment"]["LOG_DIR"] for name in mounts for one in mounts[name])
    assert not [name for name in ONE_SHOTS if "LOG_DIR" in services[name]["environment"]]


@pytest.mark.parametrize("volume", ["spool", "recordings", "alerter", "logs", "archive", "backups"])
def test_a_volume_that_a_service_writes_to_is_the_services_own_from_the_start(volume: str) -> None:
    assert f" /var/lib/nightdesk/{volume} " in (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


# --- secrets ---


def test_each_service_can_read_only_its_own_secrets(services: dict[str, Any]) -> None:
    for name in (ONE_SHOTS | RUNNING) - {"init"}:
        mounts = [one for one in volumes_of(services[name]) if SECRET_VOLUME.match(one["source"])]
        assert [one["source"] for one in mounts] in ([], [f"secrets-{name}"])
        assert all(one["target"] == "/run/secrets" for one in mounts)
        assert all(one["read_only"] and one["volume"]["nocopy"] for one in mounts)


def test_only_init_writes_secrets(services: dict[str, Any]) -> None:
    writable = {
        name
        for name, service in services.items()
        for one in volumes_of(service)
        if SECRET_VOLUME.match(one["source"]) and not one.get("read_only")
    }

    assert writable == {"init"}


def test_init_sees_that_data_exists_and_cannot_touch_it(services: dict[str, Any]) -> None:
    data = [one for one in volumes_of(services["init"]) if one["target"].startswith("/data/")]

    assert {one["target"] for one in data} == {"/data/postgres", "/data/grafana"}
    assert all(one["read_only"] and one["volume"]["nocopy"] for one in data)


def test_a_users_own_secret_reaches_only_who_needs_it() -> None:
    if not has_compose():
        pytest.skip("needs the docker command with Compose; none is on PATH")
    readers = {
        "API_TOKEN": "api",
        "SLACK_WEBHOOK_URL": "alerter",
        "DEADMAN_URL": "alerter",
        "ARCHIVE_S3_SECRET_KEY": "jobs",
    }
    services = compose_config(**{variable: f"value of {variable}" for variable in readers})["services"]

    for variable, reader in readers.items():
        assert [name for name, one in services.items() if f"value of {variable}" in json.dumps(one)] == [reader]


def test_variables_of_channels_with_other_names_come_from_a_file_that_may_be_missing() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]

    assert {name: one["env_file"] for name, one in services.items() if "env_file" in one} == {
        "alerter": [{"path": "alerter.env", "required": False}]
    }


@pytest.mark.parametrize("file", [".gitignore", ".dockerignore"])
def test_that_file_gets_into_no_commit_and_no_image(file: str) -> None:
    assert "alerter.env" in (ROOT / file).read_text(encoding="utf-8")


# --- the whole ---


def test_the_desk_fits_a_server_of_4_gb(services: dict[str, Any]) -> None:
    total = sum(
        int(services[name]["mem_limit"]) * services[name].get("deploy", {}).get("replicas", 1) for name in RUNNING
    )

    assert total <= MEMORY_OF_THE_SERVER - MEMORY_OF_THE_SYSTEM


def test_redis_may_use_less_than_its_container(services: dict[str, Any]) -> None:
    text = (ROOT / "deploy/redis/redis.conf").read_text(encoding="utf-8")
    megabytes = re.search(r"^maxmemory (\d+)mb$", text, re.MULTILINE)

    assert megabytes
    assert int(megabytes[1]) * 2**20 <= 0.7 * int(services["redis"]["mem_limit"])


def test_redis_keeps_everything_and_evicts_nothing() -> None:
    lines = (ROOT / "deploy/redis/redis.conf").read_text(encoding="utf-8").splitlines()

    assert {"appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction"} <= set(lines)


def test_worker_count_is_the_number_of_replicas() -> None:
    if not has_compose():
        pytest.skip("needs the docker command with Compose; none is on PATH")

    assert compose_config(WORKER_COUNT="4")["services"]["worker"]["deploy"]["replicas"] == 4


def test_every_variable_of_compose_is_explained_in_env_example() -> None:
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text(encoding="utf-8")))
    explained = set(re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))

    assert used - explained == {"NIGHTDESK_TAG"}
