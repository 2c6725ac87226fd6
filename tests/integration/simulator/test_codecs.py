"""The collector's codecs understand every word the simulator says."""

import json
import threading
import time
from collections.abc import Iterator

import pytest
import requests
from websockets.sync.client import connect

from nightdesk.errors import CodecError
from nightdesk.ticks import AggTrade, Depth, Kind, Kline, Quote, Tick, Trade
from services.collector.codec import Codec, Fetch, Rollover, Send, Subscription
from services.collector.feeds import CODECS
from tests.integration.simulator.serving import TIMEOUT_S, Running, simulator

pytestmark = pytest.mark.slow

KINDS = frozenset({Kind.TRADE, Kind.AGG_TRADE, Kind.QUOTE, Kind.DEPTH, Kind.KLINE})


@pytest.fixture(scope="module")
def exchange() -> Iterator[Running]:
    with simulator() as running:
        running.post("/sim/session", {"open": True})
        yield running


class Listening:
    """One connection of a codec, driven the slow and obvious way."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.ticks: list[Tick] = []
        self.controls: list[object] = []
        self.refused: list[CodecError] = []

    def listen(self, seconds: float) -> "Listening":
        with connect(self.codec.url(), max_size=None) as client:
            for text in self.codec.opening():
                client.send(text)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                raw = client.recv(TIMEOUT_S)
                for answer in self._take(str(raw).encode()):
                    client.send(answer)
        return self

    def of(self, kind: type[Tick]) -> list[Tick]:
        return [tick for tick in self.ticks if type(tick) is kind]

    def _take(self, raw: bytes) -> list[str]:
        try:
            ticks, controls = self.codec.receive(raw, time.time_ns())
        except CodecError as error:
            self.refused.append(error)
            return []
        self.ticks += ticks
        self.controls += controls
        for fetch in [one for one in controls if isinstance(one, Fetch)]:
            body = requests.get(fetch.url, headers=dict(fetch.headers), timeout=TIMEOUT_S).content
            self.ticks += self.codec.fetched(fetch.key, body, time.time_ns())[0]
        return [one.text for one in controls if isinstance(one, Send)]


def binance(exchange: Running, *symbols: str) -> Listening:
    subscription = Subscription(
        feed="simulator",
        ws_url=exchange.ws,
        rest_url=exchange.rest,
        symbols=symbols,
        kinds=KINDS,
    )
    return Listening(CODECS["binance"](subscription))


def test_binances_codec_reads_every_kind(exchange: Running) -> None:
    heard = binance(exchange, "BTCUSDT", "XRPUSDT").listen(3.0)

    assert heard.refused == []
    assert heard.codec.ready()
    for kind in (Trade, AggTrade, Quote, Depth, Kline):
        assert {getattr(tick, "symbol", "") for tick in heard.of(kind)} == {"BTCUSDT", "XRPUSDT"}
    ids = [tick.trade_id for tick in heard.of(Trade) if isinstance(tick, Trade) and tick.symbol == "BTCUSDT"]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


def test_binances_codec_hears_of_a_rollover(exchange: Running) -> None:
    def announce() -> None:
        exchange.until(lambda: exchange.state()["connected"])
        exchange.fault("rollover", seconds=60)

    thread = threading.Thread(target=announce)
    thread.start()
    heard = binance(exchange, "BTCUSDT").listen(2.0)
    thread.join()
    exchange.clear_faults()

    assert any(isinstance(one, Rollover) for one in heard.controls)


@pytest.mark.parametrize("fault", ["garbage", "truncated", "wrong_types"])
def test_binances_codec_refuses_what_is_broken_and_goes_on(exchange: Running, fault: str) -> None:
    exchange.fault(fault, symbol="BTCUSDT", count=3)
    heard = binance(exchange, "BTCUSDT").listen(1.5)

    assert len(heard.refused) == 3
    assert heard.of(Trade)


@pytest.mark.parametrize(
    ("dialect", "path"), [("cmd", "/v1/realtime"), ("params", "/v1/market"), ("query", "/v1/market/ws")]
)
def test_tickdbs_codec_reads_every_dialect(exchange: Running, dialect: str, path: str) -> None:
    subscription = Subscription(
        feed="tickdb",
        ws_url=exchange.ws + path,
        rest_url=exchange.rest,
        symbols=("AAPL.US", "BTCUSDT"),
        kinds=frozenset({Kind.TRADE, Kind.QUOTE, Kind.DEPTH}),
        dialect=dialect,
        api_key="k",
    )
    heard = Listening(CODECS["tickdb"](subscription)).listen(2.5)

    assert heard.refused == []
    assert heard.codec.ready()
    for kind in (Trade, Depth):
        assert {getattr(tick, "symbol", "") for tick in heard.of(kind)} == {"AAPL.US", "BTCUSDT"}
    assert heard.of(Quote)


def test_tickdbs_codec_hears_why_it_is_refused(exchange: Running) -> None:
    with connect(exchange.ws + "/v1/realtime?api_key=expired") as client:
        answer = json.loads(client.recv(TIMEOUT_S))

    assert answer["code"] == 1001
