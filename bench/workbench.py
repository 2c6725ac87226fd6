"""What every row works with: two cores, a place to run processes in, databases, a flood."""

import http.client
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from bench.market import SYMBOLS
from bench.place import COMPOSE, Place, Process, stop
from bench.servers import Cores
from deploy.databases import RunningPostgres, RunningRedis, free_port
from deploy.local.compose import postgres_settings

FEED: Final = "bench"
LIMIT_S: Final = 120.0
STALL_S: Final = 30.0
POLL_S: Final = 0.05

Numbers: TypeAlias = dict[str, Any]
T = TypeVar("T")

SHARDS: Final = 8

_FEEDS: Final = """\
feeds:
  {feed}:
    codec: binance
    ws_url: ws://127.0.0.1:{port}
    rest_url: http://127.0.0.1:{port}
    symbols: [{symbols}]
    kinds: [trade]
    shards: {shards}
"""


class MeasurementError(Exception):
    """A row could not be measured: a process failed, or something is missing at the end."""


class NothingToMeasureError(Exception):
    """What a row would measure is not here; the text says what it is."""


@dataclass(frozen=True, slots=True)
class Flood:
    """A running flood: where it listens, and its word about what it sent."""

    port: int
    sent: Callable[[], Numbers]
    """Waits for the end; ``{"sent": messages, "began_ns": ..., "ended_ns": ...}`` by the monotonic clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """Starts what a row needs and stops it; ``seconds`` is how long the row sends.

    ``known`` is what was measured in this round already: one run may give several rows.
    """

    place: Place
    scratch: Path
    seconds: float
    known: dict[Any, Any] = field(default_factory=dict)
    first: Cores
    """The core of what is measured."""

    second: Cores
    """The core of everything beside it."""

    def shared(self) -> "Workbench":
        """Return one on which every process may use both cores."""
        both = self.first | self.second
        return replace(self, first=both, second=both)

    def once(self, run: Callable[["Workbench"], T]) -> T:
        """Return what the run gives, which takes place once a round."""
        if run not in self.known:
            self.known[run] = run(self)
        found: T = self.known[run]
        return found

    @contextmanager
    def running(
        self, cores: Cores, module: str, *arguments: str, env: Mapping[str, str] | None = None
    ) -> Iterator[Process]:
        """Run a Python process until the block ends."""
        process = self.place.start(cores, module, *arguments, env=env)
        try:
            yield process
        finally:
            stop(process)

    def ask(self, cores: Cores, module: str, *arguments: str, env: Mapping[str, str] | None = None) -> Numbers:
        """Run a Python process that prints one line of JSON; return it."""
        with self.running(cores, module, *arguments, env=env) as process:
            return line_of(process, module)

    @contextmanager
    def flood(self, *, close: bool = False, rate: float = 0.0) -> Iterator[Flood]:
        """Run the flood beside what is measured; a rate is in messages a second."""
        arguments = ["--seconds", str(self.seconds), "--rate", str(rate), *(["--close"] if close else [])]
        with self.running(self.second, "bench.flood", *arguments) as process:
            port = int(line_of(process, "bench.flood")["port"])
            yield Flood(port, lambda: line_of(process, "bench.flood"))

    @contextmanager
    def redis(self) -> Iterator[RunningRedis]:
        """Run an empty Redis as the desk configures it."""
        with self._empty("redis") as directory, self.place.redis(directory, self.second) as server:
            yield server

    @contextmanager
    def postgres(self) -> Iterator[RunningPostgres]:
        """Run an empty PostgreSQL as the desk configures it."""
        settings = postgres_settings(COMPOSE.read_text(encoding="utf-8"))
        with self._empty("postgres") as directory, self.place.postgres(directory, self.second, settings) as server:
            yield server

    @contextmanager
    def collector(self, flood: Flood, redis: RunningRedis, transport: str = "websockets") -> Iterator["Metrics"]:
        """Run the real collector on the flood; yield its metrics."""
        port = free_port()
        with self._empty("spool") as spool:
            env = {
                **self._feed(flood), "REDIS_URL": redis.url, "SPOOL_DIR": str(spool), "METRICS_PORT": str(port),
                "TRANSPORT": transport,
            }  # fmt: skip
            with self.running(self.first, "services.collector", env=env):
                yield Metrics(port)

    def migrate(self, postgres: RunningPostgres) -> None:
        """Make the database ``nightdesk`` with roles and schema, as the desk does."""
        env = {
            "DATABASE_URL": postgres.url("nightdesk"), "DATABASE_PASSWORD": postgres.password,
            **{f"{role}_PASSWORD": postgres.password for role in ("OWNER", "WRITER", "READER")},
        }  # fmt: skip
        with self.running(self.first, "nightdesk.store.migrate", env=env) as process:
            if process.wait(LIMIT_S):
                raise MeasurementError(f"migrate ended with status {process.returncode}")

    @contextmanager
    def worker(
        self, flood: Flood, postgres: RunningPostgres, redis: RunningRedis, *program: str
    ) -> Iterator["Metrics"]:
        """Run a worker, or the program that is one; yield its metrics."""
        port = free_port()
        env = {
            **self._feed(flood), "REDIS_URL": redis.url, "METRICS_PORT": str(port),
            "DATABASE_URL": postgres.url("nightdesk", "nightdesk_writer"), "DATABASE_PASSWORD": postgres.password,
        }  # fmt: skip
        with self.running(self.second, *(program or ("services.worker",)), env=env):
            yield Metrics(port)

    def _feed(self, flood: Flood) -> dict[str, str]:
        return feed(self.scratch / "feeds.yaml", flood.port, SYMBOLS)

    @contextmanager
    def _empty(self, name: str) -> Iterator[Path]:
        directory = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.scratch))
        # PostgreSQL may run as another user, who must be able to enter.
        directory.chmod(0o755)
        try:
            yield directory / name
        finally:
            shutil.rmtree(directory)


class Metrics:
    """A service's /metrics."""

    def __init__(self, port: int) -> None:
        self._port = port

    def value(self, name: str) -> float:
        """Return the sum of a metric over its labels; 0 while the service does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        except OSError:
            return 0.0
        finally:
            connection.close()
        return sum(float(value) for value in re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE))


def feed(file: Path, port: int, symbols: Iterable[str]) -> dict[str, str]:
    """Write the configuration of a feed of trades that listens there; return the variables that name it."""
    text = _FEEDS.format(feed=FEED, port=port, symbols=", ".join(symbols), shards=SHARDS)
    file.write_text(text, encoding="utf-8")
    return {"FEEDS": FEED, "FEEDS_CONFIG": str(file), "LOG_LEVEL": "warning"}


def line_of(process: Process, name: str) -> Numbers:
    """Return the next line of JSON that a process prints; raises MeasurementError when it ends instead."""
    assert process.stdout is not None
    text = process.stdout.readline()
    if not text:
        raise MeasurementError(f"{name} ended with status {process.wait()}; its errors are above")
    numbers: Numbers = json.loads(text)
    return numbers


def wait_for(count: Callable[[], float], wanted: float, what: str) -> int:
    """Wait until ``count`` reaches what is wanted; return the moment by ``time.monotonic_ns``."""
    last, moved = -1.0, time.monotonic()
    while True:
        now = count()
        if now >= wanted:
            return time.monotonic_ns()
        if now > last:
            last, moved = now, time.monotonic()
        if time.monotonic() - moved > STALL_S:
            raise MeasurementError(f"{now:.0f} of {wanted:.0f} {what}, and no more came for {STALL_S:.0f} s")
        time.sleep(POLL_S)


def two_cores() -> tuple[Cores, Cores]:
    """Return the cores to use; raises MeasurementError on a machine with one."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise MeasurementError("bench needs two cores: one for what is measured, one for all beside it")
    return frozenset(cores[:1]), frozenset(cores[1:2])
