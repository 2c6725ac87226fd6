"""Under pressure the latest quote and depth of each symbol stay, and every trade."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from nightdesk.ticks import Depth, Kind, Quote, Tick, Trade
from services.collector.conflation import Conflation


def a_trade(number: int, symbol: str = "A") -> Trade:
    return Trade(symbol, number, 1.0, 1.0, 1, 0, number)


def a_quote(number: int, symbol: str = "A") -> Quote:
    return Quote(symbol, number, 1.0, 1.0, 2.0, 1.0, 0, number)


def a_depth(number: int, symbol: str = "A") -> Depth:
    return Depth(symbol, number, [1.0, 1.0], [2.0, 1.0], 1.0, 1.0, 0, number)


def test_trades_go_on_at_once_and_in_order() -> None:
    conflation = Conflation()

    assert conflation.through([a_trade(1), a_quote(2), a_trade(3)]) == [a_trade(1), a_trade(3)]


def test_the_latest_of_each_symbol_and_kind_stays() -> None:
    conflation = Conflation()
    conflation.through([a_quote(1), a_quote(2), a_depth(3), a_quote(4, "B"), a_quote(5)])

    latest, left_out = conflation.flush()
    assert latest == [a_depth(3), a_quote(4, "B"), a_quote(5)]
    assert left_out == Counter({Kind.QUOTE: 2})


def test_a_flush_leaves_nothing_behind() -> None:
    conflation = Conflation()
    conflation.through([a_quote(1)])
    conflation.flush()

    assert conflation.flush() == ([], Counter())


TICKS = st.builds(
    lambda make, number, symbol: make(number, symbol),
    st.sampled_from([a_trade, a_quote, a_depth]),
    st.integers(0, 1000),
    st.sampled_from(["A", "B"]),
)


@given(st.lists(st.lists(TICKS, max_size=5), max_size=20))
def test_every_tick_goes_on_or_is_counted_and_no_trade_is_ever_left_out(batches: list[list[Tick]]) -> None:
    conflation = Conflation()
    went_on = [tick for batch in batches for tick in conflation.through(batch)]
    latest, left_out = conflation.flush()
    every = [tick for batch in batches for tick in batch]

    assert [tick for tick in every if isinstance(tick, Trade)] == went_on
    assert len(went_on) + len(latest) + left_out.total() == len(every)
