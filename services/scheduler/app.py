"""The scheduler's one composition root."""

import json
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from nightdesk import __version__, logs, problems, streams
from nightdesk.bearer import guard
from nightdesk.calendars import read_closures, spans_in_child
from nightdesk.clock import Clock
from nightdesk.health import Status, report, worst
from nightdesk.metrics import service_registry
from nightdesk.schedule_config import Schedule, read_schedule
from nightdesk.service import Pulse, Watchdog, entry, exit_stuck
from nightdesk.serving import SERVER, SHUTDOWN_S, BoundedBody
from nightdesk.settings import load
from nightdesk.store.database import Connection, connect
from nightdesk.store.runs import RunRows
from services.scheduler import asking
from services.scheduler.clockwork import Clockwork
from services.scheduler.instants import SessionBook
from services.scheduler.keeping import Keeping
from services.scheduler.metrics import RunMetrics
from services.scheduler.queue import RunQueue
from services.scheduler.settings import SchedulerSettings

log = structlog.get_logger()

SERVICE: Final = "scheduler"
STUCK_S: Final = 60.0

STATEMENT_TIMEOUT_S: Final = 15


def main() -> None:
    """Run the scheduler to its end."""
    entry(SERVICE, run)


def run(environ: Mapping[str, str]) -> None:
    """Schedule until a signal says stop; raises ConfigurationError when the environment or the schedule is wrong."""
    settings = load(SchedulerSettings, environ)
    schedule = read_schedule(settings.schedule_config)
    registry = service_registry(SERVICE)
    Pulse(logs.configure(SERVICE, settings, registry=registry)).start()
    app = Scheduler(settings, schedule, registry, Clock()).app()
    log.info("scheduler.starting", jobs=sorted(schedule.jobs))
    uvicorn.run(app, host=settings.listen_host, port=settings.metrics_port, **SERVER)


class Scheduler:
    """Everything the scheduler is made of, put together."""

    def __init__(
        self, settings: SchedulerSettings, schedule: Schedule, registry: CollectorRegistry, clock: Clock
    ) -> None:
        self._settings = settings
        self._schedule = schedule
        self._registry = registry
        self._stopping = threading.Event()
        self._watchdog = Watchdog(limit_s=STUCK_S, excused=lambda: False)
        password = settings.redis_password.get_secret_value() if settings.redis_password else None
        queue = RunQueue(streams.connect(settings.redis_url, password))
        turning, self._asked = RunRows(self._connect("turns")), RunRows(self._connect("requests"))
        sessions = SessionBook(
            spans_in_child,
            read_closures(settings.calendars_config),
            time.time,
            ThreadPoolExecutor(1, thread_name_prefix="calendars"),
        )
        metrics = RunMetrics(schedule)
        registry.register(metrics)
        progress = Gauge(
            "nightdesk_progress_timestamp_seconds", "When the last turn succeeded, Unix time.", ["service"],
            registry=registry,
        ).labels(SERVICE)  # fmt: skip
        self._keeping = Keeping(
            clockwork=Clockwork(
                schedule=schedule, rows=turning, queue=queue, sessions=sessions, random=random.random
            ),
            rows=turning,
            queue=queue,
            metrics=metrics,
            jobs=list(schedule.jobs),
            watchdog=self._watchdog,
            now_s=clock.monotonic_s,
            on_progress=lambda: progress.set(time.time()),
        )  # fmt: skip

    def app(self) -> FastAPI:
        """Return the application, which turns while it serves."""
        app = Described(
            docs_url=None, redoc_url=None, openapi_url=None, lifespan=self._lifespan,
            generate_unique_id_function=lambda route: route.name,
        )  # fmt: skip
        app.state.schedule, app.state.rows = self._schedule, self._asked
        problems.install(app)
        guarded = guard(self._settings.runs_token.get_secret_value(), "RUNS_TOKEN", realm="nightdesk scheduler")
        app.include_router(asking.router, dependencies=[Depends(guarded)], responses=problems.responses(WHY))
        app.add_api_route("/health", self._health, include_in_schema=False)
        app.add_api_route("/livez", self._livez, include_in_schema=False)
        app.add_api_route("/readyz", self._readyz, include_in_schema=False)
        app.add_api_route("/metrics", self._metrics, include_in_schema=False)
        app.add_middleware(BoundedBody)
        return app

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        turning = threading.Thread(target=self._turn, name="turns", daemon=True)
        self._watchdog.start()
        turning.start()
        yield
        self._watchdog.close()
        self._stopping.set()
        turning.join(SHUTDOWN_S)
        self._asked.close()
        log.info("scheduler.stopped")
        logs.flush()  # uvicorn ends with the signal that it was sent

    def _turn(self) -> None:
        try:
            self._keeping.run(self._stopping)
        except BaseException as error:
            log.critical("scheduler.failed", exc_info=error)
            exit_stuck()

    async def _health(self, _request: Request) -> Response:
        parts = self._keeping.parts()
        status = 503 if worst(parts) is Status.DOWN else 200
        return Response(json.dumps(report(SERVICE, parts)), status, media_type="application/json")

    async def _livez(self, _request: Request) -> PlainTextResponse:
        alive = self._watchdog.alive()
        return PlainTextResponse("ok\n" if alive else "no\n", 200 if alive else 503)

    async def _readyz(self, _request: Request) -> PlainTextResponse:
        ready = self._keeping.ready()
        return PlainTextResponse("ok\n" if ready else "no turn has succeeded lately\n", 200 if ready else 503)

    async def _metrics(self, _request: Request) -> Response:
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    def _connect(self, role: str) -> Callable[[], Connection]:
        password = self._settings.database_password
        return lambda: connect(
            self._settings.database_url,
            password.get_secret_value() if password else None,
            name=f"{SERVICE}/{role}",
            settings={"statement_timeout": str(STATEMENT_TIMEOUT_S * 1000), "lock_timeout": "5000"},
        )


WHY: Final = {
    400: "the body is no text",
    401: "no token, or not the token",
    408: "the body did not arrive in time",
    409: "the idempotency key belongs to another request",
    413: "the body is larger than any that makes sense",
    422: "a field is wrong; `errors` names each",
    503: "the database does not answer; ask again with the same idempotency key",
}


class Described(FastAPI):
    """FastAPI with our own description of errors."""

    def openapi(self) -> dict[str, Any]:
        """Return the description, made once."""
        if self.openapi_schema is None:
            raw = get_openapi(title="Nightdesk scheduler", version=__version__, routes=self.routes)
            self.openapi_schema = problems.described(raw)
        return self.openapi_schema
