"""The local desk with real databases, a real supervisor, and services that only answer /livez."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.local.stack import SOURCE, Stack, private_stack
from nightdesk.errors import ConfigurationError, UnavailableError

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SERVICE = """
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

print("serving", flush=True)
HTTPServer(("127.0.0.1", int(os.environ.get("SIMULATOR_PORT") or os.environ["METRICS_PORT"])), Handler).serve_forever()
"""
MIGRATE = "import os; print('migrating', os.environ['DATABASE_URL'])"
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of the same shape: the delivered compose.yaml and redis.conf, other code."""
    root = tmp_path_factory.mktemp("source")
    (root / "compose.yaml").write_text((SOURCE / "compose.yaml").read_text())
    (root / "deploy" / "redis").mkdir(parents=True)
    (root / "deploy" / "redis" / "redis.conf").write_text((SOURCE / "deploy/redis/redis.conf").read_text())
    modules = {"services/simulator.py": SERVICE, "services/worker.py": SERVICE, "nightdesk/store/migrate.py": MIGRATE}
    for name, text in modules.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture(scope="module")
def stack(source: Path) -> Iterator[Stack]:
    environ = {"WORKER_COUNT": "2"}
    with private_stack(services=("simulator", "worker"), environ=environ, source=source) as running:
        yield running


def eventually(fact: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_every_process_runs_and_answers(stack: Stack) -> None:
    assert {state.name for state in stack.programs() if state.pid} == {
        "redis", "postgres", "simulator", "worker-1", "worker-2",
    }  # fmt: skip
    assert all(stack.is_live(name) for name in stack.process_names)


def test_the_database_is_there_before_migrate(stack: Stack) -> None:
    url = stack.database_url("postgres")

    with psycopg.connect(url, password=stack.database_password("postgres")) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
    assert f"migrating {url}" in (stack.layout.logs / "migrate.log").read_text()


def test_a_wrong_password_is_refused(stack: Stack) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(stack.database_url("postgres"), password="guess")


def test_postgres_does_not_run_as_root(stack: Stack) -> None:
    assert Path(f"/proc/{stack.pid('postgres')}").stat().st_uid != 0


@pytest.mark.parametrize("name", ["worker-1", "redis", "postgres"])
def test_what_is_killed_comes_back(stack: Stack, name: str) -> None:
    killed = stack.kill(name)

    assert eventually(lambda: stack.pid(name) not in {0, killed})


def test_a_second_start_is_refused(stack: Stack, source: Path) -> None:
    again = Stack(stack.layout.root, services=("simulator",), environ={}, source=source)

    with pytest.raises(ConfigurationError, match="already runs"):
        again.start()


def test_only_the_owner_may_read_the_secrets(stack: Stack) -> None:
    assert stack.layout.secrets.stat().st_mode & 0o777 == 0o700


def test_a_private_stack_leaves_nothing_behind(source: Path) -> None:
    with private_stack(services=("simulator",), environ={}, source=source) as running:
        pids = [state.pid for state in running.programs()]
        root = running.layout.root

    assert not root.exists()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_service_that_does_not_come_up_is_named(source: Path) -> None:
    with (
        pytest.raises(UnavailableError, match=r"(?s)api is not ready.*No module named"),
        private_stack(services=("api",), environ={}, source=source, ready_limit_s=3.0),
    ):
        pass
