"""The preflight against real databases, a real alerter and the channel that it reaches."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client import CollectorRegistry

from deploy.databases import RunningRedis
from nightdesk.health import HealthServer, Part, Status
from services.jobs.preflight import Arguments, fly
from services.jobs.runner.job import Desk, FindingError
from tests.alerting.processes import POSTING, Alerter, within
from tests.channel_server import ChannelServer, status
from tests.conftest import Database

pytestmark = [pytest.mark.integration, pytest.mark.slow]

NOW = datetime.now(UTC)
POLICY = """
channels:
  hook: {kind: webhook, per_minute: 600}
page: {steps: [{channels: [hook]}], repeat: 1h, interval: 0s}
digest: {at: ["00:00"], channels: [hook]}
watch: {every: 0.2s, resolve_after: 1s, settle_after: 0s, unreachable_after: 1h}
"""
SCHEDULE = """
jobs:
  preflight: {at: XNYS open - 1h}
  backup: {cron: "40 3 * * *", timezone: UTC}
  restore_day: {on: request}
"""
RUN = """
INSERT INTO runs (job, scheduled_for, task, origin, chain, due_at, grace_s, max_age_s, timeout_s)
VALUES (%s, %s, 'x', 'schedule', 'x', now(), 60, 60, 60)
"""
DAYS = """
SELECT ensure_day(one, (now() AT TIME ZONE 'UTC')::date + day)
FROM unnest(ARRAY['trades', 'quotes', 'depths']) AS one, generate_series(0, 1) AS day
"""


@pytest.fixture
def channels() -> Iterator[ChannelServer]:
    with ChannelServer() as server:
        yield server


@pytest.fixture
def alerter(tmp_path: Path, channels: ChannelServer) -> Iterator[Callable[..., Alerter]]:
    """Start the alerter, with a webhook or without any channel."""
    made: list[Alerter] = []

    def start(*, configured: bool = True) -> Alerter:
        secrets = {"WEBHOOK_URL": f"{channels.url}/hook", "WEBHOOK_SECRET": "secret-of-the-hook"}
        # Nothing answers there, which the policy calls trouble only after an hour.
        made.append(Alerter(tmp_path / "alerter", "http://127.0.0.1:9", POLICY, secrets if configured else {}))
        made[-1].start()
        within(30, lambda: answers(made[-1]), "the alerter answers")
        return made[-1]

    yield start
    for one in made:
        one.kill()


@pytest.fixture
def collector() -> Iterator[list[Part]]:
    facts: dict[str, Any] = {"connected": True, "symbols": 5}
    parts = [Part(part="feed/simulator", status=Status.OK, detail="connected", facts=facts)]
    server = HealthServer(
        service="collector", host="127.0.0.1", port=0, registry=CollectorRegistry(), parts=lambda: parts[:1],
        alive=lambda: True, ready=lambda: True,
    )  # fmt: skip
    server.start()
    parts.append(Part(part="port", status=Status.OK, detail=str(server.port)))
    yield parts
    server.stop()


@pytest.fixture
def ready(database: Database) -> None:
    """A desk whose next runs and days are there."""
    with database.connect() as connection:
        connection.execute(DAYS)
        for job in ("preflight", "backup"):
            connection.execute(RUN, (job, NOW + timedelta(hours=5)))


@pytest.fixture
def preflight(
    desk: Callable[..., Desk], redis_server: RunningRedis, collector: list[Part], tmp_path: Path
) -> Callable[..., Any]:
    def run(one: Alerter, **arguments: Any) -> Any:
        (tmp_path / "schedule.yaml").write_text(SCHEDULE, encoding="utf-8")
        made = desk(
            redis_url=redis_server.url,
            health_targets=f"collector=http://127.0.0.1:{collector[1].detail}",
            alerter_url=one.url,
            notifications_token=POSTING,
            schedule_config=tmp_path / "schedule.yaml",
        )
        # How full the disks of this machine are is not what is tested.
        wanted = Arguments(**{"again_seconds": 0, "disk_percent": 100, "skip": ["disk"], **arguments})
        return fly(made, wanted, lambda host, _port: [host], lambda _s: None)

    return run


def answers(one: Alerter) -> bool:
    try:
        return requests.get(f"{one.url}/livez", timeout=5).ok
    except requests.RequestException:
        return False


@pytest.mark.usefixtures("ready")
def test_a_desk_in_good_order_is_ready_and_the_test_was_delivered(
    preflight: Callable[..., Any], alerter: Callable[..., Alerter], channels: ChannelServer
) -> None:
    one = alerter()

    result = preflight(one)

    (sent,) = channels.wait_for(1, within_s=10, prefix="/hook")
    assert "test" in sent.body.decode().lower()
    assert result["failed"] == []
    assert set(result["checks"]) == {"calendar", "feeds", "storage", "runs", "alerter", "channels"}
    assert [row["facts"] for row in result["checks"]["channels"]] == [{"hook": "delivered"}]
    assert any("no symbol of XNYS" in text for text in result["warnings"])


@pytest.mark.usefixtures("ready")
def test_a_desk_without_channels_is_ready_with_a_warning(
    preflight: Callable[..., Any], alerter: Callable[..., Alerter]
) -> None:
    one = alerter(configured=False)

    assert any("nobody would be woken" in text for text in preflight(one)["warnings"])


def test_everything_that_fails_is_named(
    preflight: Callable[..., Any], alerter: Callable[..., Alerter], channels: ChannelServer, collector: list[Part]
) -> None:
    one = alerter()
    channels.script("/hook", status(500))
    collector[0] = Part(part="feed/simulator", status=Status.DOWN, detail="not connected for 90 s: refused")

    with pytest.raises(FindingError) as error:
        preflight(one, calendar="XLON")

    assert error.value.result["failed"] == ["feed/simulator", "partitions", "runs", "channels"]
    assert "not ready for the open of XLON" in str(error.value)
    assert "not connected for 90 s" in str(error.value)
    assert POSTING not in str(error.value)


@pytest.mark.usefixtures("ready")
def test_an_alerter_that_is_away_fails(preflight: Callable[..., Any], alerter: Callable[..., Alerter]) -> None:
    one = alerter()
    one.kill()

    with pytest.raises(FindingError) as error:
        preflight(one)
    assert error.value.result["failed"] == ["alerter", "channels"]
    assert preflight(one, skip=["alerter", "channels", "disk"])["skipped"] == ["alerter", "channels", "disk"]
