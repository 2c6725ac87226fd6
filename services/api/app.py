"""The api's one composition root."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import structlog
import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import RedirectResponse
from prometheus_client import CollectorRegistry, Gauge
from pydantic import SecretStr
from starlette.responses import Response
from starlette.types import Lifespan

from nightdesk import __version__, logs, problems
from nightdesk.metrics import service_registry
from nightdesk.service import Pulse, Watchdog, entry
from nightdesk.serving import SERVER, BoundedBody
from nightdesk.settings import load
from nightdesk.targets import parse_targets
from services.api import notices
from services.api.access import Gate, LoginNeeded, for_both
from services.api.attempts import Attempts
from services.api.clerk import Clerk, Record
from services.api.database import Database
from services.api.measure import Measure
from services.api.neighbour import Neighbour
from services.api.openapi import DESCRIPTION, SUMMARY, TAGS, TITLE, described
from services.api.routes import alerts, bars, gaps, health, orders, pages, reports, runs, ticks, trades
from services.api.routes import gate as gate_for_proxy
from services.api.routes import links as ack_pages
from services.api.routes import logs as log_reports
from services.api.routes import runbooks as runbook_pages
from services.api.routes import symbols as symbol_pages
from services.api.settings import ApiSettings
from services.api.streams import Streams
from services.api.survey.surveyor import ANSWER_S, Surveyor
from services.api.survey.watch import ticking, watch
from services.api.tidy import TidyQuery

log = structlog.get_logger()

SERVICE: Final = "api"

RUNBOOKS: Final = Path(__file__).resolve().parents[2] / "docs" / "runbooks"

STUCK_S: Final = 60.0
"""A survey takes three seconds whatever is down; an event loop without one for a minute is stuck."""

Rows: TypeAlias = Callable[[str, Mapping[str, object]], Awaitable[list[dict[str, object]]]]
Report: TypeAlias = Callable[[Iterable[str], Mapping[str, object]], Awaitable[dict[str, list[dict[str, object]]]]]


def main() -> None:
    """Run the api to its end."""
    entry(SERVICE, run)


def run(environ: Mapping[str, str]) -> None:
    """Serve until a signal says stop; raises ConfigurationError when the environment is wrong."""
    settings = load(ApiSettings, environ)
    registry = service_registry(SERVICE)
    Pulse(logs.configure(SERVICE, settings, registry=registry)).start()
    app = compose(settings, registry)
    # The survey says it once a question; the pool would say it once an attempt.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    log.info("api.starting", port=settings.api_port, token=settings.api_token is not None)
    uvicorn.run(app, host=settings.listen_host, port=settings.api_port, **SERVER)


def compose(settings: ApiSettings, registry: CollectorRegistry) -> FastAPI:
    """Return the api wired to its database, Redis and the other services."""
    database = Database(url=settings.database_url, password=_revealed(settings.database_password))
    streams = Streams(url=settings.redis_url, password=_revealed(settings.redis_password))
    clerk = Clerk(url=settings.database_url, password=_revealed(settings.clerk_password))
    surveyor = Surveyor(
        targets=parse_targets(settings.health_targets),
        leases=lambda: database.rows("leases", {}, within_s=ANSWER_S),
        redis=streams.look,
    )
    watchdog = Watchdog(limit_s=STUCK_S, excused=lambda: False)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await database.open()
        watching = asyncio.create_task(watch(survey=surveyor.survey, moved=watchdog.moved, ticks=ticking()))
        watchdog.start()
        yield
        watchdog.close()
        while not watching.done():  # while redis-py connects, a cancellation can get lost
            watching.cancel()
            await asyncio.wait({watching}, timeout=0.5)
        await streams.close()
        await database.close()
        log.info("api.stopped")
        logs.flush()  # uvicorn ends with the signal that it was sent

    return build(
        gate=Gate(
            token=_revealed(settings.api_token),
            login_token=_revealed(settings.login_token),
            secret=_session_secret(settings),
            wall_s=time.time,
            attempts=Attempts(time.monotonic),
        ),
        rows=database.rows,
        report=database.report,
        record=clerk.record,
        surveyor=surveyor,
        alerter=Neighbour(name="alerter", url=settings.alerter_url, token=_revealed(settings.alerter_token)),
        scheduler=Neighbour(name="scheduler", url=settings.scheduler_url, token=_revealed(settings.runs_token)),
        runbooks=RUNBOOKS,
        links={"grafana": settings.grafana_link, "prometheus": settings.prometheus_link},
        registry=registry,
        lifespan=lifespan,
    )


def build(
    *,
    gate: Gate,
    rows: Rows,
    report: Report,
    record: Record,
    surveyor: Surveyor,
    alerter: Neighbour,
    scheduler: Neighbour,
    runbooks: Path,
    links: Mapping[str, str],
    registry: CollectorRegistry,
    lifespan: Lifespan[FastAPI] | None = None,
) -> FastAPI:
    """Return the application over its ports."""
    app = Described(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.gate = gate
    app.state.rows = rows
    app.state.report = report
    app.state.record = record
    app.state.imports = asyncio.Semaphore(orders.AT_ONCE)
    app.state.surveyor = surveyor
    app.state.alerter = alerter
    app.state.scheduler = scheduler
    app.state.runbooks = runbooks
    app.state.links = dict(links)
    app.state.registry = registry
    problems.install(app, notices.shown)
    app.add_exception_handler(LoginNeeded, _to_login)
    app.include_router(health.router)
    for guarded in (
        ticks.router,
        bars.router,
        gaps.router,
        runs.router,
        alerts.router,
        reports.router,
        log_reports.router,
    ):
        app.include_router(guarded, dependencies=[Depends(for_both)])
    for of_orders in (orders.router, trades.router):
        app.include_router(of_orders, dependencies=[Depends(for_both)])
    of_pages = (pages.router, symbol_pages.router, runbook_pages.router, ack_pages.router)
    for guards_itself in (*of_pages, gate_for_proxy.router):
        app.include_router(guards_itself)
    app.add_middleware(TidyQuery)
    app.add_middleware(BoundedBody, larger=orders.BOUNDS)
    app.add_middleware(Measure, registry=registry)
    progress = Gauge(
        "nightdesk_progress_timestamp_seconds",
        "When the last survey was made, Unix time.",
        ["service"],
        registry=registry,
    )
    progress.labels(SERVICE).set_function(surveyor.last_unix_s)
    return app


class Described(FastAPI):
    """FastAPI with our own description of errors and of the token."""

    def openapi(self) -> dict[str, Any]:
        """Return the description, made once."""
        if self.openapi_schema is None:
            raw = get_openapi(
                title=TITLE,
                version=__version__,
                summary=SUMMARY,
                description=DESCRIPTION,
                tags=TAGS,
                routes=self.routes,
            )
            self.openapi_schema = described(raw)
        return self.openapi_schema


async def _to_login(_request: Request, wanted: Exception) -> Response:
    next_path = wanted.next_path if isinstance(wanted, LoginNeeded) else "/"
    return RedirectResponse(f"/login?{urlencode({'next': next_path})}", 303)


def _session_secret(settings: ApiSettings) -> str:
    """Return the secret that signs cookies; without one, a new one, which ends with the process."""
    return _revealed(settings.session_secret) or secrets.token_urlsafe(32)


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
