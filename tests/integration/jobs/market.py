"""An exchange whose time the test moves, and a feed that stores what comes from its socket, as the worker would."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from websockets.sync.client import ClientConnection, connect

from nightdesk.feeds_config import FeedConfig
from nightdesk.ticks import Kind, Tick
from services.collector.codec import Subscription
from services.collector.feeds import CODECS
from tests.conftest import Database
from tests.integration.simulator.serving import Running, simulator
from tests.integration.store.conftest import Desk as StoreDesk
from tests.integration.store.conftest import an_event

FEED = "simulator"
YESTERDAY: date = datetime.now(UTC).date() - timedelta(days=1)
NOON = datetime(YESTERDAY.year, YESTERDAY.month, YESTERDAY.day, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp()) * 1000
"""Where the exchange's time begins."""

STEP_MS = 2000
"""As much as the market makes up for at once."""


@dataclass
class Market:
    """A simulator whose time stands still unless it is moved."""

    now_ms: int = NOON_MS
    running: Running = field(init=False)

    def move(self, seconds: float) -> None:
        """Let the market live so long."""
        end_ms = self.now_ms + round(seconds * 1000)
        while self.now_ms < end_ms:
            self.now_ms = min(self.now_ms + STEP_MS, end_ms)
            self.running.until(lambda: round(self.running.state()["uptime_s"] * 1000) >= self.now_ms - NOON_MS)

    def trades(self, symbol: str) -> dict[int, list[Any]]:
        """Return every trade there was, by id: price and size in the exchange's digits, maker, milliseconds."""
        told = self.running.get(f"/sim/trades/{symbol}").json()["trades"]
        return {row[0]: row[1:5] for row in told}

    def candles(self, symbol: str) -> dict[int, list[Any]]:
        """Return the exchange's one-minute candles, by their second, in its digits."""
        rows = self.running.get(f"/api/v3/klines?symbol={symbol}&interval=1m&limit=1000&startTime={NOON_MS}").json()
        return {row[0] // 1000: row[1:] for row in rows}

    def config(self, **changes: Any) -> FeedConfig:
        """Return how the desk is to reach it."""
        values = {
            "codec": "binance", "ws_url": self.running.ws, "rest_url": self.running.rest, "symbols": ("BTCUSDT",),
            "kinds": ("trade",), "shards": 2, "rest_weight_per_minute": 6000, **changes,
        }  # fmt: skip
        return FeedConfig.model_validate(values)


@contextmanager
def market(**environ: str) -> Iterator[Market]:
    """Run one, with one symbol unless the environment says otherwise."""
    one = Market()
    quiet = {
        "SIMULATOR_SYMBOLS": "BTCUSDT", "SIMULATOR_STOCKS": "AAPL.US", "SIMULATOR_TRADES_PER_S": "20",
        "SIMULATOR_QUOTES_PER_S": "0", "SIMULATOR_DEPTH_PER_S": "0", "SIMULATOR_WEIGHT_PER_MINUTE": "0", **environ,
    }  # fmt: skip
    with simulator(wall_ms=lambda: one.now_ms, **quiet) as running:
        one.running = running
        yield one


class Live:
    """What a collector and a worker do together: everything that is heard is stored, in order."""

    def __init__(self, database: Database, where: Market, symbols: tuple[str, ...] = ("BTCUSDT",)) -> None:
        self.store = StoreDesk(database)
        self.store.take()
        self._market = where
        self._subscription = Subscription(
            feed=FEED, ws_url=where.running.ws, rest_url=where.running.rest, symbols=symbols,
            kinds=frozenset({Kind.TRADE}),
        )  # fmt: skip
        self._client: ClientConnection | None = None
        self._open = ExitStack()

    def connect(self) -> None:
        """Begin to listen; says so, as a collector does."""
        self._codec = CODECS["binance"](self._subscription)
        self._client = self._open.enter_context(connect(self._codec.url()))
        for message in self._codec.opening():
            self._client.send(message)
        self.hear()
        self.commit([an_event("connected", cause="connected", at_ns=self.now_ns())])

    def disconnect(self) -> None:
        """Stop listening without a word."""
        assert self._client is not None
        self._open.close()
        self._client = None

    def hear(self, quiet_s: float = 0.15) -> None:
        """Store all that has been sent, until nothing more comes."""
        assert self._client is not None
        raws: list[bytes] = []
        while True:
            try:
                raws.append(self._client.recv(quiet_s, decode=False))
            except TimeoutError:
                break
        ticks, _ = self._codec.receive_all(raws, self.now_ns(), _raise)
        for at in range(0, len(ticks), 500):
            self.commit(ticks[at : at + 500])

    def live(self, seconds: float) -> None:
        """Let the market move and store what it says."""
        self._market.move(seconds)
        self.hear()

    def commit(self, ticks: list[Tick] | Any) -> None:
        self.store.now_ns = time.time_ns()
        self.store.commit(list(ticks))

    def now_ns(self) -> int:
        """The feed's clock is the exchange's."""
        return self._market.now_ms * 10**6

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.store.rows(query, *values)

    def ids(self, symbol: str = "BTCUSDT") -> list[int]:
        query = "SELECT trade_id FROM trades JOIN symbols USING (symbol_id) WHERE symbol = %s ORDER BY trade_id"
        return [row[0] for row in self.rows(query, symbol)]

    def close(self) -> None:
        if self._client is not None:
            self.disconnect()
        self.store.close()


def _raise(error: Exception, _raw: bytes) -> None:
    raise error


def assert_contiguous(live: Live, where: Market, symbol: str = "BTCUSDT") -> None:
    """Every id from the first stored to the exchange's last is stored once, and is the exchange's trade."""
    query = (
        "SELECT trade_id, price, size, side, (extract(epoch FROM time) * 1000)::int8 FROM trades"
        " JOIN symbols USING (symbol_id) WHERE symbol = %s ORDER BY trade_id"
    )
    stored = live.rows(query, symbol)
    truth = where.trades(symbol)
    assert [row[0] for row in stored] == list(range(stored[0][0], max(truth) + 1))
    for trade_id, price, size, side, time_ms in stored:
        exact_price, exact_size, maker, exact_ms = truth[trade_id]
        assert (price, size, side, time_ms) == (float(exact_price), float(exact_size), -1 if maker else 1, exact_ms)


def in_steps(number: float, places: int) -> Decimal:
    """Return a sum as the exchange would print it."""
    return round(Decimal(number), places)


def assert_bars_equal(live: Live, where: Market, symbol: str = "BTCUSDT", places: tuple[int, int] = (2, 5)) -> int:
    """Every whole minute's bar equals the exchange's candle, to the last digit of its steps; return how many."""
    query = (
        "SELECT extract(epoch FROM time)::int8, open, high, low, close, volume, quote_volume, trades, buy_volume"
        " FROM bars JOIN symbols USING (symbol_id) WHERE symbol = %s ORDER BY time"
    )
    bars = {row[0]: row[1:] for row in live.rows(query, symbol)}
    first = min(bars)
    candles = {second: candle for second, candle in where.candles(symbol).items() if second > first}
    assert candles.keys() == bars.keys() - {first}
    price_places, size_places = places
    for second, candle in candles.items():
        *prices, volume, quote, trades, bought = bars[second]
        assert [Decimal(repr(one)) for one in prices] == [Decimal(one) for one in candle[:4]]
        assert in_steps(volume, size_places) == Decimal(candle[4])
        assert in_steps(bought, size_places) == Decimal(candle[8])
        assert in_steps(quote, price_places + size_places) == Decimal(candle[6])
        assert trades == candle[7]
    return len(candles)
