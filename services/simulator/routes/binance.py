"""Binance's REST over HTTP: the weight header, 429 and 418."""

import json
import math
from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from services.simulator.binance_rest import BinanceRest, RefusedError
from services.simulator.limits import Verdict, Weights

USED_WEIGHT = "X-MBX-USED-WEIGHT-1M"


def router(rest: BinanceRest, *, weights: Weights, wall_s: Callable[[], float]) -> APIRouter:
    """Return the routes below ``/api/v3``."""
    routes = APIRouter(tags=["Binance"])

    @routes.get("/api/v3/{name}")
    async def answer(name: str, request: Request) -> Response:
        """Answer one of Binance's market data endpoints."""
        params = dict(request.query_params)
        route = rest.routes.get(name)
        if route is None:
            return _json(404, {"code": -1000, "msg": f"unknown path /api/v3/{name}"[:200]}, {})
        try:
            verdict = weights.spend(_address(request), route.weight(params), wall_s())
            if verdict.status:
                return _refused(verdict, weights.limit)
            return _json(200, route.answer(params), {USED_WEIGHT: str(verdict.used)})
        except RefusedError as error:
            return _json(400, {"code": error.code, "msg": error.text}, {})

    return routes


def _refused(verdict: Verdict, limit: int) -> Response:
    headers = {USED_WEIGHT: str(verdict.used), "Retry-After": str(max(1, math.ceil(verdict.retry_after_s)))}
    text = f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE."
    return _json(verdict.status, {"code": -1003, "msg": text}, headers)


def _json(status: int, body: object, headers: dict[str, str]) -> Response:
    text = json.dumps(body, separators=(",", ":"))
    return Response(text, status, headers, media_type="application/json")


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"
