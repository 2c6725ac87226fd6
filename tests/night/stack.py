"""The desk that the week happens to: real processes under a supervisor, with the alerter in disguise."""

import os
import secrets as random_names
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import psycopg
import redis
import requests

from deploy.local import stack as local
from deploy.local.programs import Program
from nightdesk.errors import UnavailableError
from tests.chaos.simulator import TIMEOUT_S
from tests.night import configuration
from tests.night.configuration import Change
from tests.night.disguise import BEGAN_VARIABLE, Clock
from tests.night.week import Week

ALERTER: Final = "alerter"
WORKER: Final = "worker"
NEXT_WORKER: Final = "worker-next"
"""The release after: a deployment stops the one and starts the other, in its place and under a name of its own."""

SERVICES: Final = ("simulator", "collector", WORKER, "api", ALERTER)
THIN_SYMBOL: Final = "XRPUSDT"
THIN_TRADES_PER_S: Final = 1 / 80
READY_LIMIT_S: Final = 90.0
STATE_LIMIT_S: Final = 30.0
LOOK_S: Final = 0.1


class NightStack(local.Stack):
    """A local desk whose alerter is disguised, whose Prometheus asks an understudy as well, and whose worker has a next
    release ready."""

    def __init__(self, root: Path, *, rules: Path, understudy: str, **options: Any) -> None:
        super().__init__(root, services=SERVICES, preferred_ports={}, ready_limit_s=READY_LIMIT_S, **options)
        self._rules = rules
        self._understudy = understudy

    # --- what is run differently ---

    def _service_programs(self) -> list[Program]:
        programs = [_disguised(one) if one.name == ALERTER else one for one in super()._service_programs()]
        (worker,) = (one for one in programs if one.name == WORKER)
        return [*programs, replace(worker, name=NEXT_WORKER)]

    def _prometheus_programs(self) -> list[Program]:
        programs = super()._prometheus_programs()
        delivered = self.prometheus_file.read_text(encoding="utf-8")
        self._configure(configuration.night_prometheus(delivered, str(self._rules), self._understudy))
        return programs

    def _start_programs(self, names: Sequence[str]) -> None:
        """Make one symbol thin before anybody hears it, and leave the next release for later."""
        super()._start_programs(["simulator"])
        self._thin_out()
        super()._start_programs([name for name in names if name not in {"simulator", NEXT_WORKER}])

    def _thin_out(self) -> None:
        rates = {"trades_per_s": THIN_TRADES_PER_S, "quotes_per_s": 0, "depth_per_s": 0, "symbols": [THIN_SYMBOL]}
        requests.post(f"{self.url('simulator')}/sim/rate", json=rates, timeout=TIMEOUT_S).raise_for_status()

    # --- what is done to it ---

    @property
    def prometheus_file(self) -> Path:
        """Prometheus's configuration."""
        return self.layout.root / "prometheus.yml"

    def take_rules_away(self) -> None:
        """Let Prometheus go on without any rules."""
        self._configure(configuration.without_rules(self.prometheus_file.read_text(encoding="utf-8")))
        self.kill("prometheus", signal.SIGHUP)

    def hold_down(self, name: str) -> float:
        """SIGKILL a program and let nothing start it again; return when it was killed, Unix seconds."""
        self.kill(name)
        killed_s = time.time()
        self._until(lambda: self._is_held_down(name), f"{name} does not stay down")
        return killed_s

    def restarted(self, name: str, before: int) -> float:
        """Wait until a program has another process than ``before``, and return when that was, Unix seconds."""
        self._until(lambda: self.pid(name) not in {0, before}, f"{name} was not started again")
        return time.time()

    def serves(self, name: str) -> bool:
        """Return whether a program answers; the next release does so in the place of the one before."""
        return self.is_live(WORKER if name == NEXT_WORKER else name)

    def until_it_serves(self, name: str) -> None:
        """Wait for a program to answer; raises UnavailableError."""
        self._until(lambda: self.serves(name), f"{name} does not answer")

    def database(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """Return a connection of the superuser, in autocommit."""
        password = self.database_password("postgres")
        return psycopg.connect(self.database_url("postgres"), password=password, autocommit=True, connect_timeout=5)

    def redis(self) -> "redis.Redis":
        """Return a client of Redis."""
        return redis.Redis.from_url(self.redis_url(), password=self.secret("redis", "redis-password"), socket_timeout=5)

    def ask_prometheus(self, query: str) -> list[dict[str, Any]]:
        """Return the result of an instant query; raises requests.RequestException."""
        answer = requests.get(f"{self.url('prometheus')}/api/v1/query", params={"query": query}, timeout=10)
        answer.raise_for_status()
        return list(answer.json()["data"]["result"])

    def _configure(self, text: str) -> None:
        self.prometheus_file.write_text(text, encoding="utf-8")

    def _is_held_down(self, name: str) -> bool:
        with suppress(UnavailableError):  # it is between two starts, and refuses to be stopped
            self.supervisor.stop_program(name)
        return next(one.state for one in self.programs() if one.name == name) == "STOPPED"

    def _until(self, happened: Callable[[], bool], otherwise: str) -> None:
        deadline_s = time.monotonic() + STATE_LIMIT_S
        while not happened():
            if time.monotonic() > deadline_s:
                raise UnavailableError(f"{otherwise} within {STATE_LIMIT_S:.0f} s")
            time.sleep(LOOK_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A running desk, its fast clock, and what differs from a shipped one."""

    stack: NightStack
    clock: Clock
    changes: Sequence[Change]


@contextmanager
def desk(*, understudy: str, channels_url: str, seed: int, keep: bool = False) -> Iterator[Desk]:
    """Run a desk in a temporary directory; remove every trace of it afterwards unless ``keep``."""
    root = Path(tempfile.mkdtemp(prefix="nightdesk-night-"))
    root.chmod(0o755)  # PostgreSQL may run as another user, who must be able to enter
    try:
        policy, rules, changes = _files(root, channels_url)
        clock = Clock(Week(), root / "began")
        stack = NightStack(
            root / "desk",
            rules=rules,
            understudy=understudy,
            environ=_environ(seed, policy, channels_url),
            own_variables={
                ALERTER: {BEGAN_VARIABLE: str(root / "began"), "CALENDARS_CONFIG": str(root / "calendars.yaml")}
            },
        )
        stack.layout.root.mkdir()
        try:
            stack.start()
            yield Desk(stack=stack, clock=clock, changes=changes)
        finally:
            if stack.supervisor.runs():
                stack.stop()
    finally:
        if not keep:
            shutil.rmtree(root)


def _files(root: Path, channels_url: str) -> tuple[Path, Path, list[Change]]:
    """Write the policy, the calendars and the rules; return where policy and rules are, and what differs."""
    policy, changed_policy = configuration.night_policy(
        (local.SOURCE / "config" / "alerts.yaml").read_text(encoding="utf-8"), f"{channels_url}/pushover"
    )
    (root / "alerts.yaml").write_text(policy, encoding="utf-8")
    (root / "calendars.yaml").write_text(configuration.CALENDARS, encoding="utf-8")
    rules = root / "rules"
    shutil.copytree(local.SOURCE / "prometheus" / "rules", rules)
    file = rules / "thresholds.yaml"
    thresholds, changed_rules = configuration.night_thresholds(file.read_text(encoding="utf-8"))
    file.write_text(thresholds, encoding="utf-8")
    return root / "alerts.yaml", rules, [*changed_rules, *changed_policy, *configuration.other_changes()]


def _environ(seed: int, policy: Path, channels_url: str) -> dict[str, str]:
    return {
        "ALERTS_CONFIG": str(policy),
        "SLACK_WEBHOOK_URL": f"{channels_url}/slack",
        "PUSHOVER_APP_TOKEN": random_names.token_hex(15),
        "PUSHOVER_USER_KEY": random_names.token_hex(15),
        "RECONNECT_MAX_DELAY": str(configuration.RECONNECT_MAX_DELAY_S),
        "SIMULATOR_SEED": str(seed),
        "SIMULATOR_SHAPE": "flat",
        "SIMULATOR_TRADES_PER_S": str(configuration.TRADES_PER_S),
        "SIMULATOR_QUOTES_PER_S": str(configuration.QUOTES_PER_S),
        "SIMULATOR_DEPTH_PER_S": str(configuration.DEPTH_PER_S),
    }


def _disguised(program: Program) -> Program:
    """Return the alerter's program with the fast clock put on: ``python -m X`` becomes ``python -m disguise X``."""
    python, option, module = program.command
    return replace(program, command=(python, option, "tests.night.disguise", module))


def machine() -> str:
    """Return what it was measured on."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
