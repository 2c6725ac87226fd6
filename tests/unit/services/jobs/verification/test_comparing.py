"""A bar and a candle are equal, or not by the last digit."""

import math
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightdesk.exchanges.history import Candle
from services.jobs.verification.comparing import StoredBar, differences, of_klines, steps_of

TRADES = st.lists(st.tuples(st.integers(1, 10**7), st.integers(1, 10**7)), min_size=1, max_size=200)


def candle_and_bar(trades: list[tuple[int, int]]) -> tuple[Candle, StoredBar]:
    """A minute as the exchange counts it, in steps, and as we fold it, in doubles."""
    prices = [Decimal(price).scaleb(-2) for price, _ in trades]
    sizes = [Decimal(size).scaleb(-5) for _, size in trades]
    candle = Candle(
        open_ns=0, open=prices[0], high=max(prices), low=min(prices), close=prices[-1], volume=sum(sizes, Decimal(0)),
        quote_volume=sum((p * s for p, s in zip(prices, sizes, strict=True)), Decimal(0)), trades=len(trades),
    )  # fmt: skip
    floats = [(float(p), float(s)) for p, s in zip(prices, sizes, strict=True)]
    bar = StoredBar(
        open=floats[0][0], high=max(p for p, _ in floats), low=min(p for p, _ in floats), close=floats[-1][0],
        volume=sum(s for _, s in floats), quote_volume=sum(p * s for p, s in floats), trades=len(trades),
    )  # fmt: skip
    return candle, bar


@given(TRADES)
def test_the_same_trades_give_the_same_minute_whatever_doubles_lose(trades: list[tuple[int, int]]) -> None:
    candle, bar = candle_and_bar(trades)

    assert differences(bar, candle, steps_of([candle])) == {}


@given(TRADES)
def test_one_step_of_volume_is_a_difference(trades: list[tuple[int, int]]) -> None:
    candle, bar = candle_and_bar(trades)
    fine = replace(candle, volume=candle.volume + Decimal("0.00001"))

    assert list(differences(bar, fine, steps_of([candle, fine]))) == ["volume"]


@pytest.mark.parametrize("name", ["open", "high", "low", "close"])
def test_a_price_is_compared_as_it_is(name: str) -> None:
    candle, bar = candle_and_bar([(6_700_012, 5)])
    off = replace(bar, **{name: math.nextafter(getattr(bar, name), math.inf)})

    assert list(differences(off, candle, steps_of([candle]))) == [name]


def test_what_an_exchange_does_not_say_is_not_compared() -> None:
    candle, bar = candle_and_bar([(6_700_012, 5)])
    silent = replace(candle, quote_volume=None, trades=None)

    assert differences(replace(bar, trades=9, quote_volume=1.0), silent, steps_of([silent])) == {}


def test_a_stored_candle_has_the_digits_it_came_with() -> None:
    found = of_klines([(7, 67000.1, 67000.2, 67000.0, 67000.15, 0.12345, -1)])

    assert found[7].close == Decimal("67000.15")
    assert found[7].trades is None
