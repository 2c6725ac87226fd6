"""The jobs' one composition root: a worker of RQ, which starts a process for every run."""

import logging
import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Gauge
from rq.serializers import JSONSerializer

from nightdesk import logs, streams
from nightdesk.clock import Clock
from nightdesk.errors import UnavailableError
from nightdesk.health import HealthServer, Part, Status
from nightdesk.metrics import service_registry
from nightdesk.runs import QUEUE
from nightdesk.service import Pulse, Watchdog
from nightdesk.settings import load
from services.jobs.runner import catalogue
from services.jobs.runner.worker import RunWorker
from services.jobs.settings import JobsSettings

log = structlog.get_logger()

SERVICE: Final = "jobs"
MONITOR_S: Final = 5
"""How often a worker looks after its run's process and says that it lives."""

WORKER_TTL_S: Final = 30
"""A worker that says nothing for a minute more is none: RQ adds that minute."""

SILENT_S: Final = 45.0
MAINTENANCE_S: Final = 30
STUCK_S: Final = 300.0


def run(environ: Mapping[str, str]) -> None:
    """Work until SIGTERM; a run under way goes back to the queue."""
    settings = load(JobsSettings, environ)
    registry = service_registry(SERVICE)
    Pulse(logs.configure(SERVICE, settings, registry=registry)).start()
    log.info("jobs.starting", jobs=catalogue.names())
    logging.getLogger("rq.worker").setLevel(logging.WARNING)
    password = settings.redis_password.get_secret_value() if settings.redis_password else None
    redis = streams.connect(settings.redis_url, password)
    await_redis(redis.ping, time.sleep)
    worker = RunWorker(
        [QUEUE],
        name=f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}",
        connection=redis,
        serializer=JSONSerializer,
        job_monitoring_interval=MONITOR_S,
        worker_ttl=WORKER_TTL_S,
        maintenance_interval=MAINTENANCE_S,
    )
    health = Health(worker, registry, Clock())
    health.serve(settings.listen_host, settings.metrics_port)
    log.info("jobs.started", worker=worker.name)
    worker.work(logging_level="WARNING")
    health.close()
    log.info("jobs.stopped", worker=worker.name)


def await_redis(ping: Callable[[], object], sleep: Callable[[float], None]) -> None:
    """Wait until Redis answers: RQ's worker asks it for its name at once."""
    from redis.exceptions import RedisError  # noqa: PLC0415  the driver's word, translated here

    told = False
    while True:
        try:
            ping()
        except (RedisError, UnavailableError) as error:
            if not told:
                log.warning("redis.awaited", error=str(error))
            told = True
            sleep(1.0)
        else:
            return


class Health:
    """What the worker says about itself, and the end of one that is stuck."""

    def __init__(self, worker: RunWorker, registry: CollectorRegistry, clock: Clock) -> None:
        self._worker = worker
        self._registry = registry
        self._clock = clock
        self._watchdog = Watchdog(limit_s=STUCK_S, excused=self._moves)
        self._server: HealthServer | None = None
        progress = Gauge(
            "nightdesk_progress_timestamp_seconds", "When the worker last said that it lives, Unix time.", ["service"],
            registry=registry,
        )  # fmt: skip
        progress.labels(SERVICE).set_function(self._beat_s)
        busy = Gauge("nightdesk_job_worker_busy", "1 while this worker has a run.", registry=registry)
        busy.set_function(lambda: float(worker.horse_pid != 0))

    def serve(self, host: str, port: int) -> None:
        """Begin to answer and to watch."""
        self._server = HealthServer(
            service=SERVICE, host=host, port=port, registry=self._registry, parts=self.parts,
            alive=self._watchdog.alive, ready=self._moves,
        )  # fmt: skip
        self._server.start()
        self._watchdog.start()

    def close(self) -> None:
        """Stop answering; the worker ends as it should."""
        self._watchdog.close()
        if self._server is not None:
            self._server.stop()

    def parts(self) -> Sequence[Part]:
        """Return how the worker is."""
        age_s = self._age_s()
        moves = self._moves()
        what = "has a run" if self._worker.horse_pid else "waits for runs"
        return [
            Part(
                part="runs",
                status=Status.OK if moves else Status.DOWN,
                detail=what if moves else "has not said for a while that it lives; Redis may be away",
                age_s=age_s,
                threshold_s=SILENT_S,
                facts={"busy": self._worker.horse_pid != 0},
            )
        ]

    def _moves(self) -> bool:
        return self._age_s() < SILENT_S

    def _age_s(self) -> float:
        return max(0.0, self._clock.wall_ns() / 1e9 - self._beat_s())

    def _beat_s(self) -> float:
        beat = self._worker.last_heartbeat
        return beat.timestamp() if beat is not None else 0.0
