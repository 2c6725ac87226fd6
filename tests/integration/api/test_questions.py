"""What the api answers from a real database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from services.api.app import compose
from tests.conftest import Database
from tests.integration.api.conftest import settings

pytestmark = pytest.mark.integration
FIRST = datetime(2026, 1, 5, tzinfo=UTC)


def bars(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    answer = client.get("/bars", params={"symbol": "BTCUSDT", **query})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["bars"])


def obvious(minutes: int, first: int, last: int) -> list[dict[str, Any]]:
    """Roll minutes up the slow way: minute n opens at n, closes at n + 1, and its volume is 1."""
    bins: dict[int, list[int]] = {}
    for minute in range(first, last):
        bins.setdefault(minute // minutes, []).append(minute)
    return [
        {
            "time": (FIRST + timedelta(minutes=number * minutes)).isoformat().replace("+00:00", "Z"),
            "open": members[0], "high": members[-1] + 2, "low": members[0] - 1, "close": members[-1] + 1,
            "volume": len(members), "buy_volume": len(members) / 2, "quote_volume": 10 * len(members),
            "trades": 3 * len(members), "closed": (number + 1) * minutes <= 2999,
        }
        for number, members in bins.items()
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("interval", "minutes"), [("1m", 1), ("5m", 5), ("15m", 15), ("30m", 30), ("1h", 60), ("4h", 240), ("1d", 1440)]
)
def test_bars_of_any_length_are_what_the_minutes_make(client: TestClient, interval: str, minutes: int) -> None:
    assert bars(client, interval=interval, limit=5000) == obvious(minutes, 0, 3000)


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_the_latest_bars_are_whole_even_when_few_are_asked_for(client: TestClient, limit: int) -> None:
    assert bars(client, interval="1h", limit=limit) == obvious(60, 0, 3000)[-limit:]


def test_a_range_includes_its_beginning_and_not_its_end(client: TestClient) -> None:
    found = bars(client, **{"from": "2026-01-05T01:00:00Z", "to": "2026-01-05T01:03:00Z"})

    assert found == obvious(1, 60, 63)


def test_every_bar_of_a_range_is_whole(client: TestClient) -> None:
    found = bars(client, interval="1h", **{"from": "2026-01-05T00:30:00Z", "to": "2026-01-05T03:30:00Z"})

    assert found == obvious(60, 60, 240)


def test_paging_back_by_the_first_time_misses_no_bar(client: TestClient) -> None:
    pages: list[dict[str, Any]] = []
    query: dict[str, Any] = {"interval": "15m", "limit": 64}
    while page := bars(client, **query):
        pages = page + pages
        query["to"] = page[0]["time"]

    assert pages == obvious(15, 0, 3000)


def test_there_is_no_bar_where_there_was_no_trade(client: TestClient) -> None:
    assert bars(client, symbol="ETHUSDT", feed="simulator") == []


def test_csv_and_json_say_the_same(client: TestClient) -> None:
    lines = client.get("/bars?symbol=BTCUSDT&format=csv&limit=3").text.splitlines()

    assert [line.split(",")[0] for line in lines[1:]] == [bar["time"] for bar in bars(client, limit=3)]


def test_a_symbol_that_two_feeds_have_needs_the_feed(client: TestClient) -> None:
    assert client.get("/bars?symbol=ETHUSDT").json()["errors"][0]["field"] == "feed"
    assert client.get("/bars?symbol=BTC-USD").json()["feed"] == "coinbase"


def test_the_last_ticks_of_a_symbol_and_kind(client: TestClient) -> None:
    ticks = client.get("/ticks/latest?symbol=BTCUSDT").json()["ticks"]

    assert [(tick["kind"], tick.get("price"), tick.get("pressure_ratio")) for tick in ticks] == [
        ("trade", 67000.5, None),
        ("depth", None, 1.5),
    ]
    assert len(client.get("/ticks/latest?kind=depth").json()["ticks"]) == 1


def test_symbols_with_and_without_ticks(client: TestClient) -> None:
    symbols = client.get("/symbols?feed=simulator").json()["symbols"]

    assert [(symbol["symbol"], symbol["shard"], symbol["kinds"]) for symbol in symbols] == [
        ("BTCUSDT", 3, ["trade", "depth"]),
        ("ETHUSDT", 5, []),
    ]


def test_the_ledger_pages_newest_first_without_a_hole(client: TestClient) -> None:
    seen: list[int] = []
    before: int | None = None
    while True:
        body = client.get("/gaps", params={"limit": 7} | ({"before": before} if before else {})).json()
        seen += [gap["gap_id"] for gap in body["gaps"]]
        before = body["next"]
        if before is None:
            break

    assert seen == list(range(31, 0, -1))


def test_a_gap_shows_its_missing_ids_with_both_ends(client: TestClient) -> None:
    (gap,) = client.get("/gaps?limit=1&symbol=ETHUSDT&state=open").json()["gaps"]

    assert (gap["from_id"], gap["to_id"], gap["missing_ids"], gap["missing"]) == (2900, 2909, 10, [[2900, 2909]])


def test_a_gap_without_ids_says_null(client: TestClient) -> None:
    (gap,) = client.get("/gaps?kind=quote").json()["gaps"]

    assert (gap["from_id"], gap["missing_ids"], gap["missing"]) == (None, None, [])


def test_health_counts_the_owned_consumers(client: TestClient) -> None:
    parts = {part["part"]: part for part in client.get("/health").json()["parts"]}

    assert parts["consumers/simulator"]["detail"] == "8 of 8 owned by 2 workers"
    assert parts["database"]["status"] == "ok"
    assert parts["redis"]["status"] == "down"


def test_a_consumer_that_never_had_an_owner_is_down(seeded: Database) -> None:
    with seeded.connect() as connection:
        connection.execute("UPDATE leases SET owner = NULL, expires_at = '-infinity' WHERE shard = 3")

    with TestClient(compose(settings(seeded), CollectorRegistry())) as client:
        parts = {part["part"]: part for part in client.get("/health").json()["parts"]}

    assert (parts["consumers/simulator"]["status"], parts["consumers/simulator"]["age_s"]) == ("down", None)


def test_the_api_can_change_nothing(seeded: Database) -> None:
    with seeded.connect("nightdesk_reader") as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("DELETE FROM gaps")
