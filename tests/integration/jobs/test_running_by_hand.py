"""A job by hand: the same run as any other, done here, with its result on the screen."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nightdesk.errors import ConfigurationError
from nightdesk.store.migrate import WRITER
from services.jobs import hand
from tests.conftest import Database

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SCHEDULE = """
jobs:
  tidy: {run: maintain_partitions, on: request, timeout: 60s}
"""


@pytest.fixture
def environ(database: Database, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "schedule.yaml").write_text(SCHEDULE)
    return {
        "DATABASE_URL": database.url(WRITER),
        "DATABASE_PASSWORD": database.password(WRITER),
        "SCHEDULE_CONFIG": str(tmp_path / "schedule.yaml"),
    }


def rows(database: Database) -> list[tuple[object, ...]]:
    with database.connect() as connection:
        return connection.execute("SELECT job, task, origin, state, attempts, result FROM runs").fetchall()


def by_hand(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "services.jobs.hand", *arguments]
    return subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True, check=False)


def test_an_entry_of_the_schedule_is_done_and_its_result_printed(environ: dict[str, str], database: Database) -> None:
    done = by_hand(environ, "tidy")

    assert done.returncode == 0
    assert rows(database) == [("tidy", "maintain_partitions", "hand", "succeeded", 1, json.loads(done.stdout))]


def test_a_file_that_the_schedule_has_not_is_done_too(environ: dict[str, str], database: Database) -> None:
    assert hand.main(["maintain_partitions"], environ) == 0
    assert [row[:4] for row in rows(database)] == [("maintain_partitions", "maintain_partitions", "hand", "succeeded")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no_such_job"], "there is no job 'no_such_job'"),
        (["tidy", '{"colour": "red"}'], "colour: "),
        (["tidy", "[1]"], "ARGS is no JSON object"),
        (["tidy", "{"], "ARGS is no JSON"),
    ],
)
def test_a_mistake_is_named_and_no_run_is_made(
    environ: dict[str, str], database: Database, arguments: list[str], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        hand.main(arguments, environ)

    assert rows(database) == []


def test_what_is_not_given_is_left_to_the_job(environ: dict[str, str], database: Database) -> None:
    assert hand.main(["tidy", '{"colour": ""}'], environ) == 0
    assert len(rows(database)) == 1


def test_a_failure_is_said_and_is_the_commands(environ: dict[str, str], database: Database) -> None:
    with database.connect() as connection:
        connection.execute("DROP FUNCTION ensure_day CASCADE")
    done = by_hand(environ, "tidy")

    assert done.returncode == 1
    assert "run 1 of tidy failed: " in done.stderr
    assert [row[3:5] for row in rows(database)] == [("failed", 1)]


def test_a_mistake_ends_the_command_with_its_words_alone(environ: dict[str, str]) -> None:
    done = by_hand(environ, "no_such_job")

    assert done.returncode == 2
    assert done.stderr.startswith("there is no job 'no_such_job'")
    assert "Traceback" not in done.stderr


def test_threads_are_gone_afterwards(environ: dict[str, str]) -> None:
    before = set(threading.enumerate())
    hand.main(["tidy"], environ)

    assert not {one for one in threading.enumerate() if one.name == "beat"} - before
