import itertools
import json
from typing import Any

import pytest

from services.simulator.exchange import CATCH_UP_MS, Rates
from tests.unit.services.simulator.making import START_MS, World


def data(texts: list[str]) -> list[Any]:
    return [json.loads(text) for text in texts]


def test_rates_are_kept() -> None:
    world = World()
    _, trades = world.listener("btcusdt@trade")
    _, quotes = world.listener("btcusdt@bookTicker")
    _, depth = world.listener("btcusdt@depth@100ms")
    world.pass_s(5)

    assert (len(trades.texts()), len(quotes.texts()), len(depth.texts())) == (500, 250, 50)


def test_ids_pass_while_nobody_listens() -> None:
    world = World()
    world.pass_s(1)
    _, line = world.listener("btcusdt@trade")
    world.pass_s(1)

    ids = [one["t"] for one in data(line.texts())]
    assert ids == list(range(1100, 1200))
    assert world.exchange.listings["BTCUSDT"].market.history.first_id == 1000


def test_a_stopped_market_makes_no_ids_and_goes_on_without_a_jump() -> None:
    world = World()
    world.exchange.stop()
    world.pass_s(1)
    world.exchange.running = True
    world.pass_s(0.1)

    assert world.exchange.listings["BTCUSDT"].market.history.next_id == 1010


@pytest.mark.parametrize("speed", ["depth", "depth@100ms"])
def test_a_stopped_market_has_told_its_whole_book(speed: str) -> None:
    world = World()
    _, line = world.listener(f"btcusdt@{speed}")
    world.pass_s(1.55)
    world.exchange.stop()

    *_, before, last = data(line.texts())
    assert last["U"] == before["u"] + 1
    assert last["u"] == world.exchange.listings["BTCUSDT"].market.book.last_id


def test_a_stopped_market_has_told_its_last_quote() -> None:
    world = World(rates=Rates(trades_per_s=100.0, quotes_per_s=1.0, depth_per_s=0.0, shape="flat"))
    _, line = world.listener("btcusdt@bookTicker")
    world.pass_s(1.55)
    world.exchange.stop()

    listing = world.exchange.listings["BTCUSDT"]
    last, top = data(line.texts())[-1], listing.market.top()
    assert (last["u"], last["b"], last["A"]) == (
        top.last_id,
        listing.writer.price[top.bid],
        listing.writer.size[top.ask_size],
    )


def test_what_is_not_told_at_all_is_not_told_when_it_stops_either() -> None:
    world = World(rates=Rates(trades_per_s=100.0, quotes_per_s=0.0, depth_per_s=0.0))
    _, line = world.listener("btcusdt@bookTicker", "btcusdt@depth@100ms")
    world.pass_s(0.5)
    world.exchange.stop()

    assert line.texts() == []


def test_diffs_of_both_speeds_follow_one_another() -> None:
    world = World()
    lines = [world.listener(f"btcusdt@{name}")[1] for name in ("depth@100ms", "depth")]
    world.pass_s(4)

    for line in lines:
        diffs = data(line.texts())
        assert len(diffs) >= 4
        assert all(later["U"] == one["u"] + 1 for one, later in itertools.pairwise(diffs))


def test_partial_books_are_of_the_asked_depth() -> None:
    world = World()
    _, line = world.listener("btcusdt@depth5@100ms")
    world.pass_s(0.3)

    assert {(len(one["bids"]), len(one["asks"])) for one in data(line.texts())} == {(5, 5)}


def test_the_book_ticker_is_the_top_of_the_book() -> None:
    world = World(rates=Rates(trades_per_s=0.0, quotes_per_s=100.0, depth_per_s=0.0, shape="flat"))
    _, line = world.listener("btcusdt@bookTicker")
    world.pass_s(0.5)

    last = data(line.texts())[-1]
    listing = world.exchange.listings["BTCUSDT"]
    top = listing.market.top()
    assert (last["b"], last["B"]) == (listing.writer.price[top.bid], listing.writer.size[top.bid_size])
    assert last["u"] == top.last_id


def test_a_candle_is_pushed_every_two_seconds_and_closed_with_its_minute() -> None:
    world = World()
    _, line = world.listener("btcusdt@kline_1m")
    world.pass_s(62, step_ms=50)

    candles = [one["k"] for one in data(line.texts())]
    assert [candle["x"] for candle in candles] == [False] * 29 + [True, False]
    assert {candle["t"] for candle in candles} == {START_MS, START_MS + 60_000}
    assert candles[29]["n"] == 6000


def test_aggregates_cover_the_trades() -> None:
    world = World()
    _, line = world.listener("btcusdt@aggTrade")
    world.pass_s(3)

    found = data(line.texts())
    ids = [trade for one in found for trade in range(one["f"], one["l"] + 1)]
    assert ids == list(range(1000, 1300))
    assert [one["a"] for one in found] == list(range(found[0]["a"], found[0]["a"] + len(found)))


def test_a_burst_multiplies_the_rate() -> None:
    world = World()
    world.fault("burst", factor=5, seconds=1)
    world.pass_s(2)

    assert world.exchange.listings["BTCUSDT"].trades_sent == 600


def test_a_closed_market_is_silent() -> None:
    closes_ms = START_MS + 1000
    world = World("AAPL.US", is_open=lambda now_ms: now_ms < closes_ms)
    world.pass_s(3)

    assert world.exchange.listings["AAPL.US"].trades_sent == 100


def test_what_was_missed_is_caught_up_within_reason() -> None:
    world = World()
    world.now_ms += 10_000
    world.exchange.catch_up(world.now_ms)

    assert world.exchange.listings["BTCUSDT"].trades_sent == CATCH_UP_MS // 10
    assert world.exchange.skipped_ms == 10_000 - CATCH_UP_MS


def test_as_fast_as_it_can_means_only_while_somebody_listens() -> None:
    world = World(rates=Rates(trades_per_s=None, quotes_per_s=0, depth_per_s=0))
    world.pass_s(0.1)
    assert world.exchange.listings["BTCUSDT"].trades_sent == 0

    _, line = world.listener("btcusdt@trade")
    world.pass_s(0.1)
    ids = [one["t"] for one in data(line.texts())]
    assert ids == list(range(1000, 1000 + 10_000))


def test_as_fast_as_it_can_the_price_stays_where_it_was() -> None:
    world = World("XRPUSDT", rates=Rates(trades_per_s=None, quotes_per_s=0, depth_per_s=0))
    world.listener("xrpusdt@trade")
    book = world.exchange.listings["XRPUSDT"].market.book
    start = book.bids.best

    world.pass_s(4.0)

    assert abs(book.bids.best / start - 1) < 0.05
    assert book.asks.best - book.bids.best < 0.01 * start


def test_a_market_opens_with_a_burst() -> None:
    symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT")
    world = World(*symbols, rates=Rates())
    streams = [f"{s.lower()}@{name}" for s in symbols for name in ("trade", "bookTicker", "depth@100ms", "kline_1m")]
    _, line = world.listener(*streams)
    world.pass_s(2.3)
    assert len(line.texts()) >= 847

    world.pass_s(2.7)
    assert len(line.texts()) >= 4100


def test_rates_may_be_changed() -> None:
    world = World()
    world.exchange.set_rates(["BTCUSDT"], trades_per_s=10.0)
    world.pass_s(1)

    assert world.exchange.listings["BTCUSDT"].trades_sent == 10


@pytest.mark.parametrize(("per_s", "every_ms"), [(10.0, 100), (0.0, 0), (5000.0, 1)])
def test_depth_is_paced_by_time(per_s: float, every_ms: int) -> None:
    assert Rates(depth_per_s=per_s).depth_every_ms == every_ms
