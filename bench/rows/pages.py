"""Ten people read pages while 5,000 ticks a second arrive, and a quarter of minutes is asked for bar by bar.

Beside the pages, in the same run: a file of the same server, which asks nobody anything. Beside the bars: the bare SQL
of the same rows.
"""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from bench.rows.pipeline import COMMITTED
from bench.workbench import LIMIT_S, MeasurementError, Workbench, wait_for
from deploy.databases import RunningPostgres, RunningRedis, free_port

READERS: Final = 10
TICKS_PER_S: Final = 5000.0
LIMIT_PATH: Final = "/assets/icon.svg"
PAGES: Final = {
    "index": "/",
    "symbol": "/symbols/archive/BTCUSD",
    "daily": "/reports/daily/2026-03-19",
    "weekly": "/reports/weekly/2026-03-19",
    "logs": "/reports/logs/2026-03-19",
    "trades": "/reports/trades?from=2026-03-01&to=2026-03-31",
    "limit": LIMIT_PATH,
}
BEGIN: Final = "2026-01-01T00:00:00Z"
END: Final = "2026-04-01T00:00:00Z"
MINUTES: Final = 90 * 1440
PAGE_BARS: Final = 5000
SEED: Final = Path(__file__).parents[1] / "pages.sql"
BARE: Final = b"""
SELECT time, open, high, low, close, volume, buy_volume, quote_volume, trades, closed
FROM bars JOIN symbols USING (symbol_id) WHERE symbol = 'BTCUSD' ORDER BY time
"""


@dataclass(frozen=True, slots=True)
class Pages:
    """Milliseconds: the 95th percentile of each page; seconds: all bars of ninety days by the api, and by bare SQL."""

    p95_ms: Mapping[str, float]
    bars_s: float
    bare_s: float


def run(bench: Workbench) -> Pages:
    """Measure both on one stack; raises MeasurementError unless every tick that was sent meanwhile is committed."""
    shared = bench.shared()
    with (
        shared.postgres() as postgres, shared.redis() as redis, shared.flood(rate=TICKS_PER_S) as flood,
    ):  # fmt: skip
        shared.migrate(postgres)
        with psycopg.connect(postgres.url("nightdesk"), password=postgres.password, autocommit=True) as connection:
            connection.execute(SEED.read_bytes())
        with api(shared, postgres, redis) as address:
            bars_s, bare_s = all_bars_s(address), bare_bars_s(postgres)
            with shared.worker(flood, postgres, redis) as worker, shared.collector(flood, redis):
                wait_for(lambda: worker.value(COMMITTED), 1, "messages committed")
                arguments = ("--seconds", str(bench.seconds), "--readers", str(READERS), *PAGES.values())
                done = shared.ask(shared.second, "bench.readers", address, *arguments)
                wait_for(lambda: worker.value(COMMITTED), flood.sent()["sent"], "messages committed")
    return Pages({name: done[path]["p95_ms"] for name, path in PAGES.items()}, bars_s, bare_s)


@contextmanager
def api(bench: Workbench, postgres: RunningPostgres, redis: RunningRedis) -> Iterator[str]:
    """Run the api; yield its address once it answers."""
    port = free_port()
    env = {
        "API_PORT": str(port), "LISTEN_HOST": "127.0.0.1", "REDIS_URL": redis.url, "HEALTH_TARGETS": "",
        "DATABASE_URL": postgres.url("nightdesk", "nightdesk_reader"), "DATABASE_PASSWORD": postgres.password,
    }  # fmt: skip
    with bench.running(bench.first, "services.api", env=env):
        address = f"http://127.0.0.1:{port}"
        deadline_s = time.monotonic() + LIMIT_S
        while not _answers(port):
            if time.monotonic() > deadline_s:
                raise MeasurementError("the api does not answer")
            time.sleep(0.05)
        yield address


def all_bars_s(address: str) -> float:
    """Ask for every minute of ninety days, as many at once as the api gives; return the seconds that takes."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=LIMIT_S)
    began_s, before, found = time.perf_counter(), END, 0
    while True:
        connection.request("GET", f"/bars?symbol=BTCUSD&interval=1m&from={BEGIN}&to={before}&limit={PAGE_BARS}")
        page = json.loads(connection.getresponse().read())
        found += len(page["bars"])
        if not page["more"]:
            break
        before = page["bars"][0]["time"]
    took_s = time.perf_counter() - began_s
    connection.close()
    if found != MINUTES:
        raise MeasurementError(f"{found} of {MINUTES} bars came")
    return took_s


def bare_bars_s(postgres: RunningPostgres) -> float:
    """Return the seconds in which the same rows come from PostgreSQL to a program that does nothing with them."""
    with psycopg.connect(postgres.url("nightdesk"), password=postgres.password) as connection:
        began_s = time.perf_counter()
        found = len(connection.execute(BARE).fetchall())
        took_s = time.perf_counter() - began_s
    if found != MINUTES:
        raise MeasurementError(f"{found} of {MINUTES} rows came")
    return took_s


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
