"""Which ids a fault may cost."""

from typing import Any

from tests.chaos.injection import Injected, losable
from tests.chaos.simulator import market_of

STATE: dict[str, Any] = {
    "symbols": {"BTCUSDT": {"last_trade_id": 9_000}, "AAPL.US": {"last_trade_id": 5}},
    "connections": [
        {
            "since": 10.0,
            "closed": 50.0,
            "first_trade_id": {"BTCUSDT": 1},
            "last_trade_id": {"BTCUSDT": 4_000},
            "trade_ids": {"BTCUSDT": [[1, 300], [303, 4_000]]},
        },
        {
            "since": 52.0,
            "closed": None,
            "first_trade_id": {"BTCUSDT": 6_001},
            "last_trade_id": {"BTCUSDT": 9_000},
            "trade_ids": {"BTCUSDT": [[6_001, 9_000]]},
        },
    ],
}
MARKET = market_of(STATE)
RATES = {"BTCUSDT": 1_000.0}


def test_a_cut_connection_may_cost_its_last_second_and_what_came_until_the_next_one() -> None:
    windows = losable(Injected(at_s=49.9, cuts_s=(49.9,)), MARKET, RATES)

    assert windows == {"BTCUSDT": ((3_001, 6_000),)}


def test_a_fault_that_cuts_no_connection_may_cost_nothing() -> None:
    assert losable(Injected(at_s=49.9), MARKET, RATES) == {}


def test_without_a_next_connection_everything_after_the_cut_may_be_missing() -> None:
    windows = losable(Injected(at_s=60.0, cuts_s=(60.0,)), MARKET, RATES)

    assert windows == {"BTCUSDT": ((8_001, 9_000),)}


def test_a_cut_costs_nothing_when_nobody_was_connected() -> None:
    assert losable(Injected(at_s=51.0, cuts_s=(51.0,)), MARKET, RATES) == {}


def test_each_cut_has_a_window_of_its_own() -> None:
    windows = losable(Injected(at_s=60.0, cuts_s=(49.9, 60.0)), MARKET, RATES)

    assert windows == {"BTCUSDT": ((3_001, 6_000), (8_001, 9_000))}


def test_within_a_span_only_connections_that_ended_in_it_count() -> None:
    assert losable(Injected(at_s=60.0, cut_within_s=((40.0, 49.0), (50.1, 60.0))), MARKET, RATES) == {}
    assert losable(Injected(at_s=60.0, cut_within_s=((49.0, 51.0),)), MARKET, RATES) == {"BTCUSDT": ((3_001, 6_000),)}


def test_what_was_sent_to_a_collector_that_did_not_read_may_be_missing_with_the_cut() -> None:
    injected = Injected(at_s=60.0, cut_within_s=((49.0, 51.0),), unread={"BTCUSDT": 2_500})

    assert losable(injected, MARKET, RATES) == {"BTCUSDT": ((1_501, 6_000),)}


def test_what_the_next_connection_heard_before_the_cut_may_not_be_missing() -> None:
    overlapping = market_of(
        {
            "symbols": {"BTCUSDT": {"last_trade_id": 9_000}},
            "connections": [
                STATE["connections"][0],
                {**STATE["connections"][1], "since": 48.0, "first_trade_id": {"BTCUSDT": 3_801}},
            ],
        }
    )

    windows = losable(Injected(at_s=50.0, cut_within_s=((49.0, 51.0),)), overlapping, RATES)

    assert windows == {"BTCUSDT": ((3_001, 3_800),)}


def test_the_market_counts_only_symbols_somebody_heard() -> None:
    assert MARKET.symbols == ["BTCUSDT"]
    assert MARKET.first_listener("BTCUSDT") == 1


def test_only_what_was_sent_to_nobody_may_be_missing_where_the_exchange_withheld_it() -> None:
    windows = losable(Injected(at_s=60.0, withheld=True), MARKET, RATES)

    assert windows == {"BTCUSDT": ((301, 302), (4_001, 6_000))}
