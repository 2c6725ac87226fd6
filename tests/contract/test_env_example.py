"""Every setting is explained in .env.example, with its default, and reaches the service that reads it."""

import re
from functools import cache
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from deploy.local.compose import our_services
from nightdesk.settings import Settings, load, variable_of
from nightdesk.store.migrate import MigrateSettings
from services.alerter.channels import CHANNELS, secret_variables
from services.alerter.settings import AlerterSettings
from services.api.settings import ApiSettings
from services.collector.app import CollectorSettings
from services.init.app import InitSettings
from services.jobs.settings import JobsSettings
from services.scheduler.settings import SchedulerSettings
from services.simulator.settings import SimulatorSettings
from services.worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]

SETTINGS: dict[str, type[Settings]] = {
    "init": InitSettings,
    "migrate": MigrateSettings,
    "simulator": SimulatorSettings,
    "collector": CollectorSettings,
    "worker": WorkerSettings,
    "api": ApiSettings,
    "alerter": AlerterSettings,
    "scheduler": SchedulerSettings,
    "jobs": JobsSettings,
}

WIRING = {
    "REDIS_URL", "REDIS_PASSWORD", "DATABASE_URL", "DATABASE_PASSWORD", "OWNER_PASSWORD", "WRITER_PASSWORD",
    "READER_PASSWORD", "SESSION_SECRET", "SECRETS_DIR", "DATA_DIR", "RENEW_SECRETS", "LISTEN_HOST", "METRICS_PORT",
    "API_PORT", "SIMULATOR_PORT", "SPOOL_DIR", "FEEDS_CONFIG", "CALENDARS_CONFIG", "HEALTH_TARGETS",
    "ALERTER_URL", "ALERTER_TOKEN", "NOTIFICATIONS_TOKEN", "ACK_SECRET", "LOGIN_TOKEN", "STATE_DIR", "PROMETHEUS_URL",
    "RUNS_TOKEN", "SCHEDULER_URL", "BACKUP_DIR", "BACKUP_PASSWORD", "CLERK_PASSWORD", "HOST_ROOT", "LOG_DIR",
}  # fmt: skip
"""How the parts of one stack find each other: compose.yaml's business, not the user's."""

READ_ELSEWHERE = {
    "WORKER_COUNT", "JOBS_COUNT", "FEEDS", "SUBSCRIBED_SYMBOLS", "FEEDS_CONFIG",
    "API_PORT", "GRAFANA_PORT", "PROMETHEUS_PORT", "SIMULATOR_PORT", "COMPOSE_PROFILES",
}  # fmt: skip
"""By compose.yaml, and by the loader of config/feeds.yaml."""


CHANNEL_VARIABLES = sorted(
    variable for kind, (options, _) in CHANNELS.items() for variable in secret_variables(options(kind=kind)).values()
)


@cache
def explained() -> dict[str, str]:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^#(\w+)=(.*)$", text, re.MULTILINE))


def fields_of(service: str) -> dict[str, FieldInfo]:
    return {variable_of(name, field): field for name, field in SETTINGS[service].model_fields.items()}


def for_users() -> list[tuple[str, str]]:
    return [(service, variable) for service in SETTINGS for variable in fields_of(service) if variable not in WIRING]


def written(value: object) -> str:
    """Return a default as .env.example writes it."""
    if value is None or value is PydanticUndefined:
        return ""
    if isinstance(value, tuple | list):
        return ",".join(str(one) for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.15g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize(("service", "variable"), for_users())
def test_a_setting_is_explained_with_its_default(service: str, variable: str) -> None:
    field = fields_of(service)[variable]

    assert explained()[variable] == written(field.get_default(call_default_factory=True))


@pytest.mark.parametrize(("service", "variable"), for_users())
def test_a_setting_reaches_the_service_that_reads_it(service: str, variable: str) -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")

    assert our_services(text, {variable: "given"})[service].environment[variable] == "given"


@pytest.mark.parametrize("variable", CHANNEL_VARIABLES)
def test_what_a_channel_needs_is_explained_and_reaches_the_alerter_alone(variable: str) -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    given = our_services(text, {variable: "given"})

    assert explained()[variable] == ""
    assert [name for name, service in given.items() if "given" in service.environment.values()] == ["alerter"]


def test_nothing_is_explained_that_nobody_reads() -> None:
    read = {variable for _, variable in for_users()} | READ_ELSEWHERE | set(CHANNEL_VARIABLES)
    by_feed = {name for name in explained() if re.search(r"_(WS_URL|REST_URL|API_KEY)$", name)}

    assert set(explained()) - read - by_feed == set()


def test_the_file_as_it_stands_changes_nothing() -> None:
    uncommented = dict(explained())

    chosen = load(SimulatorSettings, uncommented)

    assert chosen == load(SimulatorSettings, {})


def test_every_line_is_a_comment_so_that_a_copy_changes_nothing() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()

    assert all(line.startswith("#") or not line for line in lines)
