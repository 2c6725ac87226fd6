"""The backfill against a real exchange and a real database."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from nightdesk.clock import Clock
from services.jobs import backfill_gaps, verify_data
from services.jobs.backfill_gaps import Arguments
from services.jobs.runner.job import Desk
from tests.conftest import Database
from tests.integration.jobs.child import Child
from tests.integration.jobs.market import FEED, Live, Market, assert_bars_equal, assert_contiguous, market

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LEDGER = "SELECT state, quality, source, reason, missing::text FROM gaps WHERE kind = 1 ORDER BY gap_id"


@pytest.fixture
def exchange() -> Iterator[Market]:
    with market() as one:
        yield one


@pytest.fixture
def live(database: Database, exchange: Market) -> Iterator[Live]:
    one = Live(database, exchange)
    one.connect()
    yield one
    one.close()


@pytest.fixture
def backfill(desk: Callable[..., Desk], exchange: Market) -> Callable[..., Any]:
    def run(**arguments: Any) -> Any:
        config = arguments.pop("config", None) or exchange.config()
        return backfill_gaps.run(desk(feeds={FEED: config}), Arguments(**arguments))

    return run


@pytest.fixture
def verify(desk: Callable[..., Desk], exchange: Market) -> Callable[..., Any]:
    """Verify yesterday, up to the exchange's own time."""

    def run(**arguments: Any) -> Any:
        config = arguments.pop("config", None) or exchange.config()
        clock = Clock(wall_ns=lambda: exchange.now_ms * 10**6)
        made = desk(feeds={FEED: config}, clock=clock, scheduled_for=datetime.now(UTC))
        return verify_data.run(made, verify_data.Arguments(**arguments))

    return run


def test_withheld_trades_and_an_outage_are_filled(
    live: Live, exchange: Market, backfill: Callable[..., Any], verify: Callable[..., Any]
) -> None:
    live.live(90)
    exchange.running.fault("gap", symbol="BTCUSDT", count=50)
    live.live(60)
    live.disconnect()
    exchange.move(150)
    live.connect()
    live.live(70)

    result = backfill()

    assert result["gaps"] == {"filled": 2}
    assert {row[:3] for row in live.rows(LEDGER)} == {("filled", "trades", "binance historicalTrades")}
    assert_contiguous(live, exchange)
    assert assert_bars_equal(live, exchange) >= 5
    verified = verify()
    assert (verified["percent"], verified["minutes"], verified["unchecked"]) == (100.0, 3, 0)


@pytest.mark.timeout(600)
def test_a_backfill_that_is_killed_again_and_again_neither_loses_nor_repeats(
    live: Live, exchange: Market, database: Database
) -> None:
    live.live(70)
    live.disconnect()
    exchange.running.post("/sim/rate", {"trades_per_s": 100})
    exchange.move(200)
    exchange.running.post("/sim/rate", {"trades_per_s": 20})
    live.connect()
    live.live(10)
    chance, kills = random.Random(6), 0
    while True:
        child = Child(database, exchange)
        child.after(pages=chance.randint(0, 5))
        time.sleep(chance.random() * 0.05)
        if not child.kill():
            break
        kills += 1

    assert kills >= 4
    assert [row[:2] for row in live.rows(LEDGER)] == [("filled", "trades")]
    assert_contiguous(live, exchange)
    assert assert_bars_equal(live, exchange) >= 4
