"""The one place where the simulator's parts meet."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, cast

import structlog
import uvicorn
from fastapi import FastAPI

from nightdesk import logs, metrics, settings
from services.simulator import metrics as simulator_metrics
from services.simulator.binance_rest import BinanceRest
from services.simulator.binance_socket import BinanceSocket
from services.simulator.connection import Connection
from services.simulator.doorman import Doorman
from services.simulator.exchange import Exchange, Listing, Rates
from services.simulator.faults import Board
from services.simulator.hub import Hub
from services.simulator.injector import Injector
from services.simulator.instruments import instrument_of
from services.simulator.limits import Weights
from services.simulator.market import Market
from services.simulator.routes import binance, control, health, problems, truth
from services.simulator.scenario import Scenario, read
from services.simulator.settings import SimulatorSettings
from services.simulator.tampering import Tampering

log = structlog.get_logger()

FIRST_ID_EPOCH_MS: Final = 1_577_836_800_000
IDS_PER_MS: Final = 10
"""Ids begin at tenths of milliseconds since 2020, so that a restarted simulator never goes back, like an exchange."""


def run(environ: Mapping[str, str]) -> None:
    """Serve until told to stop. Raises ConfigurationError."""
    chosen = settings.load(SimulatorSettings, environ)
    logs.configure(service="simulator", level=chosen.log_level, form=chosen.log_format)
    server(chosen).run()


def server(chosen: SimulatorSettings) -> uvicorn.Server:
    """Return the server of everything: WebSocket, REST, control and health on one port."""
    wall_ms = steady_wall_ms()
    board = Board()
    hub = Hub(Tampering(board))
    exchange = Exchange(listings(chosen, wall_ms()), hub=hub, board=board, wall_ms=wall_ms)
    injector = Injector(board=board, hub=hub)
    exchange.before_step.append(scenario_of(chosen, exchange, injector).play)
    doorman = Doorman(
        hub=hub,
        board=board,
        languages={"binance": BinanceSocket(hub)},
        language_of=lambda _path: "binance",
        wall_ms=wall_ms,
        attempts_per_5min=chosen.simulator_connections_per_5min,
    )
    connect = partial(
        Connection, doorman=doorman, monotonic_s=time.monotonic, buffer_limit_bytes=chosen.simulator_buffer_bytes
    )
    return uvicorn.Server(
        uvicorn.Config(
            web(chosen, exchange, injector, wall_ms),
            host=chosen.simulator_host,
            port=chosen.simulator_port,
            http="h11",
            ws=cast("Any", lambda **_context: connect()),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
    )


def web(chosen: SimulatorSettings, exchange: Exchange, injector: Injector, wall_ms: Callable[[], int]) -> FastAPI:
    """Return everything that is not a WebSocket; the market moves for as long as it runs."""
    registry = metrics.service_registry("simulator")
    simulator_metrics.register(registry, exchange)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        market = asyncio.create_task(exchange.run())
        log.info("simulator.started", symbols=list(exchange.listings))
        yield
        market.cancel()

    app = FastAPI(title="Nightdesk simulator", lifespan=lifespan, docs_url="/docs", redoc_url=None)
    problems.install(app)
    weights = Weights(chosen.simulator_weight_per_minute)
    rest = BinanceRest(exchange, weight_limit=chosen.simulator_weight_per_minute)
    app.include_router(binance.router(rest, weights=weights, board=exchange.board, wall_s=lambda: wall_ms() / 1000))
    app.include_router(control.router(exchange, injector, lambda: None))
    app.include_router(truth.router(exchange))
    app.include_router(health.router(exchange, registry, wall_ms))
    return app


def listings(chosen: SimulatorSettings, now_ms: int) -> Iterable[Listing]:
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
    for symbol in chosen.simulator_symbols:
        market = Market(
            instrument_of(symbol),
            seed=chosen.simulator_seed,
            first_id=first_id,
            history_trades=chosen.simulator_history_trades,
        )
        yield Listing(market=market, rates=rates, is_open=lambda _now_ms: True)


def scenario_of(chosen: SimulatorSettings, exchange: Exchange, injector: Injector) -> Scenario:
    """Return the scenario of the settings, empty without one. Raises ConfigurationError."""
    path = chosen.simulator_scenario
    planned = read(path, frozenset(exchange.listings)) if path else []
    return Scenario(planned, begins_ms=exchange.opened_ms, inject=injector.inject)


def steady_wall_ms() -> Callable[[], int]:
    """Return a clock of Unix milliseconds that never steps back."""
    ahead_ns = time.time_ns() - time.monotonic_ns()
    return lambda: (time.monotonic_ns() + ahead_ns) // 1_000_000
