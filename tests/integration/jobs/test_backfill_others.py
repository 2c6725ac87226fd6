"""The backfill of exchanges that find trades otherwise than by rising pages of ids."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from nightdesk.clock import Clock
from nightdesk.feeds_config import FeedConfig
from nightdesk.ticks import NO_ID, Trade
from services.jobs import backfill_gaps
from services.jobs.backfill_gaps import Arguments
from services.jobs.runner.job import Desk
from tests.conftest import Database
from tests.integration.jobs.market import FEED, NOON_MS, Live, Market, market
from tests.integration.store.conftest import a_trade, an_event

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]

LEDGER = "SELECT state, quality, source, reason FROM gaps WHERE kind = 1 ORDER BY gap_id"
MS = 10**6


class TestTickdb:
    """Stocks: no ids, times in whole seconds, the latest thousand trades and no more."""

    SYMBOL = "AAPL.US"

    @pytest.fixture
    def exchange(self) -> Iterator[Market]:
        with market() as one:
            one.running.post("/sim/session", {"open": True})
            yield one

    @pytest.fixture
    def live(self, database: Database, exchange: Market) -> Iterator[Live]:
        one = Live(database, exchange)
        yield one
        one.close()

    @pytest.fixture
    def backfill(self, desk: Callable[..., Desk], exchange: Market) -> Callable[..., Any]:
        config = exchange.config(codec="tickdb", rest_url=exchange.running.rest + "/v1", symbols=(self.SYMBOL,))
        keyed = config.model_copy(update={"api_key": SecretStr("k")})

        def run() -> Any:
            clock = Clock(wall_ns=lambda: exchange.now_ms * MS)
            return backfill_gaps.run(desk(feeds={FEED: keyed}, clock=clock), Arguments())

        return run

    def heard(self, live: Live, exchange: Market, seconds: float) -> None:
        """Store what was traded, as the feed tells it."""
        from_ms = exchange.now_ms
        exchange.move(seconds)
        live.commit([one for one in self.truth(exchange) if one.received_ns >= from_ms * MS])

    def truth(self, exchange: Market) -> list[Trade]:
        return [
            Trade(self.SYMBOL, NO_ID, float(price), float(size), -1 if maker else 1, at_ms // 1000 * 10**9, at_ms * MS)
            for price, size, maker, at_ms in exchange.trades(self.SYMBOL).values()
        ]

    def missed(self, live: Live, exchange: Market, seconds: float) -> None:
        exchange.move(seconds)
        live.commit([an_event("connected", cause="mute", since_ns=NOON_MS * MS, at_ns=exchange.now_ms * MS)])

    def stored(self, live: Live) -> Counter[tuple[Any, ...]]:
        rows = live.rows("SELECT price, size, side, extract(epoch FROM time)::int8 FROM trades")
        return Counter(rows)

    def told(self, exchange: Market) -> Counter[tuple[Any, ...]]:
        return Counter((one.price, one.size, one.side, one.exchange_ns // 10**9) for one in self.truth(exchange))

    def test_a_short_silence_is_filled_with_trades_and_with_none_twice(
        self, live: Live, exchange: Market, backfill: Callable[..., Any]
    ) -> None:
        self.heard(live, exchange, 30.3)
        self.missed(live, exchange, 20.4)
        self.heard(live, exchange, 10)
        before = sum(self.stored(live).values())

        result = backfill()

        assert result["gaps"] == {"filled": 1}
        assert live.rows(LEDGER) == [("filled", "trades", "tickdb trades", "")]
        assert self.stored(live) == self.told(exchange)
        assert result["trades"] == sum(self.stored(live).values()) - before > 0
        assert backfill()["gaps"] == {}

    def test_a_silence_ends_only_where_a_later_trade_shows_it(
        self, live: Live, exchange: Market, backfill: Callable[..., Any]
    ) -> None:
        self.heard(live, exchange, 30)
        self.missed(live, exchange, 20)
        exchange.move(5)

        assert backfill()["gaps"] == {"open": 1}

        from_ms = exchange.now_ms - 5000
        exchange.move(5)
        live.commit([one for one in self.truth(exchange) if one.received_ns >= from_ms * MS])
        assert backfill()["gaps"] == {"filled": 1}
        assert self.stored(live) == self.told(exchange)

    def test_a_long_silence_keeps_candles_beside_it(
        self, live: Live, exchange: Market, backfill: Callable[..., Any]
    ) -> None:
        self.heard(live, exchange, 30)
        self.missed(live, exchange, 240)
        self.heard(live, exchange, 10)
        assert backfill()["gaps"] == {"open": 1}
        self.heard(live, exchange, 30)

        result = backfill()

        assert result["gaps"] == {"bars": 1}
        ((state, quality, source, reason),) = live.rows(LEDGER)
        assert (state, quality, source) == ("unfillable", "bars", "tickdb kline")
        assert reason.startswith("the exchange tells of its latest 1000 trades only; candles of 5 of its 5 ")
        assert self.stored(live) < self.told(exchange)
        kept = live.rows("SELECT count(*), min(source), max(trades) FROM klines")
        assert kept == [(result["candles"], "rest", -1)]
        assert result["candles"] >= 3

    def test_a_limit_is_waited_out(self, live: Live, exchange: Market, backfill: Callable[..., Any]) -> None:
        self.heard(live, exchange, 10)
        self.missed(live, exchange, 10)
        self.heard(live, exchange, 5)
        exchange.running.fault("tickdb_limit", count=2, retry_after_s=1, status=200)

        result = backfill()

        assert (result["gaps"], result["limited"]) == ({"filled": 1}, 2)


@dataclass
class Coinbase:
    """Answers as documented: newest first, below ``after``, at most ``limit``; no row for an empty minute."""

    newest: int
    oldest: int = 1
    asked: list[str] = field(default_factory=list)

    def call(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Any:
        self.asked.append(url)
        parts = urlsplit(url)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path.startswith("/products/NO-USD"):
            return CoinbaseAnswer(404, b'{"message":"NotFound"}')
        if parts.path.endswith("/candles"):
            return CoinbaseAnswer(200, json.dumps([[NOON_MS // 1000 + 60, 1.0, 2.0, 1.5, 1.25, 3.5]]).encode())
        top = min(self.newest, int(asked["after"]) - 1)
        ids = range(top, max(self.oldest, top - int(asked["limit"]) + 1) - 1, -1)
        return CoinbaseAnswer(200, json.dumps([self.trade(one) for one in ids]).encode())

    @staticmethod
    def trade(trade_id: int) -> dict[str, object]:
        at = datetime.fromtimestamp(NOON_MS / 1000 + trade_id / 100, UTC)
        time = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        return {"trade_id": trade_id, "price": "100.5", "size": "0.25", "side": "sell", "time": time}


@dataclass
class CoinbaseAnswer:
    status_code: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class TestCoinbase:
    @pytest.fixture
    def live(self, database: Database) -> Iterator[Live]:
        with market() as exchange:
            one = Live(database, exchange)
            yield one
            one.close()

    def backfill(self, desk: Callable[..., Desk], exchange: Coinbase) -> Any:
        config = FeedConfig.model_validate(
            {
                "codec": "coinbase", "ws_url": "wss://x.example", "rest_url": "https://x.example",
                "symbols": ["BTC-USD"], "kinds": ["trade"], "rest_weight_per_minute": 300,
            }
        )  # fmt: skip
        clock = Clock(wall_ns=lambda: (NOON_MS + 600_000) * MS)
        return backfill_gaps.run(desk(feeds={FEED: config}, call=exchange.call, clock=clock), Arguments())

    def at(self, live: Live, trade_id: int, symbol: str = "BTC-USD") -> None:
        live.commit([a_trade(trade_id, symbol=symbol, at_ns=NOON_MS * MS + trade_id * 10**7)])

    def test_pages_go_back_from_the_highest_id(self, live: Live, desk: Callable[..., Desk]) -> None:
        self.at(live, 100)
        self.at(live, 2600)
        exchange = Coinbase(newest=3000)

        result = self.backfill(desk, exchange)

        assert (result["gaps"], result["requests"]) == ({"filled": 1}, 3)
        assert live.ids("BTC-USD") == list(range(100, 2601))
        assert live.rows(LEDGER) == [("filled", "trades", "coinbase trades", "")]
        assert live.rows("SELECT DISTINCT side FROM trades WHERE trade_id = 200") == [(1,)]

    def test_a_history_that_does_not_reach_back_fills_what_it_can(self, live: Live, desk: Callable[..., Desk]) -> None:
        self.at(live, 100)
        self.at(live, 2600)

        result = self.backfill(desk, Coinbase(newest=3000, oldest=2000))

        assert result["trades"] == 600
        assert live.ids("BTC-USD") == [100, *range(2000, 2601)]
        assert live.rows("SELECT missing::text FROM gaps") == [("{[101,2000)}",)]

    def test_an_unknown_product_is_given_up(self, live: Live, desk: Callable[..., Desk]) -> None:
        self.at(live, 100, "NO-USD")
        self.at(live, 103, "NO-USD")

        assert self.backfill(desk, Coinbase(newest=3000))["gaps"] == {"unfillable": 1}
