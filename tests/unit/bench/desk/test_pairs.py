from bench.desk.pairs import PAIRS, ticks_per_s
from services.simulator.instruments import instrument_of


def test_there_are_ten_pairs_that_the_simulator_lists_as_such() -> None:
    assert len(PAIRS) == 10
    assert all(instrument_of(symbol).quote == "USDT" for symbol in PAIRS)


def test_a_second_of_the_market_is_the_sum_of_its_pairs() -> None:
    assert ticks_per_s() == {"trade": 160.0, "quote": 675.0, "depth": 100.0}
