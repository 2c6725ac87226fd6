"""How often and how long the api is asked, by route."""

import time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NO_ROUTE: Final = "none"
BUCKETS_S: Final = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0)


class Measure:
    """Count requests and their seconds; the route's template is the label, never the path asked for."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter("nightdesk_api_requests", "Requests answered.", ["route", "status"], registry=registry)
        self._seconds = Histogram(
            "nightdesk_api_request_seconds",
            "Seconds to answer.",
            ["route"],
            buckets=BUCKETS_S,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on and measure it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started_s = time.perf_counter()
        try:
            await self._app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", NO_ROUTE)
            self._requests.labels(route, f"{status // 100}xx").inc()
            self._seconds.labels(route).observe(time.perf_counter() - started_s)
