"""What supervisord is told."""

from configparser import RawConfigParser
from pathlib import Path

import pytest

from deploy.local.programs import Program
from deploy.local.supervisor import Supervisor, configuration, socket_path
from nightdesk.errors import UnavailableError


def section(program: Program) -> dict[str, str]:
    text = configuration([program], socket=Path("/s/sock"), directory=Path("/s"), logs=Path("/s/logs"))
    parser = RawConfigParser()
    parser.read_string(text)
    return dict(parser[f"program:{program.name}"])


def a_program(**changes: object) -> Program:
    given = {"name": "worker", "command": ("python", "-m", "services.worker"), "directory": Path("/src")}
    return Program(**{**given, **changes})  # type: ignore[arg-type]


def test_what_ends_is_started_again() -> None:
    assert section(a_program())["autorestart"] == "true"


def test_nothing_starts_before_it_is_asked_for() -> None:
    assert section(a_program())["autostart"] == "false"


def test_databases_stop_after_the_services() -> None:
    database, service = section(a_program(is_database=True)), section(a_program())

    assert int(database["priority"]) < int(service["priority"])


def test_percent_signs_and_quotes_survive() -> None:
    found = section(a_program(environment={"NAME": 'a "b" 50%'}))

    assert found["environment"] == 'NAME="a \\"b\\" 50%%"'


def test_a_program_without_user_keeps_the_present_one() -> None:
    assert "user" not in section(a_program())
    assert section(a_program(user="nobody"))["user"] == "nobody"


def test_logs_are_rotated() -> None:
    found = section(a_program())

    assert found["stdout_logfile"] == "/s/logs/worker.log"
    assert found["stdout_logfile_maxbytes"] == "10MB"


def test_a_directory_too_long_for_a_socket_is_avoided(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()

    assert len(str(socket_path(deep))) < 100
    assert socket_path(Path("/s")) == Path("/s/supervisor.sock")


def test_a_supervisor_that_does_not_run_says_so(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)

    assert not supervisor.runs()
    with pytest.raises(UnavailableError, match="does not answer"):
        supervisor.programs()
