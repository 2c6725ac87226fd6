"""A Prometheus and an alerter of a test's own, as processes; each can be killed, stopped and started again."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import requests
import yaml

from deploy.databases import free_port

ROOT: Final = Path(__file__).parents[2]
CONTROL: Final = "control-token"
POSTING: Final = "posting-token"
PATIENCE_S: Final = 30.0
ANSWER_S: Final = 60.0
"""For an answer: with thousands of alerts, on a machine that does other work as well, one may take many seconds."""

LOOK_S: Final = 0.02

Value = TypeVar("Value")


def within(seconds: float, ask: Callable[[], Value | None], what: str) -> Value:
    """Return the first answer that is not None, False or empty; fails when none comes in time."""
    deadline_s = time.monotonic() + seconds
    while not (value := ask()):
        assert time.monotonic() < deadline_s, f"not within {seconds:g} s: {what}"
        time.sleep(LOOK_S)
    return value


class Process:
    """A program that a test may kill and start again; its output goes to a file."""

    def __init__(self, command: list[str], log: Path, environ: Mapping[str, str] | None = None) -> None:
        self._command = command
        self._environ = dict(environ or os.environ)
        self.log = log
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id; fails when it does not run."""
        assert self._running is not None
        return self._running.pid

    def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as output:
            self._running = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environ, stdout=output, stderr=output, start_new_session=True
            )

    def kill(self) -> None:
        """SIGKILL it and wait until it is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM it and return its exit status."""
        return self._end(signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def ended(self) -> int | None:
        """Return its exit status, None while it runs."""
        return None if self._running is None else self._running.poll()

    def text(self) -> str:
        """Return what it wrote."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def _end(self, number: signal.Signals) -> int:
        if self._running is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._running.send_signal(number)
        try:
            return self._running.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
            raise
        finally:
            self._running = None


class Prometheus(Process):
    """A real Prometheus with short intervals, scraping what it is given."""

    def __init__(self, directory: Path, targets: Mapping[str, str], rules: Mapping[str, Any], *, every: str) -> None:
        """``targets`` are addresses by job, ``rules`` the content of rule files by name."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in rules.items():
            (directory / name).write_text(yaml.safe_dump(content, width=1000), encoding="utf-8")
        configuration = {
            "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
            "rule_files": [str(directory / name) for name in rules],
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [address]}]} for job, address in targets.items()
            ],
        }
        file = directory / "prometheus.yml"
        file.write_text(yaml.safe_dump(configuration), encoding="utf-8")
        program = shutil.which("prometheus") or "prometheus"
        command = [
            program,
            f"--config.file={file}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-lifecycle",
            "--rules.alert.resend-delay=1s",
        ]
        super().__init__(command, directory / "prometheus.log")

    def begin(self) -> None:
        """Start it and return once it answers."""
        self.start()
        within(PATIENCE_S, self._ready, "Prometheus is ready")

    def query(self, query: str, at_s: float | None = None) -> list[dict[str, Any]]:
        """Return the result of an instant query."""
        parameters: dict[str, Any] = {"query": query} | ({} if at_s is None else {"time": at_s})
        answer = requests.get(f"{self.url}/api/v1/query", params=parameters, timeout=ANSWER_S)
        return list(answer.json()["data"]["result"])

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire."""
        said = requests.get(f"{self.url}/api/v1/alerts", timeout=ANSWER_S).json()["data"]["alerts"]
        return {one["labels"]["alertname"] for one in said if one["state"] == "firing"}

    def _ready(self) -> bool:
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.url}/-/ready", timeout=2).status_code == 200
        return False


class Alerter(Process):
    """The real alerter."""

    def __init__(self, directory: Path, prometheus_url: str, policy: str, environ: Mapping[str, str]) -> None:
        """``policy`` is the content of alerts.yaml, ``environ`` the channels' secrets and whatever else differs."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.state = directory / "state"
        directory.mkdir(parents=True, exist_ok=True)
        file = directory / "alerts.yaml"
        file.write_text(policy, encoding="utf-8")
        settings = {
            "PATH": os.environ["PATH"],
            "ALERTS_CONFIG": str(file),
            "STATE_DIR": str(self.state),
            "METRICS_PORT": str(self.port),
            "LISTEN_HOST": "127.0.0.1",
            "PROMETHEUS_URL": prometheus_url,
            "ALERTER_TOKEN": CONTROL,
            "NOTIFICATIONS_TOKEN": POSTING,
            "ACK_SECRET": "ack-secret",
            **environ,
        }
        super().__init__([sys.executable, "-m", "services.alerter"], directory / "alerter.log", settings)

    def begin(self) -> None:
        """Start it and return once it knows what fires."""
        self.start()
        within(PATIENCE_S, self._ready, "the alerter is ready")

    def get(self, path: str) -> dict[str, Any]:
        """Return what it answers, with the token of the api."""
        answer = requests.get(f"{self.url}{path}", headers=_bearer(CONTROL), timeout=ANSWER_S)
        answer.raise_for_status()
        return dict(answer.json())

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, token: str = CONTROL) -> dict[str, Any]:
        """Return what it answers to a POST."""
        answer = requests.post(f"{self.url}{path}", json=body or {}, headers=_bearer(token), timeout=ANSWER_S)
        answer.raise_for_status()
        return dict(answer.json())

    def health(self) -> dict[str, Any]:
        """Return its parts by name."""
        said = requests.get(f"{self.url}/health", timeout=ANSWER_S).json()
        return {part["part"]: part for part in said["parts"]}

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples that have these labels."""
        text = requests.get(f"{self.url}/metrics", timeout=ANSWER_S).text
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        lines = (line for line in text.splitlines() if line.partition("{")[0].partition(" ")[0] == name)
        return sum(float(line.rpartition(" ")[2]) for line in lines if all(one in line for one in wanted))

    def _ready(self) -> bool:
        if self.ended() is not None:
            raise AssertionError(f"the alerter ended:\n{self.text()[-3000:]}")
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.url}/readyz", timeout=2).status_code == 200
        return False


@contextlib.contextmanager
def running(*processes: Process) -> Iterator[None]:
    """Kill whatever of these still runs at the end."""
    try:
        yield
    finally:
        for one in processes:
            one.kill()


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
