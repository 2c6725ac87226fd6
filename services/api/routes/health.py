"""How everything is; open to all, quick whatever is down."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from nightdesk.health import Status
from services.api.models import HealthState
from services.api.survey.survey import Survey
from services.api.survey.verdict import Verdict, line, verdict

PLAIN: Final[dict[str, Any]] = {"text/plain": {"schema": {"type": "string"}}}

router = APIRouter(tags=["health"])


@router.get(
    "/health",
    response_model=HealthState,
    summary="How everything is",
    responses={
        200: {"description": "ok or degraded", "content": PLAIN},
        503: {"description": "a part is down", "model": HealthState, "content": PLAIN},
    },
)
async def health(
    request: Request,
    *,
    text: bool = Query(default=False, description="one plain line a part instead of JSON"),
) -> Response:
    """Ask every service and the database at once (at most once a second) and sum their answers up.

    The worst part decides: `ok`, `degraded` (something needs a look, data flows) or `down`. The bottleneck is the part
    before which ticks pile up.
    """
    survey: Survey = await request.app.state.surveyor.survey()
    found = verdict(survey)
    status = 503 if found.status is Status.DOWN else 200
    if text:
        return PlainTextResponse(as_text(found), status)
    return Response(as_json(found, survey.unix_s), status, media_type="application/json")


@router.get("/livez", response_class=PlainTextResponse, summary="Is the api itself alive?")
async def livez() -> str:
    """Answer at once: the event loop turns."""
    return "ok\n"


@router.get(
    "/readyz",
    response_class=PlainTextResponse,
    summary="Can the api answer questions about ticks?",
    responses={503: {"description": "the database does not answer", "content": {"text/plain": {}}}},
)
async def readyz(request: Request) -> PlainTextResponse:
    """Say whether the database answered the latest survey."""
    survey: Survey = await request.app.state.surveyor.survey()
    problem = survey.database.problem
    return PlainTextResponse("ok\n" if problem is None else f"{problem}\n", 200 if problem is None else 503)


@router.get("/metrics", response_class=PlainTextResponse, summary="The api's own metrics for Prometheus")
async def metrics(request: Request) -> Response:
    """Return the api's figures in Prometheus's text format."""
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)


# Many uptime monitors ask with HEAD.
for _path, _answer in (("/health", health), ("/livez", livez), ("/readyz", readyz)):
    router.head(_path, include_in_schema=False)(_answer)


def as_text(found: Verdict) -> str:
    """Return the verdict as plain lines."""
    return "\n".join([found.status.value, *(line(part) for part in found.parts), found.bottleneck.detail, ""])


def as_json(found: Verdict, unix_s: float) -> str:
    """Return the verdict as JSON that is read by people, too."""
    body = {
        "service": "api",
        "status": found.status.value,
        "at": datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds"),
        "bottleneck": {
            "part": found.bottleneck.part,
            "feed": found.bottleneck.feed,
            "detail": found.bottleneck.detail,
        },
        "parts": [part.as_json() for part in found.parts],
    }
    return json.dumps(body, indent=2) + "\n"
