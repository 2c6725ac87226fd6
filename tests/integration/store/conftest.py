"""A store on a database of its own, fed by hand."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest

from nightdesk import frames
from nightdesk.consumer import Delivery, Entry
from nightdesk.leases import Taken
from nightdesk.shards import consumer_name, stream_key
from nightdesk.store import migrate
from nightdesk.store.database import Connection, connect
from nightdesk.store.leases import LeaseRows
from nightdesk.store.store import Committed, Store
from nightdesk.ticks import NO_ID, AggTrade, Depth, Event, Kline, Quote, Tick, Trade
from tests.conftest import Database

FEED = "simulator"
DAY_NS = 86_400 * 10**9
NOW_NS = (time.time_ns() // DAY_NS) * DAY_NS + 12 * 3600 * 10**9 + 30 * 10**9
"""Half a minute past noon of the day the tests run."""
SECOND = 10**9


def a_trade(
    trade_id: int = NO_ID, *, symbol: str = "BTCUSDT", price: float = 100.0, size: float = 1.0, side: int = 1,
    at_ns: int = NOW_NS, exchange_ns: int | None = None,
) -> Trade:  # fmt: skip
    return Trade(symbol, trade_id, price, size, side, at_ns if exchange_ns is None else exchange_ns, at_ns)


def a_quote(sequence: int = NO_ID, *, symbol: str = "BTCUSDT", at_ns: int = NOW_NS, **prices: float) -> Quote:
    chosen = {"bid_price": 1.0, "bid_size": 2.0, "ask_price": 3.0, "ask_size": 4.0, **prices}
    return Quote(symbol=symbol, sequence=sequence, exchange_ns=0, received_ns=at_ns, **chosen)


def a_depth(
    sequence: int = NO_ID, *, bids: Sequence[float] = (1.0, 2.0), asks: Sequence[float] = (3.0, 4.0),
    symbol: str = "BTCUSDT", at_ns: int = NOW_NS, spread: float = 2.0, pressure_ratio: float = 0.5,
) -> Depth:  # fmt: skip
    return Depth(symbol, sequence, list(bids), list(asks), spread, pressure_ratio, at_ns, at_ns)


def an_agg_trade(agg_id: int, *, at_ns: int = NOW_NS) -> AggTrade:
    return AggTrade("BTCUSDT", agg_id, agg_id * 2, agg_id * 2 + 1, 100.0, 1.0, -1, at_ns, at_ns)


def a_kline(close: float, *, closed: bool = False, at_ns: int = NOW_NS, open_ns: int = NOW_NS) -> Kline:
    return Kline("BTCUSDT", "1m", open_ns, open_ns + 60 * SECOND, 1.0, 9.0, 1.0, close, 5.0, 3, closed, 0, at_ns)


def an_event(
    name: str, *, cause: str = "", symbol: str = "", kind: int = 0, from_id: int = NO_ID, to_id: int = NO_ID,
    since_ns: int = 0, at_ns: int = NOW_NS,
) -> Event:  # fmt: skip
    return Event(symbol, name, kind, from_id, to_id, since_ns, cause, at_ns)


class Desk:
    """One worker's store, without Redis: what it is given is a delivery."""

    def __init__(self, database: Database, worker: str = "first", retention_days: int = 30, lease_s: float = 5) -> None:
        self.database = database
        self.worker = worker
        self.done: list[Committed] = []
        self.now_ns = NOW_NS
        self.store = Store(
            worker=worker,
            connect=self.connect,
            now_ns=lambda: self.now_ns,
            retention_days=retention_days,
            on_commit=self.done.append,
        )
        self.leases = LeaseRows(worker=worker, lease_s=lease_s, connect=self.connect)
        self.leases.add(
            [(consumer_name("store", FEED, shard), stream_key(FEED, shard), FEED, shard) for shard in (0, 1)]
        )
        self._issued = 0

    def connect(self) -> Connection:
        settings = {"idle_in_transaction_session_timeout": "5000"}
        return connect(
            self.database.url(migrate.WRITER), self.database.password(migrate.WRITER), name="test", settings=settings
        )

    def take(self, wanted: int = 2) -> list[Taken]:
        return self.leases.take(wanted, self.store.backend())

    def delivery(self, *frames_of_ticks: Sequence[Tick] | bytes, shard: int = 0) -> Delivery:
        """One delivery to a shard at its committed position."""
        (position,) = self.store.positions([consumer_name("store", FEED, shard)])
        return Delivery(position=position, entries=[self._entry(one) for one in frames_of_ticks])

    def commit(self, *frames_of_ticks: Sequence[Tick] | bytes, shard: int = 0) -> None:
        self.store.commit([self.delivery(*frames_of_ticks, shard=shard)])

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database.url(), password=self.database.password(), options="-c timezone=UTC") as one:
            return one.execute(query.encode(), values or None).fetchall()

    def one(self, query: str, *values: object) -> Any:
        (row,) = self.rows(query, *values)
        return row[0] if len(row) == 1 else row

    def execute(self, statement: str) -> None:
        """Change something as superuser."""
        with psycopg.connect(self.database.url(), password=self.database.password()) as one:
            one.execute(statement.encode())

    def close(self) -> None:
        self.store.close()
        self.leases.close()

    def _entry(self, frame: Sequence[Tick] | bytes) -> Entry:
        self._issued += 1
        payload = frame if isinstance(frame, bytes) else frames.encode(frame)
        return Entry(entry_id=f"{time.time_ns() // 10**6}-{self._issued}", payload=payload)


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    """A store that owns both shards."""
    one = Desk(database)
    one.take()
    yield one
    one.close()
