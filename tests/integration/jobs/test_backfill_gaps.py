"""The backfill against a real exchange and a real database."""

import itertools
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import requests

from nightdesk.clock import Clock
from nightdesk.errors import UnavailableError
from nightdesk.feeds_config import FeedConfig
from nightdesk.outbound import Answer, call
from services.jobs import backfill_gaps, verify_data
from services.jobs.backfill.reaching import SHARE
from services.jobs.backfill_gaps import Arguments
from services.jobs.runner.job import Desk
from tests.conftest import Database
from tests.integration.jobs.child import Child
from tests.integration.jobs.market import FEED, YESTERDAY, Live, Market, assert_bars_equal, assert_contiguous, market
from tests.integration.simulator.serving import Running, simulator
from tests.integration.store.conftest import a_trade

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]

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


def test_two_backfills_at_once_beside_the_live_feed_store_everything_once(
    live: Live, exchange: Market, backfill: Callable[..., Any], verify: Callable[..., Any]
) -> None:
    live.live(70)
    live.disconnect()
    exchange.move(300)
    live.connect()
    live.live(5)
    results: list[Any] = []
    backfills = [threading.Thread(target=lambda: results.append(backfill())) for _ in range(2)]
    for one in backfills:
        one.start()
    while any(one.is_alive() for one in backfills):
        exchange.running.fault("gap", symbol="BTCUSDT", count=5)
        exchange.running.fault("overlap", symbol="BTCUSDT", count=20)
        live.live(4)
    exchange.running.clear_faults()
    live.live(70)
    results.append(backfill())

    assert sum(one["trades"] for one in results) == live.rows("SELECT sum(to_id - from_id + 1) FROM gaps")[0][0]
    assert {row[0] for row in live.rows(LEDGER)} == {"filled"}
    assert_contiguous(live, exchange)
    assert_bars_equal(live, exchange)
    assert verify()["percent"] == 100.0


@pytest.mark.parametrize("fault", [{"status": 429}, {"status": 429, "form": "date"}, {"status": 418}])
def test_a_storm_of_refusals_is_waited_out(
    live: Live, exchange: Market, desk: Callable[..., Desk], fault: dict[str, Any]
) -> None:
    live.live(10)
    exchange.running.fault("gap", symbol="BTCUSDT", count=30)
    live.live(10)
    exchange.running.fault("rate_limit", count=3, retry_after_s=2, **fault)
    asked_s: list[float] = []

    def counted(*request: Any) -> Answer:
        asked_s.append(time.monotonic())
        return call(*request)

    clock = Clock(wall_ns=lambda: exchange.now_ms * 10**6)
    result = backfill_gaps.run(desk(feeds={FEED: exchange.config()}, call=counted, clock=clock), Arguments())

    assert (result["gaps"], result["limited"], result["requests"]) == ({"filled": 1}, 3, 4)
    assert all(later - one >= 1.9 for one, later in itertools.pairwise(asked_s))
    assert_contiguous(live, exchange)


def test_requests_stay_under_the_limit_as_the_exchange_counts(
    live: Live, database: Database, desk: Callable[..., Desk]
) -> None:
    """Two backfills at once, on an exchange with a real clock."""
    with simulator(
        SIMULATOR_SYMBOLS="ETHUSDT", SIMULATOR_TRADES_PER_S="5000", SIMULATOR_WEIGHT_PER_MINUTE="1200"
    ) as real:
        real.until(lambda: len(real.get("/api/v3/historicalTrades?symbol=ETHUSDT&limit=1000").json()) == 1000)
        real.until(lambda: traded(real, "ETHUSDT") > 16_000, within_s=60)
        real.post("/sim/stop", {})
        begin = real.state()["symbols"]["ETHUSDT"]["first_trade_id"]
        live.commit([a_trade(begin, symbol="ETHUSDT"), a_trade(begin + 8_001, symbol="ETHUSDT")])
        live.commit([a_trade(begin + 16_000, symbol="ETHUSDT")])
        config = FeedConfig.model_validate(
            {
                "codec": "binance", "ws_url": real.ws, "rest_url": real.rest, "symbols": ["ETHUSDT"],
                "kinds": ["trade"], "rest_weight_per_minute": 1200,
            }
        )  # fmt: skip
        used: list[tuple[int, int]] = []

        def counted(*request: Any) -> Answer:
            answer = call(*request)
            used.append((answer.status_code, int(answer.headers["X-MBX-USED-WEIGHT-1M"])))
            return answer

        results: list[Any] = []
        made = [desk(feeds={FEED: config}, call=counted) for _ in range(2)]
        backfills = [
            threading.Thread(target=lambda one=one: results.append(backfill_gaps.run(one, Arguments()))) for one in made
        ]
        for one in backfills:
            one.start()
        for one in backfills:
            one.join()

    assert sum(one["trades"] for one in results) == 15_998
    assert {status for status, _ in used} == {200}
    assert max(weight for _, weight in used) <= 1200 * SHARE + 25
    assert sum(one["waited_s"] for one in results) > 0
    assert live.rows("SELECT spent FROM rate_budgets") == [(25 * len(used),)]


def test_what_the_exchange_has_no_more_is_said_so_with_its_candles_beside(
    database: Database, desk: Callable[..., Desk]
) -> None:
    with market(SIMULATOR_HISTORY_TRADES="1000") as exchange:
        live = Live(database, exchange)
        live.connect()
        live.live(70)
        live.disconnect()
        exchange.move(120)
        live.connect()
        live.live(10)
        live.live(60)
        clock = Clock(wall_ns=lambda: exchange.now_ms * 10**6)
        result = backfill_gaps.run(desk(feeds={FEED: exchange.config()}, clock=clock), Arguments())
        candles = exchange.candles("BTCUSDT")
        live.close()

    assert result["gaps"] == {"bars": 1}
    (row,) = live.rows(LEDGER)
    assert row[:3] == ("unfillable", "bars", "binance klines")
    assert re.fullmatch(
        r"the exchange has no trades with \d+ of its ids; candles of 3 of its 3 minutes are in klines", row[3]
    )
    stored = live.rows(
        "SELECT extract(epoch FROM time)::int8, open, high, low, close, volume, trades, source FROM klines"
    )
    assert len(stored) == result["candles"]
    for second, *numbers, trades, source in stored:
        assert [Decimal(repr(one)) for one in numbers] == [Decimal(one) for one in candles[second][:5]]
        assert (trades, source) == (candles[second][7], "rest")
    assert live.rows("SELECT count(*) FROM bars WHERE trades = 0 OR volume = 0") == [(0,)]


def test_late_ids_of_a_gap_that_was_given_up_are_still_taken(live: Live, backfill: Callable[..., Any]) -> None:
    live.commit([a_trade(10), a_trade(13)])
    live.store.execute("UPDATE gaps SET state = 'unfillable', quality = 'bars'")

    live.commit([a_trade(11), a_trade(12)])

    assert live.ids() == [10, 11, 12, 13]
    assert live.rows(LEDGER)[0][0] == "filled"


def test_a_symbol_that_the_exchange_does_not_have_is_given_up(live: Live, backfill: Callable[..., Any]) -> None:
    live.commit([a_trade(10, symbol="NOUSDT"), a_trade(13, symbol="NOUSDT")])

    assert backfill()["gaps"] == {"unfillable": 1}
    assert live.rows(LEDGER)[0][:4] == ("unfillable", "", "", "the exchange has no such symbol")


def test_a_gap_in_an_archived_day_stays_open_and_its_day_stays_dropped(
    live: Live, exchange: Market, backfill: Callable[..., Any]
) -> None:
    live.live(10)
    exchange.running.fault("gap", symbol="BTCUSDT", count=30)
    live.live(10)
    live.store.execute(f"DROP TABLE trades_{YESTERDAY:%Y%m%d}")
    live.store.execute(
        "INSERT INTO archives (tick_table, day, location, rows, bytes, checksum, file_sha256, dropped_at)"
        f" VALUES ('trades', '{YESTERDAY}', '', 0, 0, '', '', now())"
    )

    assert backfill()["gaps"] == {"open": 1}
    assert live.rows(LEDGER)[0][:4] == ("open", "", "", f"day is archived: {YESTERDAY}")
    assert live.rows("SELECT to_regclass(%s)", f"trades_{YESTERDAY:%Y%m%d}") == [(None,)]


def test_a_dry_run_says_what_would_be_asked_and_asks_nothing(
    live: Live, exchange: Market, desk: Callable[..., Desk]
) -> None:
    live.commit([a_trade(10), a_trade(2011)])

    def refused(*_: Any) -> Answer:
        raise AssertionError

    made = desk(feeds={FEED: exchange.config()}, call=refused)
    plan = backfill_gaps.run(made, Arguments(dry_run=True))

    assert (plan["gaps"], plan["ids"], plan["requests"], plan["weight"]) == ({"wanted": 1}, 2000, 2, 50.0)
    assert live.rows("SELECT state, tries FROM gaps") == [("open", 0)]


def test_a_time_without_a_gap_is_said_to_have_none(live: Live, backfill: Callable[..., Any]) -> None:
    live.commit([a_trade(10), a_trade(13)])
    arguments = {"symbol": "BTCUSDT", "from": "2020-01-01", "to": "2020-01-02T12:00", "dry_run": True}

    result = backfill(**arguments)

    assert result["note"] == (
        "the ledger has no gap of BTCUSDT from 2020-01-01T00:00:00+00:00 to 2020-01-02T12:00:00+00:00"
        " that is to be filled"
    )


def test_a_silent_exchange_is_worth_another_try_and_keeps_what_is_stored(
    live: Live, exchange: Market, desk: Callable[..., Desk]
) -> None:
    live.live(10)
    exchange.running.fault("gap", symbol="BTCUSDT", count=30)
    live.live(10)

    def silent(*_: Any) -> Answer:
        raise requests.ConnectionError

    made = desk(feeds={FEED: exchange.config()}, call=silent)
    with pytest.raises(UnavailableError):
        backfill_gaps.run(made, Arguments())

    assert live.rows(LEDGER)[0][0] == "filling"


def test_filling_does_not_pretend_that_the_feed_was_heard(
    live: Live, exchange: Market, backfill: Callable[..., Any]
) -> None:
    live.live(10)
    exchange.running.fault("gap", symbol="BTCUSDT", count=30)
    live.live(10)
    before = live.rows("SELECT last_received_at FROM marks WHERE kind = 1")
    backfill()

    assert live.rows("SELECT last_received_at FROM marks WHERE kind = 1") == before


def traded(real: Running, symbol: str) -> int:
    told = real.state()["symbols"][symbol]
    return int(told["last_trade_id"] - told["first_trade_id"])
