"""The api over a real PostgreSQL, which it reads as the reader, and beside a real alerter."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from starlette.testclient import TestClient

from nightdesk.clock import Clock
from nightdesk.schedule_config import read_schedule
from nightdesk.store.migrate import CLERK, READER, WRITER
from services.api.app import compose
from services.api.settings import ApiSettings
from services.scheduler.app import Scheduler
from services.scheduler.settings import SchedulerSettings
from tests.alerting.processes import CONTROL, Alerter, running
from tests.channel_server import ChannelServer
from tests.conftest import Database

ROOT = Path(__file__).resolve().parents[3]

POLICY = """
channels:
  hook: {kind: webhook}
  sms: {kind: pushover}
page: {steps: [{channels: [hook]}], repeat: 1h, interval: 0s}
digest: {at: ["00:00"], channels: [hook]}
watch: {every: 0.2s, resolve_after: 1s, unreachable_after: 1s}
"""
"""Prometheus is nowhere, which is an alert of its own a second after the start."""

SEED = """
INSERT INTO feeds (feed, shards) VALUES ('simulator', 8), ('coinbase', 8);
INSERT INTO symbols (feed, symbol, shard)
VALUES ('simulator', 'BTCUSDT', 3), ('simulator', 'ETHUSDT', 5), ('coinbase', 'BTC-USD', 1),
    ('coinbase', 'ETHUSDT', 2);
INSERT INTO bars (
    symbol_id, time, open, high, low, close, volume, buy_volume, quote_volume, trades, open_key, close_key, closed
)
SELECT
    1, timestamptz '2026-01-05 00:00Z' + n * interval '1 minute',
    n, n + 2, n - 1, n + 1, 1, 0.5, 10, 3, n, n, n < 2999
FROM generate_series(0, 2999) AS n;
INSERT INTO latest (symbol_id, kind, side, time, received_at, sequence, price, size)
VALUES (1, 1, 1, '2026-01-07 01:59:59Z', '2026-01-07 01:59:59.1Z', 42, 67000.5, 0.25);
INSERT INTO latest (symbol_id, kind, time, received_at, sequence, spread, pressure_ratio)
VALUES (1, 4, '2026-01-07 01:59:59Z', '2026-01-07 01:59:59.1Z', 43, 0.01, 1.5);
INSERT INTO gaps (symbol_id, kind, from_id, to_id, from_time, to_time, missing, cause, state)
SELECT
    1 + n % 2, 1, n * 100, n * 100 + 9, now(), now(), int8multirange(int8range(n * 100, n * 100 + 10)),
    'disconnected', CASE WHEN n % 3 = 0 THEN 'filled' ELSE 'open' END
FROM generate_series(1, 30) AS n;
INSERT INTO gaps (symbol_id, kind, from_time, cause, state) VALUES (3, 3, now(), 'never heard', 'unfillable');
INSERT INTO leases (consumer, feed, shard, owner, expires_at)
SELECT
    format('store/simulator/%s', lpad(n::text, 2, '0')), 'simulator', n, 'worker-' || n % 2,
    now() + interval '1 hour'
FROM generate_series(0, 7) AS n;
INSERT INTO instruments (symbol, name, sector) VALUES ('AAPL', 'Apple', 'Technology'), ('KO', 'Coca-Cola', '');
INSERT INTO traders (name, kind) VALUES ('momentum', 'strategy');
INSERT INTO orders (reference, instrument_id, trader_id, side, quantity, price, status, ordered_at)
SELECT
    'A-' || n, 1 + n % 2, 1, CASE WHEN n % 3 = 0 THEN 'sell' ELSE 'buy' END, 1 + n, 10.25,
    CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'executed' END, timestamptz '2026-01-05 10:00Z' + n * interval '1 hour'
FROM generate_series(1, 40) AS n;
INSERT INTO log_counts (day, service, level, event, lines) VALUES ('2026-11-19', 'gateway', 'error', '', 3);
INSERT INTO log_errors (
    day, fingerprint, service, level, event, template, sample, lines, first_at, last_at
)
VALUES (
    '2026-11-19', 'b269569bfe617a8f', 'gateway', 'error', '', 'order <n> is lost', 'order 7 is lost', 3,
    '2026-11-19 12:00Z', '2026-11-19 13:00Z'
);
INSERT INTO log_events (log_file_id, "offset", time, service, level, event, message, fingerprint, fields)
SELECT 1, n, '2026-11-19 12:00Z', 'gateway', 'error', '', 'order 7 is lost', 'b269569bfe617a8f', '{}'
FROM generate_series(1, 3) AS n;
"""


def settings(database: Database, **changes: Any) -> ApiSettings:
    values: Mapping[str, Any] = {
        "database_url": database.url(READER),
        "database_password": SecretStr(database.password(READER)),
        "clerk_password": SecretStr(database.password(CLERK)),
        "redis_url": "redis://127.0.0.1:1/0",
        "health_targets": "collector=http://127.0.0.1:1",
    }
    return ApiSettings(**{**values, **changes})


@pytest.fixture(scope="module")
def channel() -> Iterator[ChannelServer]:
    with ChannelServer() as server:
        yield server


@pytest.fixture(scope="module")
def alerter(channel: ChannelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alerter]:
    environ = {"WEBHOOK_URL": f"{channel.url}/hook", "WEBHOOK_SECRET": "s", "PUBLIC_URL": "https://desk.example.com"}
    one = Alerter(tmp_path_factory.mktemp("alerter"), "http://127.0.0.1:1", POLICY, environ)
    with running(one):
        one.begin()
        yield one


RUNS_TOKEN = "token-for-runs"


def a_scheduler(database: Database) -> FastAPI:
    """Return a scheduler over this database; its Redis is away."""
    values = {
        "database_url": database.url(WRITER),
        "database_password": SecretStr(database.password(WRITER)),
        "redis_url": "redis://127.0.0.1:1/0",
        "runs_token": SecretStr(RUNS_TOKEN),
    }
    schedule = read_schedule(ROOT / "config" / "schedule.yaml")
    return Scheduler(SchedulerSettings.model_validate(values), schedule, CollectorRegistry(), Clock()).app()


def beside(alerter: Alerter, scheduler_url: str = "") -> dict[str, Any]:
    """Return the settings of an api that asks these neighbours."""
    return {
        "scheduler_url": scheduler_url,
        "runs_token": SecretStr(RUNS_TOKEN),
        "alerter_url": alerter.url,
        "alerter_token": SecretStr(CONTROL),
        "health_targets": f"alerter={alerter.url}",
    }


@pytest.fixture
def seeded(database: Database) -> Database:
    with database.connect() as connection:
        connection.execute(SEED)
    return database


@pytest.fixture
def client(seeded: Database) -> Iterator[TestClient]:
    with TestClient(compose(settings(seeded), CollectorRegistry())) as running:
        yield running
