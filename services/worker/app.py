"""The worker: commit what the streams carry, with however many other workers there are."""

import os
import random
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from prometheus_client import CollectorRegistry

from nightdesk import logs, service, streams
from nightdesk.clock import Clock
from nightdesk.consumer import Loop
from nightdesk.errors import ConfigurationError, UnavailableError
from nightdesk.feeds_config import FeedConfig, load_feeds
from nightdesk.health import HealthServer
from nightdesk.leases import Keeper
from nightdesk.metrics import service_registry
from nightdesk.settings import load
from nightdesk.shards import consumer_name, shard_of, stream_key
from nightdesk.store.database import Connection, HinderedError, connect
from nightdesk.store.leases import LeaseRows
from nightdesk.store.store import Store
from nightdesk.store.time import DatabaseTime
from services.worker.housekeeping import Housekeeping
from services.worker.metrics import WorkerMetrics
from services.worker.observer import Observer
from services.worker.settings import WorkerSettings

log = structlog.get_logger()

SERVICE: Final = "worker"
KIND: Final = "store"
STUCK_S: Final = 60.0
STATEMENT_TIMEOUT_S: Final = 60
LOCK_TIMEOUT_S: Final = 5
"""Whoever locks a table for longer holds up the shards that write to it, and no others."""


def run(environ: Mapping[str, str], observer: type[Observer] = Observer) -> None:
    """Run until SIGTERM or SIGINT; the transaction in hand is finished and the leases are released."""
    settings = load(WorkerSettings, environ)
    feeds = load_feeds(settings.feeds_config, environ)
    registry = service_registry(SERVICE)
    service.Pulse(logs.configure(SERVICE, settings, registry=registry)).start()
    log.info("worker.starting", feeds=sorted(feeds))
    stopping = threading.Event()
    threading.excepthook = _end
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    Worker(settings, feeds, Clock(), stopping, registry=registry, observer=observer).run()


def _end(failure: threading.ExceptHookArgs) -> None:
    """End the process when a thread fails: without its keeper a worker would wait for ever."""
    try:
        log.critical("thread.failed", thread=failure.thread.name if failure.thread else "", exc_info=failure.exc_value)
    finally:  # a log that cannot be written may be what failed
        service.exit_stuck()


class Worker:
    """Everything a worker is made of, put together."""

    def __init__(
        self, settings: WorkerSettings, feeds: Mapping[str, FeedConfig], clock: Clock, stopping: threading.Event,
        *, registry: CollectorRegistry, observer: type[Observer],
    ) -> None:  # fmt: skip
        self._settings = settings
        self._feeds = feeds
        self._stopping = stopping
        self._name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        metrics = WorkerMetrics(registry, feeds)
        self._watchdog = service.Watchdog(limit_s=STUCK_S, excused=self._excused)
        self._observer = observer(
            metrics=metrics, watchdog=self._watchdog, now_s=clock.monotonic_s, wall_ns=clock.wall_ns
        )
        time = DatabaseTime(wall_ns=clock.wall_ns, monotonic_ns=clock.monotonic_ns)
        self._rows = LeaseRows(
            worker=self._name, lease_s=settings.lease_seconds, connect=self._connect("keeper"), on_time=time.said
        )
        self._keeper = Keeper(
            worker=self._name,
            leases=self._rows,
            lease_s=settings.lease_seconds,
            now_s=clock.monotonic_s,
            on_takeover=self._observer.taken_over,
            on_renewed=self._observer.database_answered,
        )
        self._store = Store(
            worker=self._name,
            connect=self._connect("store"),
            now_ns=time.now_ns,
            retention_days=settings.retention_days,
            on_commit=self._observer.committed,
        )
        password = settings.redis_password.get_secret_value() if settings.redis_password else None
        self._streams = streams.RedisStreams(streams.connect(settings.redis_url, password))
        self._loop = Loop(
            keeper=self._keeper,
            streams=self._streams,
            store=self._store,
            leases=self._rows,
            watch=self._observer,
            now_s=clock.monotonic_s,
            random=random.random,
            stopping=stopping,
        )
        self._housekeeping = Housekeeping(
            loop=self._loop, store=self._store, streams=self._streams, observer=self._observer, feeds=list(feeds),
            now_s=clock.monotonic_s,
        )  # fmt: skip
        self._health = HealthServer(
            service=SERVICE,
            host=settings.listen_host,
            port=settings.metrics_port,
            registry=registry,
            parts=self._observer.parts,
            alive=self._watchdog.alive,
            ready=self._observer.ready,
        )

    def run(self) -> None:
        """Serve until asked to stop."""
        self._health.start()
        self._watchdog.start()
        if self._prepare():
            self._keeper.start()
            log.info("worker.started", worker=self._name, feeds=sorted(self._feeds))
            self._loop.run(self._housekeeping.look)
        self._watchdog.close()
        self._health.stop()
        log.info("worker.stopped", worker=self._name)

    def _excused(self) -> bool:
        return self._observer.excused()

    def _prepare(self) -> bool:
        """Make the consumers of the configured feeds; return whether to go on."""
        while not self._stopping.is_set():
            try:
                for feed, config in self._feeds.items():
                    self._claim(feed, config.shards)
                self._rows.beat()  # what time it is, before days are made
                self._keeper.serve_with(self._store.backend())
            except (UnavailableError, HinderedError) as error:
                log.warning("database.awaited", error=str(error))
                self._rows.close()
                self._stopping.wait(1.0)
            else:
                self._observer.database_answered()
                return True
        return False

    def _claim(self, feed: str, shards: int) -> None:
        known = self._rows.claim_feed(feed, shards)
        if known != shards:
            self._reshard(feed, known, shards)
        names = [consumer_name(KIND, feed, shard) for shard in range(shards)]
        self._rows.add([(name, stream_key(feed, shard), feed, shard) for shard, name in enumerate(names)])

    def _reshard(self, feed: str, known: int, shards: int) -> None:
        """Follow a changed number of shards once everything sent under the old one is committed."""
        positions = self._rows.feed_positions(feed)
        tops = self._streams.tops(positions)
        waiting = sum(top.waiting for top in tops.values())
        if waiting:
            raise ConfigurationError(
                f"feed {feed} has {known} shards, feeds.yaml says {shards}, and {waiting} frames sent under the old "
                f"number wait: set shards back to {known}, stop the collector, and change it once /health says that "
                "all is committed"
            )
        symbols = self._rows.feed_symbols(feed)
        self._rows.reshard(feed, shards, {symbol: shard_of(symbol, shards) for symbol in symbols})
        log.warning("feed.resharded", feed=feed, old_shards=known, shards=shards)

    def _connect(self, role: str) -> Callable[[], Connection]:
        password = self._settings.database_password
        lease_ms = int(self._settings.lease_seconds * 1000)
        return lambda: connect(
            self._settings.database_url,
            password.get_secret_value() if password else None,
            name=f"{SERVICE}/{role}",
            settings={
                "idle_in_transaction_session_timeout": str(lease_ms),
                "lock_timeout": str(LOCK_TIMEOUT_S * 1000),
                "statement_timeout": str(STATEMENT_TIMEOUT_S * 1000),
            },
        )
