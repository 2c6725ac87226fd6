"""Binance's REST over HTTP: the weight header, 429 and 418."""

import json
import math
from collections.abc import Callable
from email.utils import formatdate
from typing import Final

from fastapi import APIRouter, Request, Response

from services.simulator.binance_rest import BinanceRest, RefusedError
from services.simulator.faults import Board, Limited, RateLimit
from services.simulator.limits import Weights

USED_WEIGHT: Final = "X-MBX-USED-WEIGHT-1M"


def router(rest: BinanceRest, *, weights: Weights, board: Board, wall_s: Callable[[], float]) -> APIRouter:
    """Return the routes below ``/api/v3``."""
    routes = APIRouter(tags=["Binance"])

    @routes.get("/api/v3/{name}")
    async def answer(name: str, request: Request) -> Response:
        """Answer one of Binance's market data endpoints."""
        limited = board.use(RateLimit, round(wall_s() * 1000))
        if limited is not None:
            return _refused(limited.status, weights.limit, retry_after(limited, wall_s()))
        params = dict(request.query_params)
        route = rest.routes.get(name)
        if route is None:
            return _json(404, {"code": -1000, "msg": f"unknown path /api/v3/{name}"[:200]}, {})
        try:
            verdict = weights.spend(_address(request), route.weight(params), wall_s())
            if verdict.status:
                seconds = str(max(1, math.ceil(verdict.retry_after_s)))
                return _refused(verdict.status, weights.limit, seconds, verdict.used)
            return _json(200, route.answer(params), {USED_WEIGHT: str(verdict.used)})
        except RefusedError as error:
            return _json(400, {"code": error.code, "msg": error.text}, {})

    return routes


def retry_after(limited: Limited, now_s: float) -> str:
    """Return the value of ``Retry-After`` in the form the fault asks for."""
    if limited.form == "date":
        return formatdate(now_s + limited.retry_after_s, usegmt=True)
    return str(limited.retry_after_s)


def _refused(status: int, limit: int, wait: str, used: int | None = None) -> Response:
    text = f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE."
    headers = {USED_WEIGHT: str(limit + 1 if used is None else used), "Retry-After": wait}
    return _json(status, {"code": -1003, "msg": text}, headers)


def _json(status: int, body: object, headers: dict[str, str]) -> Response:
    text = json.dumps(body, separators=(",", ":"))
    return Response(text, status, headers, media_type="application/json")


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"
