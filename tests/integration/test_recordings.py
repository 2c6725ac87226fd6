"""Real input: recordings of exchanges, replayed through every process, leave what an independent reader computes."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from deploy.local.stack import SOURCE
from deploy.replay.figures import Progress
from deploy.replay.recording import open_recording
from deploy.replay.run import READER, Replay, replayed
from nightdesk.feeds_config import read_feeds
from tests.recordings_reader import Expected, read_binance, read_coinbase, recording

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]

Rows = dict[str, list[tuple[Any, ...]]]

EXCHANGE_NS = "coalesce((extract(epoch FROM exchange_time) * 1000000)::int8 * 1000, 0)"


@dataclass
class Left:
    """What one replay left, beside what it should have."""

    expected: Expected
    last: Progress
    connection: "psycopg.Connection[tuple[Any, ...]]"

    def by_symbol(self, columns: str, table: str, order: str) -> Rows:
        rows: Rows = {}
        query = f"SELECT symbol, {columns} FROM {table} JOIN symbols USING (symbol_id) ORDER BY {order}"
        for symbol, *values in self.connection.execute(query).fetchall():  # type: ignore[call-overload]
            rows.setdefault(symbol, []).append(tuple(values))
        return rows

    def count(self, table: str) -> int:
        row = self.connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[call-overload]
        return int(row[0])


@contextmanager
def left_by(feed: str, path: Path, expected: Expected) -> Iterator[Left]:
    # PostgreSQL may run as another user, who cannot enter pytest's directories.
    parent = Path(tempfile.mkdtemp(prefix="nightdesk-recordings-"))
    parent.chmod(0o755)
    feeds = read_feeds(SOURCE / "config" / "feeds.yaml")
    try:
        with (
            replayed(open_recording(path, feed, feeds), speed="max", root=parent / "replay") as (replay, last),
            connected(replay) as connection,
        ):
            yield Left(expected, last, connection)
    finally:
        shutil.rmtree(parent)


def connected(replay: Replay) -> "psycopg.Connection[tuple[Any, ...]]":
    return psycopg.connect(
        replay.stack.database_url(READER), password=replay.stack.database_password(READER), autocommit=True
    )


@pytest.fixture(scope="module")
def binance() -> Iterator[Left]:
    path = recording("binance-spot.ws.jsonl")
    with left_by("binance", path, read_binance(path, recording("binance-spot.http.jsonl"))) as left:
        yield left


@pytest.fixture(scope="module")
def coinbase() -> Iterator[Left]:
    path = recording("coinbase-exchange.ws.jsonl")
    with left_by("coinbase", path, read_coinbase(path)) as left:
        yield left


@pytest.fixture(params=["binance", "coinbase"])
def left(request: pytest.FixtureRequest) -> Left:
    both: Left = request.getfixturevalue(request.param)
    return both


def exact(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def flat(levels: list[tuple[Decimal, Decimal]]) -> list[float]:
    return [float(number) for level in levels for number in level]


def without_empty(rows: Rows) -> Rows:
    return {symbol: values for symbol, values in rows.items() if values}


def test_everything_sent_arrives_and_is_stored_without_gap_reject_or_conflation(left: Left) -> None:
    assert left.last.arrived()
    assert left.last.sent == left.last.total
    assert (left.last.rejected, left.last.conflated, left.last.quarantined) == ({}, {}, {})
    assert left.count("gaps") == 0


def test_the_trades_are_exactly_those_of_the_recording(left: Left) -> None:
    expected = {
        symbol: [(one.trade_id, float(one.price), float(one.size), one.side, one.exchange_ns) for one in trades]
        for symbol, trades in left.expected.trades.items()
    }

    assert left.by_symbol(f"trade_id, price, size, side, {EXCHANGE_NS}", "trades", "trade_id") == without_empty(
        expected
    )


def test_the_aggregate_trades_are_exactly_those_of_the_recording(left: Left) -> None:
    expected = {
        symbol: [
            (one.agg_id, one.first_id, one.last_id, float(one.price), float(one.size), one.side, one.exchange_ns)
            for one in trades
        ]
        for symbol, trades in left.expected.agg_trades.items()
    }
    columns = f"agg_id, first_id, last_id, price, size, side, {EXCHANGE_NS}"

    assert left.by_symbol(columns, "agg_trades", "agg_id") == without_empty(expected)


def test_the_best_quotes_are_exactly_those_of_the_recording(left: Left) -> None:
    expected = {
        symbol: [
            (
                one.sequence, exact(one.bid_price), exact(one.bid_size), exact(one.ask_price), exact(one.ask_size),
                one.exchange_ns,
            )
            for one in sorted(quotes, key=lambda quote: quote.sequence)
        ]
        for symbol, quotes in left.expected.quotes.items()
    }  # fmt: skip
    columns = f"sequence, bid_price, bid_size, ask_price, ask_size, {EXCHANGE_NS}"

    assert left.by_symbol(columns, "quotes", "sequence") == without_empty(expected)


def test_the_klines_are_exactly_the_last_states_of_the_recording(left: Left) -> None:
    expected: Rows = {}
    for (symbol, _, _), one in sorted(left.expected.klines.items()):
        prices = (float(one.open), float(one.high), float(one.low), float(one.close), float(one.volume))
        expected.setdefault(symbol, []).append((one.interval, one.open_ns, *prices, one.trades, one.closed))
    columns = (
        '"interval", (extract(epoch FROM time) * 1000)::int8 * 1000000, open, high, low, close, volume, trades, closed'
    )

    assert left.by_symbol(columns, "klines", "symbol, time") == expected


def test_every_change_of_a_book_left_a_depth_tick(left: Left) -> None:
    counted = left.connection.execute("SELECT symbol, count(*) FROM depths JOIN symbols USING (symbol_id) GROUP BY 1")

    assert dict(counted.fetchall()) == dict(left.expected.depth_messages)


def test_the_final_books_are_exactly_those_of_the_recording(left: Left) -> None:
    expected = {
        symbol: (book.sequence, book.exchange_ns, flat(book.bids), flat(book.asks))
        for symbol, book in left.expected.books.items()
    }
    final = left.by_symbol(
        f"coalesce(sequence, -1), {EXCHANGE_NS}, bids, asks",
        "depths",
        "received_at, exchange_time NULLS FIRST, depths.ctid",
    )

    assert {symbol: rows[-1] for symbol, rows in final.items()} == expected


def test_spread_and_pressure_of_the_final_books_follow_from_their_levels(left: Left) -> None:
    final = left.by_symbol("spread, pressure_ratio", "depths", "received_at, exchange_time NULLS FIRST, depths.ctid")

    for symbol, book in left.expected.books.items():
        assert final[symbol][-1] == pytest.approx((float(book.spread), float(book.pressure_ratio)))
