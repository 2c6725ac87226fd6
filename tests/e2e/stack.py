"""The real Compose stack under a project name of its own, started from nothing and removed afterwards."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import requests

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final = "nightdesk-e2e"
UP_LIMIT_S: Final = 900
COMMAND_LIMIT_S: Final = 180
PORTS: Final = {"api": 8000, "grafana": 3000, "prometheus": 9090, "simulator": 8090}
PASSED_ON: Final = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR", "TMPDIR")
"""What of this environment the stack sees: a user's FEEDS or API_TOKEN has no business in a test."""

Value = TypeVar("Value")


def engine_missing() -> str | None:
    """Return why there is no Docker engine with Compose here, or None."""
    try:
        done = subprocess.run(["docker", "info"], capture_output=True, text=True, timeout=30, check=False)
        compose = subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no Docker engine: {error}"
    if done.returncode:
        return "no Docker engine answers"
    return "no docker compose" if compose.returncode else None


def eventually(ask: Callable[[], Value], wanted: Callable[[Value], bool], *, within_s: float, what: str) -> Value:
    """Return the first wanted answer; fails with the last one when none comes in time."""
    deadline_s = time.monotonic() + within_s
    last: object = None
    while time.monotonic() < deadline_s:
        try:
            last = answer = ask()
            if wanted(answer):
                return answer
        except (requests.RequestException, subprocess.SubprocessError, KeyError, ValueError) as error:
            last = error
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {within_s:g} s; last: {last}")


class Desk:
    """The stack as a person at the keyboard sees it."""

    def __init__(self, **environ: str) -> None:
        self._environ = environ
        self.started_s = 0.0

    def up(self, *arguments: str) -> None:
        """Start what is not running and wait until Compose calls it healthy."""
        self.compose("up", "--detach", "--build", "--wait", *arguments, limit_s=UP_LIMIT_S)
        self.started_s = self.started_s or time.monotonic()

    def down(self) -> None:
        """Remove containers, volumes and networks."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "10")

    def compose(self, *arguments: str, limit_s: float = COMMAND_LIMIT_S) -> str:
        """Run Compose on the project and return what it printed."""
        command = ["docker", "compose", "--env-file", os.devnull, "--project-name", PROJECT]
        files = ["--file", "compose.yaml", "--file", "tests/e2e/compose.yaml"]
        environ = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | self._environ
        done = subprocess.run(
            [*command, *files, *arguments],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"docker compose {' '.join(arguments)}:\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}")
        return done.stdout

    def url(self, service: str) -> str:
        """Return where a service is published now."""
        return f"http://{self.published(service, PORTS[service])}"

    def published(self, service: str, port: int) -> str:
        """Return the address and port of this machine at which a container's port is published."""
        return self.compose("port", service, str(port)).strip()

    def health(self) -> dict[str, Any]:
        """Return the api's word on everything, whatever it is."""
        return dict(requests.get(f"{self.url('api')}/health", timeout=10).json())

    def wait_until(self, status: str, *, within_s: float = 120.0) -> dict[str, Any]:
        """Return the health once it has this status."""
        return eventually(
            self.health, lambda health: health["status"] == status, within_s=within_s, what=f"health is {status}"
        )

    def query(self, sql: str) -> list[list[str]]:
        """Return the rows of a statement, asked inside the database's own container."""
        printed = self.compose(
            "exec", "-T", "postgres", "psql", "-U", "postgres", "-d", "nightdesk", "-AtF", "\t", "-c", sql
        )
        return [line.split("\t") for line in printed.splitlines()]

    def simulator(self, method: str, path: str, **body: object) -> dict[str, Any]:
        """Ask the simulator's own interface."""
        answer = requests.request(method, f"{self.url('simulator')}/sim/{path}", json=body or None, timeout=10)
        answer.raise_for_status()
        return dict(answer.json())

    def diagnosis(self) -> str:
        """Return what helps to see why something did not come up."""
        states = [json.loads(line) for line in self.compose("ps", "--all", "--format", "json").splitlines()]
        listed = "\n".join(f"{one['Name']}: {one['Status']}" for one in states)
        return f"{listed}\n{self.compose('logs', '--tail', '20')}"
