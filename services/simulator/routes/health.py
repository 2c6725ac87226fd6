"""``/livez``, ``/readyz``, ``/health`` and ``/metrics`` on the exchange's own port."""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from nightdesk.health import Part, Status, report
from services.simulator.exchange import Exchange

LATE_MS = 5_000


def router(exchange: Exchange, registry: CollectorRegistry, wall_ms: Callable[[], int]) -> APIRouter:
    """Return the routes every service has."""
    routes = APIRouter(tags=["Health"])

    def late_ms() -> int:
        return wall_ms() - exchange.now_ms

    @routes.get("/livez")
    @routes.get("/readyz")
    async def probe() -> PlainTextResponse:
        """Say whether the market keeps up with the clock."""
        moving = late_ms() < LATE_MS
        return PlainTextResponse("ok\n" if moving else "no\n", 200 if moving else 503)

    @routes.get("/health")
    async def health() -> JSONResponse:
        """Say how the market and its clients are."""
        part = market_part(exchange, late_ms())
        return JSONResponse(report("simulator", [part]), 503 if part.status is Status.DOWN else 200)

    @routes.get("/metrics")
    async def metrics(request: Request) -> Response:
        """Return the figures for Prometheus."""
        encoder, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encoder(registry), headers={"Content-Type": content_type})

    return routes


def market_part(exchange: Exchange, late_ms: int) -> Part:
    """Return the market's own part of ``/health``."""
    clients = len(exchange.hub.listeners)
    state = "moving" if exchange.running else "stopped by request"
    return Part(
        part="market",
        status=Status.OK if late_ms < LATE_MS else Status.DOWN,
        detail=f"{len(exchange.listings)} symbols {state}, {clients} clients",
        age_s=max(0, late_ms) / 1000,
        threshold_s=LATE_MS / 1000,
        facts={"messages_sent": exchange.hub.messages_sent, "connections": clients, "running": exchange.running},
    )
