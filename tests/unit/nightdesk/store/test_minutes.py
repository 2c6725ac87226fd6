import numpy as np

from nightdesk.bars import Bars, fold
from nightdesk.store.minutes import OpenMinutes

MINUTE_NS = 60 * 10**9
NOW_NS = 8 * MINUTE_NS


def bars(*trades: tuple[int, int]) -> Bars:
    """Bars of trades given as (symbol, minute)."""
    symbol, minute = np.array(trades, dtype=np.int64).T
    ones = np.ones(len(trades))
    return fold(
        symbol=symbol, time_ns=minute * MINUTE_NS, key=np.arange(len(trades)), price=ones, size=ones,
        side=ones.astype(np.int8),
    )  # fmt: skip


def test_the_first_bar_of_a_symbol_closes_whatever_lies_before_it() -> None:
    assert OpenMinutes().closing(bars((1, 7), (2, 8)), NOW_NS) == {1: 7, 2: 8}


def test_within_the_newest_minute_nothing_is_closed() -> None:
    minutes = OpenMinutes()
    minutes.closed({1: 7})

    assert minutes.closing(bars((1, 7)), NOW_NS) == {}
    assert minutes.closing(None, NOW_NS) == {}


def test_a_new_minute_closes_those_before_it() -> None:
    minutes = OpenMinutes()
    minutes.closed({1: 7, 2: 7})

    assert minutes.closing(bars((1, 7), (1, 8), (2, 7)), NOW_NS) == {1: 8}


def test_a_bar_that_a_late_trade_opened_anew_is_closed_and_the_open_one_is_not() -> None:
    minutes = OpenMinutes()
    minutes.closed({1: 7})

    assert minutes.closing(bars((1, 3), (1, 7)), NOW_NS) == {1: 7}
    assert minutes.closing(bars((1, 3)), NOW_NS) == {1: 7}


def test_what_was_forgotten_is_closed_again() -> None:
    minutes = OpenMinutes()
    minutes.closed({1: 7})
    minutes.forget()

    assert minutes.closing(bars((1, 7)), NOW_NS) == {1: 7}


def test_a_minute_ahead_of_the_clock_closes_nothing_and_is_not_remembered() -> None:
    minutes = OpenMinutes()
    minutes.closed({1: 7})

    assert minutes.closing(bars((1, 10)), NOW_NS) == {}
    assert minutes.closing(bars((1, 8), (1, 1200)), NOW_NS) == {1: 8}
    assert minutes.closing(bars((1, 9)), NOW_NS) == {1: 9}
