import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from services.simulator.market import LEVELS_MOST, Market
from tests.unit.services.simulator.making import START_MS, a_market

STEPS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10), st.integers(0, 10)), max_size=25)


def moved(market: Market, steps: list[tuple[int, int, int]]) -> None:
    now_ms = START_MS
    for trades, quotes, changes in steps:
        market.trade(trades, now_ms, now_ms + 10)
        for _ in range(quotes):
            market.quote()
        market.churn(changes)
        now_ms += 10


def test_trade_ids_are_contiguous() -> None:
    market = a_market(first_id=500)
    first = market.trade(30, START_MS, START_MS + 10)
    second = market.trade(20, START_MS + 10, START_MS + 20)

    assert [t.trade_id for t in (*first, *second)] == list(range(500, 550))


def test_the_same_seed_makes_the_same_market() -> None:
    assert list(a_market(seed=3).trade(200, 0, 1000)) == list(a_market(seed=3).trade(200, 0, 1000))


def test_another_seed_makes_another_market() -> None:
    assert list(a_market(seed=3).trade(200, 0, 1000)) != list(a_market(seed=4).trade(200, 0, 1000))


def test_symbols_of_one_seed_differ() -> None:
    sides = [a_market(symbol).trade(100, 0, 1000).maker for symbol in ("BTCUSDT", "ETHUSDT")]

    assert sides[0] != sides[1]


def test_a_buyer_takes_what_the_best_ask_offers() -> None:
    market = a_market()
    top = market.top()
    trade = next(iter(market.trade(1, 0, 10)))

    taken, offered = (top.bid, top.bid_size) if trade.maker else (top.ask, top.ask_size)
    assert trade.price == taken
    assert trade.size <= offered


def test_trades_are_changes_of_the_book() -> None:
    market = a_market()
    before = market.book.last_id
    market.trade(10, 0, 10)

    assert market.book.last_id >= before + 10


def test_a_quote_changes_the_book() -> None:
    market = a_market()

    assert market.quote().last_id > market.top().last_id - 3
    assert market.quote().last_id == market.top().last_id


def test_candles_hold_what_was_traded() -> None:
    market = a_market()
    prints = market.trade(50, START_MS, START_MS + 1000)
    candle = market.candles.latest()

    assert candle is not None
    assert (candle.open, candle.close) == (prints.price[0], prints.price[-1])
    assert (candle.volume, candle.trades) == (sum(prints.size), 50)


def test_aggregates_never_mix_prices_sides_or_moments() -> None:
    trades = list(a_market().trade(500, START_MS, START_MS + 100))

    for one, later in itertools.pairwise(trades):
        if one.agg_id == later.agg_id:
            assert (one.price, one.maker, one.time_ms) == (later.price, later.maker, later.time_ms)
        else:
            assert later.agg_id == one.agg_id + 1


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 1000), steps=STEPS, symbol=st.sampled_from(["BTCUSDT", "XRPUSDT", "AAPL.US"]))
def test_the_book_is_never_crossed_and_never_empty(seed: int, steps: list[tuple[int, int, int]], symbol: str) -> None:
    market = a_market(symbol, seed=seed)
    moved(market, steps)

    book = market.book
    assert 0 < max(book.bids.levels) < min(book.asks.levels)
    assert all(size > 0 for side in (book.bids, book.asks) for size in side.levels.values())
    assert max(len(book.bids.levels), len(book.asks.levels)) <= LEVELS_MOST + 50


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 1000), steps=STEPS)
def test_diffs_carry_an_earlier_snapshot_to_the_present_book(seed: int, steps: list[tuple[int, int, int]]) -> None:
    market = a_market(seed=seed)
    bids, asks = dict(market.book.bids.levels), dict(market.book.asks.levels)
    last_id = market.book.last_id
    for step in steps:
        moved(market, [step])
        market.collect()
        diff = market.fast_window.take()
        if diff is not None:
            assert diff.first_id == last_id + 1
            last_id = diff.last_id
            bids = {p: q for p, q in (bids | dict(diff.bids)).items() if q}
            asks = {p: q for p, q in (asks | dict(diff.asks)).items() if q}

    assert (bids, asks) == (market.book.bids.levels, market.book.asks.levels)
