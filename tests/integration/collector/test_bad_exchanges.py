"""A session with the Binance codec on a real server that misbehaves in every known way, connection by connection."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pytest
from prometheus_client import CollectorRegistry
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from nightdesk.clock import Clock
from nightdesk.errors import UnavailableError
from nightdesk.ticks import EventName, Kind
from services.collector.codec import Fetch, Subscription
from services.collector.feeds.binance import BinanceCodec
from services.collector.link import Cause
from services.collector.session import Policy, Session
from services.collector.tally import SessionMetrics, Tally
from services.collector.transport import Connect
from services.collector.transports import TRANSPORTS
from tests.unit.services.collector.fakes import FakeSink

pytestmark = pytest.mark.timeout(30)

Behaviour = Callable[[ServerConnection], Awaitable[None]]


def a_trade(trade_id: int) -> str:
    data = {"e": "trade", "E": 1, "s": "BTCUSDT", "t": trade_id, "p": "1.5", "q": "2", "T": 1, "m": False}
    return json.dumps({"stream": "btcusdt@trade", "data": data})


async def confirm(exchange: ServerConnection) -> None:
    asked = json.loads(await exchange.recv())
    await exchange.send(json.dumps({"result": None, "id": asked["id"]}))


async def accept_then_close(exchange: ServerConnection) -> None:
    await exchange.close(1000)


async def stay_mute(exchange: ServerConnection) -> None:
    await exchange.wait_closed()


async def send_garbage(exchange: ServerConnection) -> None:
    await confirm(exchange)
    await exchange.send(b"\x00\xff\xfe")
    await exchange.send(a_trade(1)[:-20])
    await exchange.send('{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","t":"one"}}')
    await exchange.send("[" * 5000)
    await exchange.send(a_trade(2))
    await exchange.close(1008, "policy")


async def cut(exchange: ServerConnection) -> None:
    await confirm(exchange)
    await exchange.send(a_trade(3))
    exchange.transport.abort()


async def behave_well(exchange: ServerConnection) -> None:
    await confirm(exchange)
    await exchange.send(a_trade(4))
    await exchange.wait_closed()


class Exchange:
    """Behaves differently on each connection; the last behaviour stays."""

    def __init__(self, *behaviours: Behaviour, refusals: int = 0) -> None:
        self._behaviours = list(behaviours)
        self._refusals = refusals

    async def handle(self, connection: ServerConnection) -> None:
        behave = self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
        await behave(connection)

    def admit(self, _connection: ServerConnection, _request: Request) -> Response | None:
        if self._refusals == 0:
            return None
        self._refusals -= 1
        headers = Headers({"Retry-After": "0.05", "Content-Length": "0"})
        return Response(HTTPStatus.TOO_MANY_REQUESTS, "slow down", headers, b"")


async def no_rest(_fetch: Fetch) -> bytes:
    raise UnavailableError("no REST here")


@pytest.fixture(params=sorted(TRANSPORTS))
def connect(request: pytest.FixtureRequest) -> Connect:
    return TRANSPORTS[request.param]


async def collect_until(
    exchange: Exchange, connect: Connect, done: Callable[[FakeSink], bool]
) -> tuple[FakeSink, CollectorRegistry]:
    sink, registry = FakeSink(), CollectorRegistry()
    async with serve(exchange.handle, "127.0.0.1", 0, process_request=exchange.admit) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        subscription = Subscription(
            feed="f",
            ws_url=f"ws://127.0.0.1:{port}",
            rest_url=f"http://127.0.0.1:{port}",
            symbols=("BTCUSDT",),
            kinds=frozenset({Kind.TRADE}),
        )
        session = Session(
            feed="f",
            symbols=subscription.symbols,
            new_codec=lambda: BinanceCodec(subscription),
            connect=connect,
            rest=no_rest,
            sink=sink,
            tally=Tally("f", dict.fromkeys(subscription.symbols, "24/7"), list(Cause), SessionMetrics(registry)),
            policy=Policy(reconnect_base_s=0.01, reconnect_max_s=0.05, silence_s=0.5),
            clock=Clock(),
            random=random.random,
        )
        task = asyncio.create_task(session.run())
        while not done(sink):  # noqa: ASYNC110  the server has a pace of its own
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return sink, registry


def test_the_session_outlives_every_misbehaviour_and_says_what_each_was(connect: Connect) -> None:
    exchange = Exchange(accept_then_close, stay_mute, send_garbage, cut, behave_well, refusals=2)
    sink, registry = asyncio.run(collect_until(exchange, connect, lambda sink: 4 in sink.ids("BTCUSDT")))

    def ended(cause: str) -> float | None:
        return registry.get_sample_value("nightdesk_feed_disconnects_total", {"feed": "f", "cause": cause})

    assert sink.ids("BTCUSDT") == [2, 3, 4]
    causes = sink.said(EventName.DISCONNECTED)
    assert causes[0].startswith("closed by the exchange with code 1000")
    assert causes[1].startswith("connected but mute")
    assert causes[2] == "closed by the exchange with code 1008: policy"
    assert causes[3].startswith("connection lost")
    assert causes[4] == "collector stopped"
    assert [ended(cause) for cause in ("rate_limited", "closed", "mute", "lost", "stopped")] == [2, 2, 1, 1, 1]


def test_every_unreadable_message_is_counted_by_its_reason(connect: Connect) -> None:
    exchange = Exchange(send_garbage, behave_well)
    _, registry = asyncio.run(collect_until(exchange, connect, lambda sink: 4 in sink.ids("BTCUSDT")))

    def rejected(reason: str) -> float:
        return registry.get_sample_value("nightdesk_feed_rejected_total", {"feed": "f", "reason": reason}) or 0

    assert sum(rejected(reason) for reason in ("not_json", "wrong_shape", "unknown_type")) == 4
    assert rejected("codec_failure") == 0


def test_each_connection_is_announced_before_its_first_tick(connect: Connect) -> None:
    exchange = Exchange(cut, cut, behave_well)
    sink, _ = asyncio.run(collect_until(exchange, connect, lambda sink: 4 in sink.ids("BTCUSDT")))
    kinds = ["tick" if not hasattr(tick, "name") else str(tick.name) for tick in sink.taken]

    assert kinds == ["connected", "tick", "disconnected"] * 3
