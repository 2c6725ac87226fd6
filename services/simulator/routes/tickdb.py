"""TickDB's REST over HTTP: the key, the envelope, and code 3001."""

import json
import math
from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from services.simulator.faults import Board, TickdbLimit
from services.simulator.limits import Windows
from services.simulator.routes.binance import retry_after
from services.simulator.tickdb import TickdbError
from services.simulator.tickdb_rest import TickdbRest
from services.simulator.tickdb_socket import check_key

STATUSES = {1: 401, 2: 400, 3: 429}
"""The HTTP status by the first digit of the code; clients are to look at the code."""


def router(
    rest: TickdbRest, *, windows: Windows, board: Board, wall_s: Callable[[], float], want_sessions: Callable[[], None]
) -> APIRouter:
    """Return the routes below ``/v1/market``."""
    routes = APIRouter(tags=["TickDB"])

    @routes.get("/v1/market/{name:path}")
    async def answer(name: str, request: Request) -> Response:
        """Answer one of TickDB's market data endpoints."""
        want_sessions()
        now_s = wall_s()
        limited = board.use(TickdbLimit, round(now_s * 1000))
        if limited is not None:
            return _limited(limited.status, retry_after(limited, now_s))
        key = request.headers.get("x-api-key", "")
        try:
            check_key(key)
            if not windows.admits(key, now_s):
                return _limited(429, str(math.ceil(windows.wait_s(key, now_s))))
            return _json(200, {"code": 0, "message": "success", "data": _found(rest, name)(dict(request.query_params))})
        except TickdbError as error:
            return _json(STATUSES[error.code // 1000], {"code": error.code, "message": error.text})

    return routes


def _found(rest: TickdbRest, name: str) -> Callable[[dict[str, str]], object]:
    found = rest.routes.get(name)
    if found is None:
        raise TickdbError(2001, f"unknown path /v1/market/{name}"[:200])
    return found


def _limited(status: int, wait: str) -> Response:
    return _json(status, {"code": 3001, "message": "Rate limit exceeded"}, {"Retry-After": wait})


def _json(status: int, body: object, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body, separators=(",", ":")), status, headers, media_type="application/json")
