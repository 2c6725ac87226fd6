"""How the alerter is; open to all."""

import json

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from nightdesk.health import Status, report, worst

router = APIRouter(tags=["health"], include_in_schema=False)


@router.get("/health")
async def health(request: Request) -> Response:
    """Return the parts."""
    parts = request.app.state.parts()
    status = 503 if worst(parts) is Status.DOWN else 200
    return Response(json.dumps(report("alerter", parts)), status, media_type="application/json")


@router.get("/livez")
async def livez(request: Request) -> PlainTextResponse:
    """Say whether progress was made lately."""
    alive = request.app.state.alive()
    return PlainTextResponse("ok\n" if alive else "no\n", 200 if alive else 503)


@router.get("/readyz")
async def readyz(request: Request) -> PlainTextResponse:
    """Say whether it is known what fires."""
    ready = request.app.state.desk.is_ready
    return PlainTextResponse("ok\n" if ready else "no sure answer of Prometheus yet\n", 200 if ready else 503)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Return the figures in Prometheus's text format."""
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)
