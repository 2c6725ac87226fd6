"""The local desk's settings and commands."""

from pathlib import Path

import pytest

from deploy.local import app
from deploy.local.app import left_out, main, preferred_ports
from deploy.local.stack import Stack
from nightdesk.errors import ConfigurationError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A desk's directory in which nothing ever ran."""
    monkeypatch.setattr(app.machine, "state_directory", lambda _: tmp_path)
    return tmp_path


def a_stack(root: Path, *, prometheus: bool, monkeypatch: pytest.MonkeyPatch, **variables: str) -> Stack:
    found = Path("/usr/bin/prometheus") if prometheus else None
    monkeypatch.setattr(app.machine, "find_prometheus", lambda: found)
    return Stack(root, environ={}, own_variables={"alerter": variables})


def test_a_port_of_the_environment_comes_before_the_usual_one() -> None:
    ports = preferred_ports({"API_PORT": "8001", "SIMULATOR_PORT": ""})

    assert (ports["api"], ports["simulator"], ports["redis"]) == (8001, 8090, 6379)


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1"])
def test_what_is_not_a_port_is_named(value: str) -> None:
    with pytest.raises(ConfigurationError, match="API_PORT"):
        preferred_ports({"API_PORT": value})


def test_without_prometheus_there_is_no_alerter_and_one_sentence_says_both(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = a_stack(root, prometheus=False, monkeypatch=monkeypatch)

    assert "alerter" not in stack.process_names
    assert "Prometheus" in left_out(stack)[0]
    assert "alerter" in left_out(stack)[0]


def test_with_prometheus_there_is_an_alerter(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "alerter" in a_stack(root, prometheus=True, monkeypatch=monkeypatch).process_names


def test_the_alerters_own_variables_reach_no_other_service(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = a_stack(root, prometheus=True, monkeypatch=monkeypatch, SLACK_PAGER_WEBHOOK_URL="secret")
    stack.layout.ports.write_text(f"{dict.fromkeys(stack.process_names, 7)}".replace("'", '"'))

    assert {name for name in stack.process_names if "secret" in stack.environment(name).values()} == {"alerter"}


def test_what_compose_gives_the_alerter_comes_before_its_own_variables(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = a_stack(root, prometheus=True, monkeypatch=monkeypatch, ALERTS_CONFIG="other.yaml")
    stack.layout.ports.write_text('{"alerter": 7}')

    assert stack.environment("alerter")["ALERTS_CONFIG"] == "config/alerts.yaml"


@pytest.mark.parametrize("arguments", [[], ["jump"], ["up", "now"]])
def test_what_is_no_command_is_answered_with_those_there_are(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments, {}) == 2
    assert "up|down|logs|status|password|alerter" in capsys.readouterr().err


def test_the_alerter_of_a_desk_that_does_not_run_cannot_be_asked(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["alerter", "silences"], {}) == 1
    assert capsys.readouterr().err == "alerter: the desk does not run; make up starts it\n"
