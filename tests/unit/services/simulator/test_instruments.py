import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.instruments import Decimals, instrument_of


@given(count=st.integers(0, 10**15), places=st.integers(0, 8))
def test_a_count_is_printed_exactly(count: int, places: int) -> None:
    text = Decimals(places)[count]

    assert len(text.partition(".")[2]) == 8
    assert int(text.replace(".", "")) == count * 10 ** (8 - places)


def test_an_exchange_may_print_no_more_than_its_steps() -> None:
    assert Decimals(2, 2)[12345] == "123.45"
    assert Decimals(0, 0)[7] == "7"


def test_what_is_remembered_is_bounded() -> None:
    decimals = Decimals(2)
    for count in range(Decimals.LIMIT + 10):
        decimals[count]

    assert len(decimals) <= Decimals.LIMIT


@pytest.mark.parametrize(
    ("symbol", "quote", "always_open"),
    [("BTCUSDT", "USDT", True), ("DOGEUSDT", "USDT", True), ("ETHBTC", "BTC", True), ("TSLA.US", "USD", False)],
)
def test_any_symbol_can_be_listed(symbol: str, quote: str, always_open: bool) -> None:
    instrument = instrument_of(symbol)

    assert (instrument.symbol, instrument.quote, instrument.always_open) == (symbol, quote, always_open)
    assert instrument.start_ticks > 0
