from datetime import UTC, datetime, timedelta

import pytest

from nightdesk.alerting import Alert
from services.api.desk_page import WAYS, firing_now, prices, ways
from services.api.models import KindName, LatestTick
from tests.unit.services.api.alerts import an_alert

NOW = datetime(2026, 11, 19, 7, 0, tzinfo=UTC)


def a_tick(kind: KindName, age_s: float = 1.0, symbol: str = "BTCUSDT", **fields: object) -> LatestTick:
    at = NOW - timedelta(seconds=age_s)
    return LatestTick.model_validate(
        {"feed": "simulator", "symbol": symbol, "kind": kind, "time": at, "received_at": at, **fields}
    )


def alert(number: int, **changes: object) -> Alert:
    return Alert.model_validate(an_alert(number, **changes))


def test_the_ticks_of_a_symbol_are_one_line() -> None:
    ticks = [
        a_tick(KindName.TRADE, 9.0, price=67000.5, side="sell"),
        a_tick(KindName.QUOTE, 2.0, bid_price=1.0, ask_price=2.0),
        a_tick(KindName.DEPTH, 3.0, spread=0.5, pressure_ratio=1.5),
        a_tick(KindName.TRADE, 1.0, symbol="ETHUSDT", price=3.0),
    ]

    first, second = prices(ticks, NOW)

    assert (first.symbol, first.price, first.side, first.bid, first.ask) == ("BTCUSDT", 67000.5, "sell", 1.0, 2.0)
    assert (first.spread, first.pressure, first.age_s) == (0.5, 1.5, 2.0)
    assert (second.symbol, second.bid) == ("ETHUSDT", None)


def test_aggregated_trades_are_a_price_too_and_no_age_is_negative() -> None:
    (line,) = prices([a_tick(KindName.AGG_TRADE, -5.0, price=7.0)], NOW)

    assert (line.price, line.side, line.age_s) == (7.0, "", 0.0)


@pytest.mark.parametrize(
    ("tiers", "mark"), [([], ""), (["warning"], "look"), (["warning", "critical"], "bad"), (["info"], "look")]
)
def test_what_fires_is_as_bad_as_its_worst(tiers: list[str], mark: str) -> None:
    found = firing_now([alert(number, tier=tier) for number, tier in enumerate(tiers, 1)])

    assert (found.count, found.mark) == (len(tiers), mark)
    assert [one.tier for one in found.first] == sorted(tiers, key=lambda tier: tier != "critical")


def test_what_is_hidden_does_not_count() -> None:
    assert firing_now([alert(1, hidden=True)]).count == 0


def test_grafana_is_one_of_the_ways_wherever_it_is() -> None:
    found = ways({"Grafana": "/grafana/"})

    assert len(found) == len(WAYS) + 1
    assert found[-1].to == "/grafana/"
