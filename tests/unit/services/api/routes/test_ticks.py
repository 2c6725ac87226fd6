from datetime import UTC, datetime

import pytest

from tests.unit.services.api.desk import FakeStore, a_client

AT = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
EMPTY: dict[str, object] = dict.fromkeys(
    ("sequence", "price", "size", "side", "bid_price", "bid_size", "ask_price", "ask_size", "spread", "pressure_ratio")
)


@pytest.mark.parametrize("symbol", ["BTC_USDT", "^GSPC", "ÖL", "S" * 64])
def test_every_symbol_that_can_be_collected_can_be_asked_for(symbol: str) -> None:
    assert a_client().get("/ticks/latest", params={"symbol": symbol}).status_code == 200


def test_a_tick_shows_the_fields_of_its_kind_alone() -> None:
    row = EMPTY | {
        "feed": "simulator", "symbol": "BTCUSDT", "kind": 1, "time": AT, "received_at": AT, "sequence": 7,
        "price": 67000.5, "size": 0.25, "side": -1,
    }  # fmt: skip

    (tick,) = a_client(store=FakeStore(answers={"latest": [row]})).get("/ticks/latest").json()["ticks"]

    assert tick == {
        "feed": "simulator", "symbol": "BTCUSDT", "kind": "trade", "time": "2026-01-05T14:30:00Z",
        "received_at": "2026-01-05T14:30:00Z", "sequence": 7, "price": 67000.5, "size": 0.25, "side": "sell",
    }  # fmt: skip


@pytest.mark.parametrize("side", [0, 77, -128])
def test_an_unknown_side_is_left_out(side: int) -> None:
    row = EMPTY | {"feed": "f", "symbol": "S", "kind": 1, "time": AT, "received_at": AT, "side": side}

    assert "side" not in a_client(store=FakeStore(answers={"latest": [row]})).get("/ticks/latest").json()["ticks"][0]


def test_a_kind_is_asked_for_by_name_and_looked_up_by_number() -> None:
    store = FakeStore()

    a_client(store=store).get("/ticks/latest?kind=agg_trade&symbol=BTCUSDT")

    assert store.asked == [("latest", {"symbol": "BTCUSDT", "feed": None, "kind": 2})]


def test_symbols_say_which_kinds_arrived() -> None:
    row = {"feed": "simulator", "symbol": "BTCUSDT", "shard": 3, "kinds": [1, 4], "last_received_at": None}

    (symbol,) = a_client(store=FakeStore(answers={"symbols": [row]})).get("/symbols").json()["symbols"]

    assert symbol["kinds"] == ["trade", "depth"]
