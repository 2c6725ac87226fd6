"""What exchanges answer, read; the shapes are those of their documentation."""

import json
from decimal import Decimal

import pytest

from nightdesk.errors import ExchangeError, UnavailableError
from nightdesk.exchanges.binance import BinanceHistory
from nightdesk.exchanges.coinbase import CoinbaseHistory
from nightdesk.exchanges.histories import HISTORIES
from nightdesk.exchanges.history import MINUTE_NS, History, stretches
from nightdesk.exchanges.tickdb import TickdbHistory
from nightdesk.ticks import NO_ID, AggTrade, Kind, Side, Trade

MS = 10**6


def json_of(value: object) -> bytes:
    return json.dumps(value).encode()


class TestBinance:
    history: History = BinanceHistory("https://x.example/")

    def rows(self, *ids: int) -> bytes:
        return json_of(
            [
                {"id": one, "price": "67000.10000000", "qty": "0.00100000", "time": 1_700_000_000_123,
                 "quoteQty": "67.0001", "isBuyerMaker": one % 2 == 0, "isBestMatch": True}
                for one in ids
            ]
        )  # fmt: skip

    def test_trades_are_asked_from_the_lowest_id_on(self) -> None:
        request = self.history.ticks(Kind.TRADE, "BTCUSDT", (5, 7))

        assert request is not None
        assert request.url == "https://x.example/api/v3/historicalTrades?symbol=BTCUSDT&fromId=5&limit=1000"
        assert request.weight == 25

    def test_what_lies_beyond_shows_that_nothing_was_left_out(self) -> None:
        page = self.history.read_ticks(Kind.TRADE, "BTCUSDT", self.rows(5, 7, 9), (5, 7), 99)

        assert page.covered == (5, 9)
        assert page.ticks == [
            Trade("BTCUSDT", 5, 67000.1, 0.001, Side.BUY, 1_700_000_000_123 * MS, 99),
            Trade("BTCUSDT", 7, 67000.1, 0.001, Side.BUY, 1_700_000_000_123 * MS, 99),
        ]

    def test_an_empty_page_says_nothing_of_any_id(self) -> None:
        assert self.history.read_ticks(Kind.TRADE, "BTCUSDT", b"[]", (5, 7), 99).covered is None

    def test_aggregates_name_their_trades(self) -> None:
        body = json_of([{"a": 5, "p": "1.5", "q": "2", "f": 50, "l": 52, "T": 1000, "m": True, "M": True}])
        page = self.history.read_ticks(Kind.AGG_TRADE, "BTCUSDT", body, (5, 7), 99)

        assert page.ticks == [AggTrade("BTCUSDT", 5, 50, 52, 1.5, 2.0, Side.SELL, 1000 * MS, 99)]

    def test_candles_keep_their_digits(self) -> None:
        row = [60_000, "1.10000000", "1.3", "1.0", "1.2", "0.00001000", 119_999, "0.0000110000", 7, "0", "0", "0"]
        (candle,) = self.history.read_candles(json_of([row]))

        assert (candle.open_ns, candle.open, candle.volume) == (MINUTE_NS, Decimal("1.1"), Decimal("0.00001"))
        assert (candle.quote_volume, candle.trades, candle.is_empty) == (Decimal("0.000011"), 7, False)

    def test_an_unknown_symbol_is_told_from_any_other_refusal(self) -> None:
        assert self.history.knows_not(ExchangeError("", status=400, content=b'{"code":-1121,"msg":"Invalid symbol."}'))
        assert not self.history.knows_not(ExchangeError("", status=400, content=b'{"code":-1100}'))
        assert not self.history.knows_not(ExchangeError("", status=403, content=b"<html>"))

    def test_the_weight_that_was_counted_is_read(self) -> None:
        assert self.history.used({"X-MBX-USED-WEIGHT-1M": "4321"}) == 4321
        assert self.history.used({}) is None


class TestCoinbase:
    history: History = CoinbaseHistory("https://x.example")

    def rows(self, *ids: int) -> bytes:
        return json_of(
            [
                {"time": "2026-03-01T12:00:00.123456Z", "trade_id": one, "price": "67000.10", "size": "0.001",
                 "side": "buy"}
                for one in ids
            ]
        )  # fmt: skip

    def test_trades_are_asked_from_the_highest_id_back(self) -> None:
        request = self.history.ticks(Kind.TRADE, "BTC-USD", (5, 7))

        assert request is not None
        assert request.url == "https://x.example/products/BTC-USD/trades?after=8&limit=1000"

    def test_a_page_comes_newest_first_and_names_the_makers_side(self) -> None:
        page = self.history.read_ticks(Kind.TRADE, "BTC-USD", self.rows(7, 6, 4), (5, 7), 99)

        assert page.covered == (4, 7)
        at_ns = 1_772_366_400_123_456_000
        assert page.ticks == [
            Trade("BTC-USD", 6, 67000.1, 0.001, Side.SELL, at_ns, 99),
            Trade("BTC-USD", 7, 67000.1, 0.001, Side.SELL, at_ns, 99),
        ]

    def test_candles_come_newest_first_without_empty_minutes(self) -> None:
        body = b"[[180, 1.0, 1.3, 1.1, 1.2, 0.00001],[60,1.0,1.30,1.1,1.25,3]]"
        earlier, later = self.history.read_candles(body)

        assert (earlier.open_ns, later.open_ns) == (MINUTE_NS, 3 * MINUTE_NS)
        assert (later.open, later.high, later.low, later.close) == tuple(map(Decimal, ("1.1", "1.3", "1.0", "1.2")))
        assert (later.volume, later.trades, later.quote_volume) == (Decimal("0.00001"), None, None)

    def test_both_ends_of_a_request_for_candles_are_inclusive(self) -> None:
        url = self.history.candles("BTC-USD", 60 * 10**9, 180 * 10**9).url

        assert url.endswith("granularity=60&start=1970-01-01T00:01:00Z&end=1970-01-01T00:02:00Z")

    @pytest.mark.parametrize("time", ["2026-03-01 12:00:00Z", "2026-03-01T12:00:00+01:00", "2026-13-01T12:00:00Z", ""])
    def test_a_time_that_is_none_is_refused(self, time: str) -> None:
        body = json_of([{"time": time, "trade_id": 1, "price": "1", "size": "1", "side": "buy"}])

        with pytest.raises(ExchangeError, match="cannot be read"):
            self.history.read_ticks(Kind.TRADE, "BTC-USD", body, (1, 1), 0)


class TestTickdb:
    history: History = TickdbHistory("https://x.example/v1")

    def test_nothing_is_found_by_id(self) -> None:
        assert self.history.ticks(Kind.TRADE, "AAPL.US", (5, 7)) is None

    def test_the_latest_trades_have_no_ids_and_times_in_seconds_or_milliseconds(self) -> None:
        rows = [
            {"id": "0", "price": "230.10", "quantity": "5", "side": "sell", "timestamp": 1_700_000_000},
            {"id": "9", "price": "230.20", "quantity": "6", "side": "buy", "timestamp": 1_700_000_000_500},
        ]
        found = self.history.read_around("AAPL.US", json_of({"code": 0, "data": {"trades": rows}}), 99)

        assert found == [
            Trade("AAPL.US", NO_ID, 230.1, 5.0, Side.SELL, 1_700_000_000 * 10**9, 99),
            Trade("AAPL.US", NO_ID, 230.2, 6.0, Side.BUY, 1_700_000_000_500 * MS, 99),
        ]

    def test_the_code_tells_whatever_the_status(self) -> None:
        limited = json_of({"code": 3001, "message": "Rate limit exceeded"})

        assert self.history.limited(limited)
        assert not self.history.limited(json_of({"code": 0, "data": {}}))
        assert not self.history.limited(b"<html>")
        assert self.history.knows_not(ExchangeError("", content=json_of({"code": 2002})))
        with pytest.raises(ExchangeError, match="code 1002"):
            self.history.read_candles(json_of({"code": 1002, "message": "key"}))
        with pytest.raises(UnavailableError, match="code 5001"):
            self.history.read_candles(json_of({"code": 5001, "message": "busy"}))

    def test_candles_are_in_the_envelope(self) -> None:
        row = {"time": 60_000, "open": "1.10", "high": "1.3", "low": "1.0", "close": "1.2", "volume": "5"}
        (candle,) = self.history.read_candles(json_of({"code": 0, "data": {"klines": [row]}}))

        assert (candle.open_ns, candle.close, candle.trades) == (MINUTE_NS, Decimal("1.2"), None)

    def test_the_key_is_sent_along_and_never_in_the_address(self) -> None:
        assert self.history.headers("secret") == {"X-API-Key": "secret"}


@pytest.mark.parametrize("codec", HISTORIES)
@pytest.mark.parametrize("body", [b"", b"[", b"\xff", b"null", b'{"code":0}', b'[{"id":"x"}]', b"[" * 5000])
def test_an_answer_that_cannot_be_read_is_refused(codec: str, body: bytes) -> None:
    history = HISTORIES[codec]("https://x.example")

    with pytest.raises(ExchangeError):
        history.read_candles(body)


def test_minutes_are_asked_for_in_whole_pages() -> None:
    found = stretches(90 * 10**9, 10 * MINUTE_NS, 4)

    assert [(one.from_ns // MINUTE_NS, one.to_ns // MINUTE_NS) for one in found] == [(1, 5), (5, 9), (9, 10)]
