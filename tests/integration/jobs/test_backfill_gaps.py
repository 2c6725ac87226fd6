"""The backfill against a real exchange and a real database."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.jobs import backfill_gaps
from services.jobs.backfill_gaps import Arguments
from services.jobs.runner.job import Desk
from tests.conftest import Database
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


def test_withheld_trades_and_an_outage_are_filled(live: Live, exchange: Market, backfill: Callable[..., Any]) -> None:
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
