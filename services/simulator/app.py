"""The one place where the simulator's parts meet."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from functools import partial
from typing import Any, Final, cast

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry

from nightdesk import logs, metrics, settings
from nightdesk.calendars import exchange_spans
from nightdesk.errors import UnavailableError
from nightdesk.service import Pulse
from nightdesk.serving import MAX_HEAD_BYTES, BoundedBody, PatientProtocol
from services.simulator import metrics as simulator_metrics
from services.simulator.binance_rest import BinanceRest
from services.simulator.binance_socket import BinanceSocket
from services.simulator.connection import Connection
from services.simulator.doorman import Doorman, Language
from services.simulator.exchange import Exchange, Listing, Rates
from services.simulator.faults import Board
from services.simulator.hub import Hub
from services.simulator.injector import Injector
from services.simulator.instruments import instrument_of
from services.simulator.limits import Weights, Windows
from services.simulator.market import Market
from services.simulator.recording import answers_of, frames_of
from services.simulator.replay import Answers, Replay, ReplaySocket
from services.simulator.routes import binance, control, faults, health, problems, tickdb, truth
from services.simulator.routes import replay as replayed_rest
from services.simulator.scenario import Scenario, read
from services.simulator.sessions import Sessions
from services.simulator.settings import SimulatorSettings
from services.simulator.tampering import Tampering
from services.simulator.tickdb_rest import TickdbRest
from services.simulator.tickdb_socket import TickdbPublisher, TickdbSocket, speaks_tickdb

log = structlog.get_logger()

FIRST_ID_EPOCH_MS: Final = 1_577_836_800_000
IDS_PER_MS: Final = 10
"""Ids begin at tenths of milliseconds since 2020, so that a restarted simulator never goes back, like an exchange."""

XNYS: Final = "XNYS"
STOCK_RATES: Final = Rates(trades_per_s=8.0, quotes_per_s=10.0, depth_per_s=2.0, shape="flat")


def run(environ: Mapping[str, str]) -> None:
    """Serve until told to stop. Raises ConfigurationError."""
    chosen = settings.load(SimulatorSettings, environ)
    registry = metrics.service_registry("simulator")
    Pulse(logs.configure("simulator", chosen, registry=registry)).start()
    log.info("simulator.starting", port=chosen.simulator_port)
    serving = server(chosen, registry)
    serving.run()
    if not serving.started:
        raise UnavailableError(f"cannot listen on {chosen.listen_host}:{chosen.simulator_port}")


def server(
    chosen: SimulatorSettings, registry: CollectorRegistry, *, wall_ms: Callable[[], int] | None = None
) -> uvicorn.Server:
    """Return the server of everything: WebSocket, REST, control and health on one port."""
    parts = Parts(chosen, wall_ms or steady_wall_ms())
    return uvicorn.Server(
        uvicorn.Config(
            web(parts, registry),
            host=chosen.listen_host,
            port=chosen.simulator_port,
            http=PatientProtocol,
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            ws=cast("Any", lambda server_state, **_context: parts.connection(server_state.connections)),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
    )


class Parts:
    """Everything the simulator is made of, joined."""

    def __init__(self, chosen: SimulatorSettings, wall_ms: Callable[[], int]) -> None:
        self.chosen = chosen
        self.wall_ms = wall_ms
        self.board = Board()
        self.hub = Hub(Tampering(self.board))
        self.injector = Injector(board=self.board, hub=self.hub)
        self.replay = replay_of(chosen, self.hub)
        self.sessions = Sessions((XNYS,), exchange_spans)
        symbols = [] if self.replay else list(listings(chosen, self.sessions, wall_ms()))
        self.exchange = Exchange(symbols, hub=self.hub, board=self.board, wall_ms=wall_ms)
        self.exchange.before_step.append(scenario_of(chosen, self.exchange, self.injector).play)
        self._doorman = Doorman(
            hub=self.hub,
            board=self.board,
            languages=self._languages(),
            language_of=self._language_of,
            wall_ms=wall_ms,
            attempts_per_5min=chosen.simulator_connections_per_5min,
        )

    def connection(self, siblings: set[Connection]) -> Connection:
        """Return a new WebSocket connection."""
        return Connection(
            doorman=self._doorman,
            monotonic_s=time.monotonic,
            buffer_limit_bytes=self.chosen.simulator_buffer_bytes,
            siblings=siblings,
        )

    def work(self) -> list[Coroutine[None, None, None]]:
        """Return what runs for as long as the server does."""
        work = [self.exchange.run(), self.sessions.keep(self.wall_ms)]
        return [*work, self.replay.run()] if self.replay else work

    def _languages(self) -> dict[str, Language]:
        if self.replay:
            return {"replay": ReplaySocket(self.hub, self.replay)}
        tickdb_socket = TickdbSocket(self.exchange, want_sessions=self.sessions.want)
        self.exchange.publishers.append(TickdbPublisher(self.exchange).publish)
        self.exchange.before_step.append(tickdb_socket.ping)
        return {"binance": BinanceSocket(self.hub), "tickdb": tickdb_socket}

    def _language_of(self, path: str) -> str:
        if self.replay:
            return "replay"
        return "tickdb" if speaks_tickdb(path) else "binance"


def web(parts: Parts, registry: CollectorRegistry) -> FastAPI:
    """Return everything that is not a WebSocket; the market moves for as long as it runs."""
    simulator_metrics.register(registry, parts.exchange)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(work) for work in parts.work()]
        for task in tasks:
            task.add_done_callback(_report)
        log.info("simulator.started", symbols=list(parts.exchange.listings), replay=str(parts.chosen.simulator_replay))
        yield
        for task in tasks:
            task.cancel()
        log.info("simulator.stopped")
        logs.flush()  # uvicorn ends with the signal that it was sent

    app = FastAPI(title="Nightdesk simulator", lifespan=lifespan, redoc_url=None)
    problems.install(app)
    app.add_middleware(BoundedBody)
    replayed = parts.replay.state if parts.replay else lambda: None
    app.include_router(control.router(parts.exchange, parts.sessions, replayed))
    app.include_router(faults.router(parts.exchange, parts.injector))
    app.include_router(truth.router(parts.exchange))
    app.include_router(health.router(parts.exchange, registry, parts.wall_ms))
    for router in _rest(parts):
        app.include_router(router)
    return app


def _rest(parts: Parts) -> Iterator[APIRouter]:
    chosen = parts.chosen
    if chosen.simulator_replay:
        yield replayed_rest.router(Answers(answers_of(chosen.simulator_replay)))
        return
    weights = Weights(chosen.simulator_weight_per_minute)
    windows = Windows(chosen.simulator_tickdb_per_minute, 60.0)
    wall_s = lambda: parts.wall_ms() / 1000  # noqa: E731  one unit, three users
    binance_rest = BinanceRest(parts.exchange, weight_limit=chosen.simulator_weight_per_minute)
    yield binance.router(binance_rest, weights=weights, board=parts.board, wall_s=wall_s)
    rest = TickdbRest(parts.exchange)
    want = parts.sessions.want
    yield tickdb.router(rest, windows=windows, board=parts.board, wall_s=wall_s, want_sessions=want)


def _report(task: asyncio.Task[None]) -> None:
    """A part that failed ends the process: what supervises it starts it again."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("simulator.failed", exc_info=task.exception())
        signal.raise_signal(signal.SIGTERM)


def replay_of(chosen: SimulatorSettings, hub: Hub) -> Replay | None:
    """Return the replay of the settings, None without one. Raises ConfigurationError."""
    path, speed = chosen.simulator_replay, chosen.simulator_replay_speed
    if path is None:
        return None
    total = sum(1 for _ in frames_of(path))
    factor = None if speed == "max" else speed
    return Replay(frames_of(path), total=total, speed=factor, hub=hub, monotonic_s=time.monotonic)


def listings(chosen: SimulatorSettings, sessions: Sessions, now_ms: int) -> Iterator[Listing]:
    """Yield the symbols with their share of the rates."""
    first_id = (now_ms - FIRST_ID_EPOCH_MS) * IDS_PER_MS
    count = len(chosen.simulator_symbols)
    trades = chosen.simulator_trades_per_s
    rates = Rates(
        trades_per_s=None if trades == "max" else trades / count,
        quotes_per_s=chosen.simulator_quotes_per_s / count,
        depth_per_s=chosen.simulator_depth_per_s / count,
        shape=chosen.simulator_shape,
    )
    for symbol in (*chosen.simulator_symbols, *chosen.simulator_stocks):
        instrument = instrument_of(symbol)
        market = Market(
            instrument,
            seed=chosen.simulator_seed,
            first_id=first_id,
            history_trades=chosen.simulator_history_trades,
        )
        is_open = partial(sessions.is_open, instrument.calendar)
        yield Listing(market=market, rates=rates if instrument.always_open else STOCK_RATES, is_open=is_open)


def scenario_of(chosen: SimulatorSettings, exchange: Exchange, injector: Injector) -> Scenario:
    """Return the scenario of the settings, empty without one. Raises ConfigurationError."""
    path = chosen.simulator_scenario
    planned = read(path, frozenset(exchange.listings)) if path else []
    return Scenario(planned, begins_ms=exchange.opened_ms, inject=injector.inject)


def steady_wall_ms() -> Callable[[], int]:
    """Return a clock of Unix milliseconds that never steps back."""
    ahead_ns = time.time_ns() - time.monotonic_ns()
    return lambda: (time.monotonic_ns() + ahead_ns) // 1_000_000
