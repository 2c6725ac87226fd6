"""The health check against real databases and a real health endpoint."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from deploy.databases import RunningRedis
from nightdesk.health import HealthServer, Part
from nightdesk.store.database import connect
from services.jobs.checks.parts import degraded, well
from services.jobs.health_check import Arguments, check
from services.jobs.runner.job import Desk, FindingError
from tests.conftest import Database

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TICK = """
WITH symbol AS (
    INSERT INTO symbols (feed, symbol, shard) VALUES ('simulator', 'BTCUSDT', 0)
    ON CONFLICT (feed, symbol) DO UPDATE SET shard = 0 RETURNING symbol_id
)
INSERT INTO latest (symbol_id, kind, time, received_at)
SELECT symbol_id, 1, now(), now() - %s * interval '1 second' FROM symbol
ON CONFLICT (symbol_id, kind) DO UPDATE SET received_at = excluded.received_at
"""
GAP = """
INSERT INTO gaps (symbol_id, kind, cause, state, opened_at)
SELECT symbol_id, 1, 'disconnect', 'open', now() - interval '3 hours' FROM symbols
"""


class Neighbour:
    """A service whose parts the test says."""

    def __init__(self) -> None:
        self.parts: list[Part] = [well("store", "fine")]
        self.looks = 0
        self.server = HealthServer(
            service="worker", host="127.0.0.1", port=0, registry=CollectorRegistry(), parts=self._look,
            alive=lambda: True, ready=lambda: True,
        )  # fmt: skip

    def _look(self) -> list[Part]:
        self.looks += 1
        return self.parts


@pytest.fixture
def neighbour() -> Iterator[Neighbour]:
    one = Neighbour()
    one.server.start()
    yield one
    one.server.stop()


@pytest.fixture
def look(
    desk: Callable[..., Desk], redis_server: RunningRedis, neighbour: Neighbour, database: Database
) -> Callable[..., Any]:
    """Check the desk, with a tick of so many seconds ago and these changes of its settings."""

    def run(age_s: float = 1.0, sleep: Callable[[float], None] = lambda _s: None, **changes: Any) -> Any:
        with database.connect() as connection:
            connection.execute(TICK, [age_s])
        values = {
            "redis_url": redis_server.url,
            "health_targets": f"worker=http://127.0.0.1:{neighbour.server.port}",
            **changes,
        }
        return check(desk(**values), Arguments(), lambda host, _port: [host], sleep)

    return run


def test_every_part_of_a_desk_in_good_order_has_a_row(look: Callable[..., Any], database: Database) -> None:
    result = look()

    rows = {row["part"]: row["status"] for row in result["parts"]}
    assert {"database", "redis", "worker", "worker/store", "data/simulator 24/7", "gaps/simulator"} <= set(rows)
    assert set(rows.values()) == {"ok"}
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM workers").fetchone() == (0,)


def test_everything_that_is_not_well_is_named(
    look: Callable[..., Any], neighbour: Neighbour, database: Database
) -> None:
    look()
    neighbour.parts = [degraded("store", "30 s behind")]
    with database.connect() as connection:
        connection.execute(GAP)

    with pytest.raises(FindingError) as error:
        look(age_s=900.0, redis_url="redis://127.0.0.1:1/0")

    assert error.value.result["unwell"] == ["redis", "data/simulator 24/7", "worker/store", "gaps/simulator"]
    assert "worker/store: 30 s behind" in str(error.value)
    assert "the newest is 900 s old" in str(error.value)


def test_what_is_well_at_the_second_look_is_no_finding(look: Callable[..., Any], neighbour: Neighbour) -> None:
    neighbour.parts = [degraded("store", "starting")]

    def mend(_seconds: float) -> None:
        neighbour.parts = [well("store", "fine")]

    result = look(sleep=mend)

    assert result["unwell"] == []
    assert neighbour.looks == 2


def test_a_password_that_was_changed_is_noticed(look: Callable[..., Any], desk: Callable[..., Desk]) -> None:
    def refused(_name: str) -> Any:
        return connect(desk().settings.database_url, "wrong", name="check")

    one = replace(desk(), connect=refused)
    with pytest.raises(FindingError) as error:
        check(one, Arguments(again_seconds=0), lambda host, _port: [host], lambda _s: None)

    assert "database" in error.value.result["unwell"]
    assert "wrong" not in str(error.value)
