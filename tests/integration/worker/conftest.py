"""Worker processes on a real Redis and a real PostgreSQL, and a market that feeds them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis as redis_driver

from deploy import databases
from nightdesk import frames
from nightdesk.shards import shard_of, stream_key
from nightdesk.store import migrate
from nightdesk.ticks import NO_ID, Event, Quote, Tick, Trade
from tests.conftest import Database

ROOT = Path(__file__).parents[3]
FEED = "simulator"
SHARDS = 8
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT", "ADAUSDT", "DOGEUSDT", "LTCUSDT")
LEASE_S = 2
PATIENCE_S = 60.0


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Return once the condition holds; the limit is only there so that a failure ends."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
        time.sleep(0.05)


class Workers:
    """Worker processes; each is a child that can be signalled."""

    def __init__(self, database: Database, redis_url: str, logs: Path) -> None:
        self._environment = {
            **os.environ,
            "REDIS_URL": redis_url,
            "DATABASE_URL": database.url(migrate.WRITER),
            "DATABASE_PASSWORD": database.password(migrate.WRITER),
            "FEEDS": FEED,
            "LEASE_SECONDS": str(LEASE_S),
            "METRICS_PORT": "0",
        }
        self._logs = logs
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, **settings: str) -> "subprocess.Popen[bytes]":
        with self._log(len(self._running)).open("wb") as log:
            command = [sys.executable, "-m", "services.worker"]
            environment = {**self._environment, **settings}
            one = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        self._running.append(one)
        return one

    def log(self, number: int) -> bytes:
        return self._log(number).read_bytes()

    def _log(self, number: int) -> Path:
        return self._logs / f"worker-{number}.log"

    def stop(self) -> None:
        for one in self._running:
            if one.poll() is None:
                one.send_signal(signal.SIGCONT)
                one.kill()
            one.wait()


class Market:
    """Frames of contiguous trades, issued as a collector would: ids of its own, rising, one writer a stream."""

    def __init__(self, client: "redis_driver.Redis") -> None:
        self._client = client
        self._issued = 0
        self.last = dict.fromkeys(SYMBOLS, 1000)
        self.spool: list[tuple[str, str, bytes]] = []

    def send(self, symbol: str, trades: int) -> None:
        """One frame of so many trades and a quote."""
        now_ns = time.time_ns()
        ticks: list[Tick] = []
        for _ in range(trades):
            self.last[symbol] += 1
            ticks.append(Trade(symbol, self.last[symbol], 100.0, 1.0, 1, now_ns, now_ns))
        ticks.append(Quote(symbol, self.last[symbol], 1.0, 2.0, 3.0, 4.0, 0, now_ns))
        self.issue(shard_of(symbol, SHARDS), frames.encode(ticks))

    def say(self, name: str, shard: int) -> None:
        now_ns = time.time_ns()
        self.issue(shard, frames.encode([Event("", name, 0, NO_ID, NO_ID, 0, "", now_ns)]))

    def issue(self, shard: int, payload: bytes) -> None:
        self._issued += 1
        entry = (stream_key(FEED, shard), f"{time.time_ns() // 10**6}-{self._issued}", payload)
        self.spool.append(entry)
        self.put(*entry)

    def put(self, stream: str, entry_id: str, payload: bytes) -> None:
        self._client.xadd(stream, {"f": payload, "w": "market"}, id=entry_id)

    def run(self, stopping: threading.Event) -> None:
        """Trade on every symbol until told to stop."""
        while not stopping.wait(0.02):
            for symbol in SYMBOLS:
                self.send(symbol, 20)


class Desk:
    """Everything a test of the worker needs."""

    def __init__(self, database: Database, server: databases.RunningRedis, logs: Path) -> None:
        self._database = database
        self.client = redis_driver.Redis.from_url(server.url, protocol=2)
        self.workers = Workers(database, server.url, logs)
        self.market = Market(self.client)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._database.url(), password=self._database.password()) as connection:
            return connection.execute(query.encode()).fetchall()

    def log(self, number: int) -> bytes:
        """What a worker wrote so far."""
        return self.workers.log(number)

    def execute(self, statement: str) -> None:
        """Change something as superuser."""
        with psycopg.connect(self._database.url(), password=self._database.password()) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Let nobody else write a table."""
        with psycopg.connect(self._database.url(), password=self._database.password()) as connection:
            connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
            yield

    def stored(self) -> dict[str, tuple[int, int, int]]:
        """Per symbol: rows, distinct ids and the highest id."""
        found = self.rows(
            "SELECT s.symbol, count(*), count(DISTINCT trade_id), max(trade_id)"
            " FROM trades JOIN symbols AS s USING (symbol_id) GROUP BY 1"
        )
        return {symbol: (count, distinct, highest) for symbol, count, distinct, highest in found}

    def expected(self) -> dict[str, tuple[int, int, int]]:
        return {symbol: (last - 1000, last - 1000, last) for symbol, last in self.market.last.items() if last > 1000}

    def owners(self) -> dict[str, int]:
        """Live owners and how many consumers each has."""
        query = "SELECT owner, count(*) FROM leases WHERE owner IS NOT NULL AND expires_at > now() GROUP BY 1"
        return dict(self.rows(query))

    def owner_of(self, process: "subprocess.Popen[bytes]") -> int:
        """How many consumers a process owns."""
        return sum(count for owner, count in self.owners().items() if owner.split(":")[1] == str(process.pid))

    def settle(self) -> None:
        """Wait until everything sent is stored."""
        wait_for(lambda: {symbol: one[2] for symbol, one in self.stored().items()}
                 == {symbol: one[2] for symbol, one in self.expected().items()}, "all trades")  # fmt: skip


@pytest.fixture
def desk(
    database: Database, redis: "redis_driver.Redis", redis_server: databases.RunningRedis, tmp_path: Path
) -> Iterator[Desk]:
    one = Desk(database, redis_server, tmp_path)
    yield one
    one.workers.stop()
    one.client.close()


@pytest.fixture
def trading(desk: Desk) -> Iterator[threading.Event]:
    """The market trades on all symbols until the event is set."""
    stopping = threading.Event()
    thread = threading.Thread(target=desk.market.run, args=(stopping,))
    thread.start()
    yield stopping
    stopping.set()
    thread.join()
