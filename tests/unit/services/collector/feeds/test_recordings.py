"""Real recordings give exactly what an independent, slow and obvious reader of the same files computes."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from nightdesk.ticks import NO_ID, AggTrade, Depth, Kind, Kline, Quote, Tick, Trade
from services.collector.codec import Codec, Fetch
from tests.recordings_reader import Expected, ExpectedBook, read_binance, read_coinbase, recording
from tests.unit.services.collector.feeds.documented import DESK, binance, coinbase


def replayed(codec: Codec, ws_path: Path, answers: dict[str, bytes], *, late: int = 0) -> list[Tick]:
    """Return the ticks of a recording; each snapshot is answered ``late`` messages after it was asked for."""
    ticks: list[Tick] = []
    asked: list[tuple[int, str]] = []
    for at, line in enumerate(ws_path.read_text().splitlines()):
        message = json.loads(line)
        received_ns = int(message["ts"] * 1e9)
        new, controls = codec.receive(message["raw"].encode(), received_ns)
        ticks += new
        asked += [(at + late, control.key) for control in controls if isinstance(control, Fetch)]
        ready = [key for due, key in asked if due <= at]
        asked = [(due, key) for due, key in asked if due > at]
        for key in ready:
            new, controls = codec.fetched(key, answers[key], received_ns)
            assert not any(isinstance(control, Fetch) for control in controls)
            ticks += new
    assert not asked
    return ticks


def by_symbol(ticks: list[Tick], kind: type) -> dict[str, list[Any]]:
    """Return the ticks of one kind under their symbols."""
    found: dict[str, list[Any]] = defaultdict(list)
    for tick in ticks:
        if isinstance(tick, kind):
            found[tick.symbol].append(tick)
    return found


def fields(row: Any, *names: str) -> tuple[Any, ...]:
    """Return some fields of a tick or of a row of the reader's, decimals as doubles."""
    values = (getattr(row, name) for name in names)
    return tuple(value if isinstance(value, int | str | None) else float(value) for value in values)


def assert_same(ticks: dict[str, list[Any]], rows: dict[str, list[Any]], *names: str) -> None:
    """Assert that ticks and rows agree on these fields, symbol by symbol."""
    assert {symbol: [fields(tick, *names) for tick in of] for symbol, of in ticks.items()} == {
        symbol: [fields(row, *names) for row in of] for symbol, of in rows.items() if of
    }


def assert_book(tick: Depth, book: ExpectedBook) -> None:
    """Assert that a tick shows this book."""
    assert tick.bids == [float(number) for level in book.bids for number in level]
    assert tick.asks == [float(number) for level in book.asks for number in level]
    assert (tick.sequence, tick.exchange_ns) == (book.sequence, book.exchange_ns)
    assert tick.spread == pytest.approx(float(book.spread))
    assert tick.pressure_ratio == pytest.approx(float(book.pressure_ratio))


@pytest.fixture(scope="module")
def binance_expected() -> Expected:
    return read_binance(recording("binance-spot.ws.jsonl"), recording("binance-spot.http.jsonl"))


@pytest.fixture(scope="module")
def coinbase_expected() -> Expected:
    return read_coinbase(recording("coinbase-exchange.ws.jsonl"))


def binance_ticks(expected: Expected, *, late: int) -> list[Tick]:
    lines = [json.loads(line) for line in recording("binance-spot.http.jsonl").read_text().splitlines()]
    answers = {line["url"].split("symbol=")[1].split("&")[0]: json.dumps(line["body"]).encode() for line in lines}
    return replayed(binance(*expected.symbols), recording("binance-spot.ws.jsonl"), answers, late=late)


@pytest.mark.parametrize("late", [0, 1, 7])
def test_the_binance_recording_ends_with_the_readers_books(binance_expected: Expected, late: int) -> None:
    depths = by_symbol(binance_ticks(binance_expected, late=late), Depth)

    assert depths.keys() == binance_expected.books.keys()
    for symbol, book in binance_expected.books.items():
        assert_book(depths[symbol][-1], book)


def test_the_binance_recording_shows_every_change_of_its_books(binance_expected: Expected) -> None:
    depths = by_symbol(binance_ticks(binance_expected, late=0), Depth)

    for symbol, sequences in binance_expected.depth_sequences.items():
        assert [tick.sequence for tick in depths[symbol]][-len(sequences) :] == sequences
        assert len(depths[symbol]) <= binance_expected.depth_messages[symbol]


def test_the_binance_recording_gives_the_readers_quotes_trades_and_klines(binance_expected: Expected) -> None:
    ticks = binance_ticks(binance_expected, late=0)

    assert not by_symbol(ticks, Trade)
    assert_same(
        by_symbol(ticks, Quote),
        binance_expected.quotes,
        *("sequence", "bid_price", "bid_size", "ask_price", "ask_size", "exchange_ns"),
    )
    assert_same(
        by_symbol(ticks, AggTrade),
        binance_expected.agg_trades,
        *("agg_id", "first_id", "last_id", "price", "size", "side", "exchange_ns"),
    )
    names = ("close_ns", "open", "high", "low", "close", "volume", "trades", "closed")
    klines = [tick for of in by_symbol(ticks, Kline).values() for tick in of]
    assert {(tick.symbol, tick.interval, tick.open_ns): fields(tick, *names) for tick in klines} == {
        key: fields(row, *names) for key, row in binance_expected.klines.items()
    }


def test_the_coinbase_recording_gives_the_readers_trades(coinbase_expected: Expected) -> None:
    trades = by_symbol(coinbase_ticks(coinbase_expected), Trade)
    unique = {symbol: list({tick.trade_id: tick for tick in of}.values()) for symbol, of in trades.items()}

    assert sum(len(of) for of in trades.values()) == 97 + 10
    assert_same(unique, coinbase_expected.trades, "trade_id", "price", "size", "side", "exchange_ns")


def test_the_coinbase_recording_gives_the_readers_quotes(coinbase_expected: Expected) -> None:
    quotes = by_symbol(coinbase_ticks(coinbase_expected), Quote)

    assert_same(quotes, coinbase_expected.quotes, "sequence", "bid_price", "ask_price", "exchange_ns")


def test_the_coinbase_recording_ends_with_the_readers_books(coinbase_expected: Expected) -> None:
    depths = by_symbol(coinbase_ticks(coinbase_expected), Depth)

    assert {symbol: len(of) for symbol, of in depths.items()} == coinbase_expected.depth_messages
    for symbol, book in coinbase_expected.books.items():
        assert_book(depths[symbol][-1], book)
        assert depths[symbol][-1].sequence == NO_ID


def coinbase_ticks(expected: Expected) -> list[Tick]:
    codec = coinbase(*expected.symbols, kinds=DESK - {Kind.EVENT})
    return replayed(codec, recording("coinbase-exchange.ws.jsonl"), {})
