"""The scan against the simulator's TickDB, the desk's own bars, and an alerter."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from nightdesk.calendars import exchange_spans
from nightdesk.errors import UnavailableError
from nightdesk.feeds_config import FeedConfig
from nightdesk.outbound import Answer, Received
from services.jobs.pre_market_scan import Arguments, scan
from services.jobs.runner.desks import Notifier
from services.jobs.runner.job import Desk
from tests.conftest import Database
from tests.integration.simulator.serving import Running, simulator

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SEVEN = datetime(2026, 3, 3, 12, tzinfo=UTC)
"""A Tuesday, seven o'clock in New York."""

MIDNIGHT_MS = int(datetime(2026, 3, 3, tzinfo=UTC).timestamp()) * 1000
FEEDS = """
feeds:
  tickdb:
    codec: tickdb
    ws_url: ws://127.0.0.1:1
    rest_url: http://127.0.0.1:1
    rest_weight_per_minute: 6000
    symbols: [NVDA.US]
    kinds: [trade]
    calendar: XNYS
"""
BARS = """
WITH symbol AS (
    INSERT INTO symbols (feed, symbol, shard) VALUES ('simulator', 'BTCUSDT', 0) RETURNING symbol_id
), bar AS (
    INSERT INTO bars (symbol_id, time, open, high, low, close, volume, buy_volume, quote_volume, trades, open_key,
        close_key, closed)
    SELECT symbol_id, %(midnight)s - day * interval '1 day' + minute * interval '1 minute', 1, 1, 1,
        CASE minute WHEN 1439 THEN 50000 ELSE 1 END, CASE day WHEN 1 THEN 30 ELSE 10 END, 0, 0, 1, 1, 1, true
    FROM symbol, generate_series(1, 8) AS day, unnest(ARRAY[0, 720, 1439]) AS minute
)
INSERT INTO latest (symbol_id, kind, time, received_at, price)
SELECT symbol_id, 1, %(at)s, %(at)s, 52000 FROM symbol
"""


class Time:
    """The simulator's clock, which the test moves."""

    def __init__(self) -> None:
        self.now_ms = MIDNIGHT_MS - 4000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def exchange() -> Iterator[Running]:
    """TickDB a few seconds after midnight: a completed candle of Monday, and Tuesday's under way."""
    clock = Time()
    with simulator(clock) as running:
        running.post("/sim/session", {"calendar": "XNYS", "open": True}).raise_for_status()
        for _ in range(6):
            clock.now_ms += 2000
            running.until(lambda: running.state()["uptime_s"] * 1000 >= clock.now_ms - MIDNIGHT_MS + 4000)
        yield running


def asked(exchange: Running, path: str) -> Any:
    return exchange.get(f"/v1/market/{path}", **{"X-API-Key": "key"}).json()["data"]


@pytest.fixture
def look(desk: Callable[..., Desk], tmp_path: Path) -> Callable[..., Any]:
    """Scan at seven; names of settings change settings, ``attempt`` and ``notify`` the desk."""

    def run(
        arguments: Mapping[str, Any], *, feeds: Mapping[str, FeedConfig] | None = None, at: datetime = SEVEN,
        attempt: int = 1, notify: Any = None, **changes: Any,
    ) -> Any:  # fmt: skip
        (tmp_path / "feeds.yaml").write_text(FEEDS, encoding="utf-8")
        made = desk(
            feeds=feeds, scheduled_for=at, job="pre_market_scan", feeds_config=tmp_path / "feeds.yaml", **changes
        )
        one = replace(made, attempt=attempt, notify=notify or made.notify)
        return scan(one, Arguments.model_validate(arguments), exchange_spans)

    return run


def rows(result: Any) -> dict[str, Any]:
    return {one["symbol"]: one for one in result["symbols"]}


def test_symbols_that_are_not_collected_are_asked_of_tickdb(
    look: Callable[..., Any], exchange: Running, told: Any
) -> None:
    wanted = {"watchlist": ["NVDA.US", "SPY.US", "TSLA.US"], "collected": False, "min_gap_percent": 0}

    result = look(wanted, tickdb_api_key="key", tickdb_rest_url=f"{exchange.rest}/v1")

    (monday,) = asked(exchange, "kline?symbol=NVDA.US&interval=1d")["klines"]
    (tuesday,) = asked(exchange, "kline/latest?symbols=NVDA.US&interval=1d")[0]["klines"]
    nvda = rows(result)["NVDA.US"]
    assert (nvda["previous_day"], nvda["previous_close"]) == ("2026-03-02", float(monday["close"]))
    assert nvda["price"] == float(tuesday["close"])
    assert nvda["gap_percent"] == pytest.approx((nvda["price"] / nvda["previous_close"] - 1) * 100, abs=1e-3)
    assert nvda["missing"] == ["its usual volume is not known yet"]
    assert rows(result)["TSLA.US"]["missing"] == ["tickdb does not know it"]
    assert set(result["movers"]) == {"NVDA.US", "SPY.US"}
    (level, title, text, fields, key) = told.notifications[0]
    assert (level, key) == ("info", "pre_market_scan XNYS 2026-03-03")
    assert "NVDA.US" in title
    assert "TSLA.US: tickdb does not know it" in text
    assert fields["day"] == "2026-03-03"


def test_a_collected_symbol_is_read_from_the_bars_of_its_own_days(
    look: Callable[..., Any], database: Database, told: Any
) -> None:
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    with database.connect() as connection:
        connection.execute(BARS, {"midnight": midnight, "at": SEVEN - timedelta(minutes=1)})

    result = look({"watchlist": ["NVDA.US"]})

    bitcoin = rows(result)["BTCUSDT"]
    assert (bitcoin["previous_close"], bitcoin["price"], bitcoin["gap_percent"]) == (50000.0, 52000.0, 4.0)
    assert (bitcoin["volume"], bitcoin["volume_ratio"]) == (90.0, 3.0)
    assert result["movers"] == ["BTCUSDT"]
    assert rows(result)["ETHUSDT"]["missing"] == ["no data of the last session, 2026-03-02"]
    assert rows(result)["NVDA.US"]["missing"] == ["no source: set TICKDB_API_KEY"]
    assert "▸ BTCUSDT +4.0 % 52,000.00 from 50,000.00, volume 3.0x" in told.notifications[0][2]
    assert "NVDA.US: no source: set TICKDB_API_KEY" in told.notifications[0][2]


def test_on_a_holiday_nothing_is_decided_and_nobody_told(look: Callable[..., Any], told: Any) -> None:
    result = look({"watchlist": ["NVDA.US"]}, at=datetime(2026, 7, 3, 11, tzinfo=UTC))

    assert result == {"decided": "nothing", "why": "XNYS is closed today", "day": "2026-07-03"}
    assert told.notifications == []


def test_a_source_that_does_not_answer_is_waited_for_and_then_done_without(look: Callable[..., Any], told: Any) -> None:
    def away(_method: str, url: str, _headers: Mapping[str, str], _body: bytes | None) -> Answer:
        raise requests.ConnectionError(url)

    wanted = {"watchlist": ["NVDA.US"], "collected": False}
    with pytest.raises(UnavailableError):
        look(wanted, call=away, tickdb_api_key="key")
    assert told.notifications == []

    result = look(wanted, call=away, tickdb_api_key="key", attempt=3)
    assert rows(result)["NVDA.US"]["missing"] == ["tickdb did not answer"]
    assert "NVDA.US: tickdb did not answer" in told.notifications[0][2]


def test_before_the_candle_of_today_begins_the_last_trade_has_the_price(look: Callable[..., Any]) -> None:
    days = [{"time": MIDNIGHT_MS - 86_400_000 * ago, "open": "1", "high": "1", "low": "1", "close": f"{100 + ago}",
             "volume": "5"} for ago in (2, 1)]  # fmt: skip
    trade = {"id": "0", "price": "104.5", "quantity": "1", "side": "buy", "timestamp": SEVEN.timestamp() - 60}
    answers = {
        "/kline?": {"symbol": "NVDA", "interval": "1d", "klines": days},
        "/kline/latest?": [{"symbol": "NVDA", "interval": "1d", "klines": days[-1:]}],
        "/trades?": {"symbol": "NVDA", "trades": [trade]},
    }

    def answer(_method: str, url: str, _headers: Mapping[str, str], _body: bytes | None) -> Answer:
        (data,) = [data for path, data in answers.items() if path in url]
        return Received(status_code=200, headers={}, content=json.dumps({"code": 0, "data": data}).encode())

    result = look({"watchlist": ["NVDA.US"], "collected": False}, call=answer, tickdb_api_key="key")

    assert rows(result)["NVDA.US"]["price"] == 104.5
    assert rows(result)["NVDA.US"]["previous_close"] == 101.0


def test_a_scan_that_is_tried_again_has_the_same_key_and_an_alerter_that_is_away_is_tried_again(
    look: Callable[..., Any], desk: Callable[..., Desk]
) -> None:
    posts: list[Any] = []

    def alerter(_method: str, _url: str, _headers: Mapping[str, str], body: bytes | None) -> Answer:
        posts.append(json.loads(body or b""))
        if len(posts) == 1:
            raise requests.ReadTimeout("it was taken, and the answer is lost")
        return Received(status_code=202, headers={}, content=b'{"alert_id": 7}')

    notify = Notifier(desk(notifications_token="token").settings, "pre_market_scan", alerter)
    with pytest.raises(UnavailableError):
        look({"collected": False}, notify=notify)
    result = look({"collected": False}, notify=notify, attempt=2)

    assert result["alert_id"] == 7
    assert posts[0]["dedup_key"] == posts[1]["dedup_key"]
    assert posts[0]["fields"]["job"] == "pre_market_scan"
