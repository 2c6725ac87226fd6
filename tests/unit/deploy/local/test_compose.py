"""Reading our own services out of compose.yaml."""

from pathlib import Path

import pytest

from deploy.local.compose import interpolated, our_services, postgres_settings, read_dotenv
from nightdesk.errors import ConfigurationError

COMPOSE = """
x-common: &common
  image: nightdesk:${TAG:-local}
x-log: &log
  LOG_LEVEL: ${LOG_LEVEL:-info}
services:
  postgres:
    image: postgres:17-alpine
    command: [postgres, -cjit=off, "-cshared_buffers=256MB"]
  worker:
    <<: *common
    command: [python, -m, services.worker]
    environment:
      <<: *log
      PRICE: a$$b
    deploy: {replicas: "${WORKER_COUNT:-1}"}
"""


def test_only_our_own_image_becomes_processes() -> None:
    assert set(our_services(COMPOSE, {})) == {"worker"}


def test_merged_variables_take_their_defaults() -> None:
    assert our_services(COMPOSE, {})["worker"].environment == {"LOG_LEVEL": "info", "PRICE": "a$b"}


def test_the_environment_comes_before_the_default() -> None:
    worker = our_services(COMPOSE, {"LOG_LEVEL": "debug", "WORKER_COUNT": "3"})["worker"]

    assert worker.environment["LOG_LEVEL"] == "debug"
    assert worker.replicas == 3


def test_a_worker_count_that_is_no_number_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match=r"compose\.yaml"):
        our_services(COMPOSE, {"WORKER_COUNT": "many"})


@pytest.mark.parametrize("text", ["", "services: [", "services: {a: 1}", "services: {a: {image: 'nightdesk:x'}}"])
def test_a_file_compose_would_refuse_is_an_error(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"compose\.yaml"):
        our_services(text, {})


def test_an_empty_variable_means_the_default() -> None:
    assert interpolated("${FEEDS:-simulator}", {"FEEDS": ""}) == "simulator"


def test_a_variable_without_default_is_empty() -> None:
    assert interpolated("x${NONE}y", {}) == "xy"


def test_postgres_runs_with_the_settings_of_compose() -> None:
    assert postgres_settings(COMPOSE) == {"jit": "off", "shared_buffers": "256MB"}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=plain", "plain"),
        ("  NAME = spaced ", "spaced"),
        ("export NAME=exported", "exported"),
        ('NAME="quoted # no comment"', "quoted # no comment"),
        ("NAME='single'", "single"),
        ("NAME=value # comment", "value"),
        ("NAME=a#b", "a#b"),
        ("NAME=", ""),
    ],
)
def test_a_line_of_dotenv(line: str, value: str) -> None:
    assert read_dotenv(line) == {"NAME": value}


def test_comments_and_blank_lines_of_dotenv_are_nothing() -> None:
    assert read_dotenv("# a=b\n\n#c=d\nwords\n") == {}


def test_the_delivered_file_describes_every_service() -> None:
    text = (Path(__file__).parents[4] / "compose.yaml").read_text(encoding="utf-8")

    services = our_services(text, {})

    assert set(services) == {
        "init",
        "migrate",
        "simulator",
        "collector",
        "worker",
        "api",
        "alerter",
        "scheduler",
        "jobs",
    }
    assert all(service.command[:2] == ("python", "-m") for service in services.values())
    assert postgres_settings(text)["synchronous_commit"] == "on"
