from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.api.models import Interval
from services.api.routes.bars import aligned, in_range
from tests.unit.services.api.desk import FakeStore, a_client

AT = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


def a_bar(minute: int) -> dict[str, object]:
    return {
        "time": AT + timedelta(minutes=minute), "open": 1.0, "high": 3.0, "low": 0.5, "close": 2.0, "volume": 10.0,
        "buy_volume": 4.0, "quote_volume": 20.0, "trades": 7, "closed": True,
    }  # fmt: skip


def a_store(*, feeds: tuple[str, ...] = ("simulator",), bars: int = 2) -> FakeStore:
    symbols: list[dict[str, object]] = [
        {"symbol_id": n, "feed": feed, "symbol": "BTCUSDT"} for n, feed in enumerate(feeds)
    ]
    return FakeStore(answers={"symbol": symbols, "bars": [a_bar(minute) for minute in reversed(range(bars))]})


def test_bars_come_oldest_first() -> None:
    body = a_client(store=a_store()).get("/bars?symbol=BTCUSDT").json()

    assert [bar["time"] for bar in body["bars"]] == ["2026-01-05T14:30:00Z", "2026-01-05T14:31:00Z"]
    assert (body["feed"], body["interval"], body["more"]) == ("simulator", "1m", False)


def test_one_bar_more_than_asked_for_means_there_are_older_ones() -> None:
    store = a_store(bars=3)

    body = a_client(store=store).get("/bars?symbol=BTCUSDT&limit=2").json()

    assert [bar["time"] for bar in body["bars"]] == ["2026-01-05T14:31:00Z", "2026-01-05T14:32:00Z"]
    assert body["more"] is True
    assert store.asked[-1][1]["bars"] == 3


@pytest.mark.parametrize(
    ("interval", "minutes"), [("1m", 1), ("5m", 5), ("15m", 15), ("30m", 30), ("1h", 60), ("4h", 240), ("1d", 1440)]
)
def test_an_interval_is_a_number_of_minutes(interval: str, minutes: int) -> None:
    assert Interval(interval).minutes == minutes


@pytest.mark.parametrize(("query", "headers"), [("&format=csv", {}), ("", {"Accept": "text/csv"})])
def test_csv_is_for_who_asks_so(query: str, headers: dict[str, str]) -> None:
    answer = a_client(store=a_store(bars=1)).get(f"/bars?symbol=BTCUSDT{query}", headers=headers)

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.splitlines() == [
        "time,open,high,low,close,volume,buy_volume,quote_volume,trades,closed",
        "2026-01-05T14:30:00Z,1.0,3.0,0.5,2.0,10.0,4.0,20.0,7,True",
    ]


def test_the_format_asked_for_counts_more_than_the_header() -> None:
    answer = a_client(store=a_store()).get("/bars?symbol=BTCUSDT&format=json", headers={"Accept": "text/csv"})

    assert answer.headers["content-type"] == "application/json"


def test_an_unknown_symbol_is_a_problem_with_that_field() -> None:
    answer = a_client().get("/bars?symbol=NOSUCH&feed=simulator")

    assert answer.status_code == 404
    assert answer.json()["errors"][0]["field"] == "symbol"


def test_a_symbol_of_several_feeds_needs_the_feed() -> None:
    answer = a_client(store=a_store(feeds=("binance", "simulator"))).get("/bars?symbol=BTCUSDT")

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "feed", "place": "query", "detail": "say which one has BTCUSDT: binance, simulator"}
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("symbol=", "symbol"),
        ("symbol=A%00B", "symbol"),
        ("symbol=" + "A" * 65, "symbol"),
        ("symbol=A B", "symbol"),
        ("symbol=A%C2%85", "symbol"),
        ("symbol=BTCUSDT&feed=NO", "feed"),
        ("symbol=BTCUSDT&limit=5001", "limit"),
        ("symbol=BTCUSDT&from=yesterday", "from"),
        ("symbol=BTCUSDT&from=1500-01-01T00:00:00Z", "from"),
        ("symbol=BTCUSDT&to=9999-12-31T23:59:59-23:59", "to"),
        ("symbol=BTCUSDT&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
        ("symbol=BTCUSDT&format=xml", "format"),
    ],
)
def test_input_is_bounded(query: str, field: str) -> None:
    answer = a_client(store=a_store()).get(f"/bars?{query}")

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_time_without_a_zone_is_utc_and_any_other_becomes_it() -> None:
    assert in_range(datetime(2026, 1, 5, 14, 30)) == AT  # noqa: DTZ001
    assert in_range(datetime(2026, 1, 5, 9, 30, tzinfo=timezone(timedelta(hours=-5)))).tzinfo is UTC


def test_unix_times_are_taken_too() -> None:
    store = a_store()

    a_client(store=store).get(f"/bars?symbol=BTCUSDT&from={int(AT.timestamp())}")

    assert store.asked[-1][1]["from"] == AT


@pytest.mark.parametrize(
    ("moment", "interval", "first"),
    [
        (AT, Interval.M1, AT),
        (AT, Interval.M30, AT),
        (AT, Interval.H1, datetime(2026, 1, 5, 15, tzinfo=UTC)),
        (AT, Interval.H4, datetime(2026, 1, 5, 16, tzinfo=UTC)),
        (AT, Interval.D1, datetime(2026, 1, 6, tzinfo=UTC)),
        (AT + timedelta(microseconds=1), Interval.M1, AT + timedelta(minutes=1)),
        (datetime(1969, 12, 31, 23, 59, tzinfo=UTC), Interval.D1, datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_range_begins_with_the_first_whole_bar(moment: datetime, interval: Interval, first: datetime) -> None:
    assert aligned(moment, interval) == first
