"""A real scheduler and two real workers on a real Redis and a real PostgreSQL, with a job that the test brings.

The job is a file more and a few lines more of a copy of the project, as a user would add them.
"""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
import redis as redis_driver

from deploy.local.stack import SOURCE, Stack, private_stack

PATIENCE_S: Final = 240.0
ENTRIES: Final = 4
RETRIED: Final = "on: request, run: effects, timeout: 30s, retry: {attempts: 30, backoff: 1s}"
EXTRA: Final = "".join(
    [f"  quick_{place}: {{{RETRIED}}}\n" for place in range(ENTRIES)]
    + ["  brief: {on: request, run: effects, timeout: 2s, retry: {attempts: 2, backoff: 1s}}\n"]
    + ["  once: {on: request, run: effects, timeout: 60s, retry: {attempts: 1}}\n"]
    + ["  filling: {on: gap, settle: 1s, run: effects, args: {key: gap}}\n"]
    + ["  minutely: {cron: '* * * * *', timezone: UTC, run: effects, args: {key: minute}}\n"]
)


def copied(root: Path) -> Path:
    """A copy of what runs, with the test's job in it."""
    for name in ("nightdesk", "services", "config"):
        shutil.copytree(SOURCE / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "deploy" / "redis").mkdir(parents=True)
    shutil.copy(SOURCE / "deploy/redis/redis.conf", root / "deploy/redis/redis.conf")
    shutil.copy(SOURCE / "compose.yaml", root / "compose.yaml")
    shutil.copy(Path(__file__).parent / "effects.py", root / "services/jobs/effects.py")
    (root / "config" / "schedule.yaml").write_text("jobs:\n" + EXTRA)
    return root


@contextmanager
def running(root: Path) -> Iterator["Desk"]:
    environ = {"JOBS_COUNT": "2", "LOG_FORMAT": "json"}
    services = ("scheduler", "jobs")
    with private_stack(services=services, environ=environ, source=copied(root), ready_limit_s=120.0) as stack:
        desk = Desk(stack)
        desk.sql("CREATE TABLE effects (run_id int8, key text, attempt int, what text, at timestamptz DEFAULT now())")
        desk.sql("GRANT SELECT, INSERT ON effects TO nightdesk_writer")
        yield desk


def eventually(fact: Callable[[], bool], patience_s: float = PATIENCE_S) -> bool:
    deadline = time.monotonic() + patience_s
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


class Desk:
    """What a test asks and does."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        url, password = self.stack.database_url("postgres"), self.stack.database_password("postgres")
        with psycopg.connect(url, password=password, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def redis(self) -> "redis_driver.Redis":
        password = self.stack.secret("redis", "redis-password")
        return redis_driver.Redis(host="127.0.0.1", port=self.stack.ports["redis"], password=password)

    def post(self, body: dict[str, Any], token: str | None = None) -> tuple[int, Any]:
        """Ask for a run; return the status and the answer."""
        request = urllib.request.Request(
            f"{self.stack.url('scheduler')}/runs",
            data=json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {token or self.stack.secret('scheduler', 'runs-token')}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def ask(self, job: str, key: str, **args: object) -> int:
        """Ask until there is an answer, as a caller with a key may; return the run's number."""
        body = {"job": job, "idempotency_key": f"{job}/{key}", "args": {"key": key, **args}}
        found: list[int] = []

        def answered() -> bool:
            try:
                status, answer = self.post(body)
            except OSError:
                return False
            if status == 202:
                found.append(answer["run_id"])
            return status == 202

        assert eventually(answered)
        return found[0]

    def run(self, run_id: int, *columns: str) -> tuple[Any, ...]:
        return self.sql(f"SELECT {', '.join(columns)} FROM runs WHERE run_id = %s", run_id)[0]

    def state(self, run_id: int) -> str:
        return str(self.run(run_id, "state")[0])

    def over(self, run_ids: Sequence[int]) -> bool:
        states = self.sql("SELECT state FROM runs WHERE run_id = ANY(%s)", list(run_ids))
        return all(state in {"succeeded", "failed", "missed", "skipped"} for (state,) in states)

    def horses(self) -> list[int]:
        """The processes of runs under way."""
        pids = [self.stack.pid(name) for name in ("jobs-1", "jobs-2")]
        found = subprocess.run(["pgrep", "-P", ",".join(map(str, pids))], capture_output=True, text=True, check=False)
        return [int(pid) for pid in found.stdout.split()]

    def signal(self, name: str, number: signal.Signals) -> None:
        os.kill(self.stack.pid(name), number)

    def log(self, name: str) -> str:
        return (self.stack.layout.logs / f"{name}.log").read_text(errors="replace")

    def metrics(self) -> str:
        with urllib.request.urlopen(f"{self.stack.url('scheduler')}/metrics", timeout=10) as answer:
            return str(answer.read().decode())
