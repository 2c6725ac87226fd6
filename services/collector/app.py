"""The collector's composition root: one process for every feed that ``FEEDS`` selects."""

import asyncio
import gc
import random
import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Gauge
from pydantic import Field

from nightdesk import logs, settings
from nightdesk.calendars import Calendars, exchange_spans, read_closures
from nightdesk.clock import Clock
from nightdesk.errors import ConfigurationError
from nightdesk.exchanges.rest import RestClient
from nightdesk.feeds_config import FeedConfig, load_feeds
from nightdesk.health import HealthServer, Part, Status
from nightdesk.metrics import HostCollector, service_registry
from nightdesk.service import Pulse, Watchdog
from nightdesk.ticks import Kind
from services.collector.codec import Codec, Fetch, Subscription
from services.collector.feeds import CODECS
from services.collector.link import Cause
from services.collector.metrics import PublisherFamilies, PublisherMetrics
from services.collector.publisher import Publisher, PublisherLimits
from services.collector.recorder import Limits as RecorderLimits
from services.collector.recorder import Recorder, Rotation
from services.collector.redis_streams import RedisStreams
from services.collector.session import Policy, Session
from services.collector.spool import Spool, holds_frames
from services.collector.tally import SessionMetrics, Tally
from services.collector.transport import Dial
from services.collector.transports import TRANSPORTS

log = structlog.get_logger()

SERVICE: Final = "collector"
STANDBY_POLL_S: Final = 1.0
CALENDARS_POLL_S: Final = 600.0
GC_THRESHOLD: Final = 10_000
LOOK_S: Final = 0.25
LOOP_LATE_S: Final = 10.0
STUCK_S: Final = 60.0
CLOSE_S: Final = 8.0
"""What publishing the rest may take at the end; the spool keeps what is left."""
SHARE_WARNING: Final = 0.80
SHARE_CRITICAL: Final = 0.95


class CollectorSettings(settings.Settings, settings.RedisSettings):
    """The collector's settings; which feeds there are is in ``feeds_config``."""

    feeds_config: Path = Field(Path("config/feeds.yaml"), description="the feeds file")
    calendars_config: Path = Field(Path("config/calendars.yaml"), description="closures the calendars do not know")
    spool_dir: Path = Field(Path("/var/lib/nightdesk/spool"), description="where frames wait for the store")
    spool_max_bytes: int = Field(2_147_483_648, ge=1_048_576, description="size of a feed's spool in bytes")
    max_queue_depth: int = Field(10_000, ge=100, description="ticks that may wait for Redis in memory")
    reconnect_base_delay: float = Field(1.0, gt=0, le=60, description="first wait before a new connection, seconds")
    reconnect_max_delay: float = Field(60.0, gt=0, le=3600, description="longest wait, seconds")
    heartbeat_interval: float = Field(20.0, ge=1, le=300, description="seconds between pings")
    depth_levels: int = Field(10, ge=1, le=100, description="levels a side in a depth tick")
    frame_max_ticks: int = Field(500, ge=1, le=65_535, description="ticks that close a frame")
    frame_max_age_ms: float = Field(2.0, ge=0, le=1000, description="age that closes a frame, milliseconds")
    transport: str = Field("websockets", pattern=f"^({'|'.join(TRANSPORTS)})$", description="library of the sockets")
    record_dir: Path | None = Field(None, description="where raw frames are recorded; empty is off")


class Feed:
    """One feed of the process: waits for its spool, then collects."""

    def __init__(
        self,
        *,
        name: str,
        config: FeedConfig,
        options: CollectorSettings,
        publisher_families: PublisherFamilies,
        session_metrics: SessionMetrics,
        standby: Gauge,
        calendars: Calendars,
        clock: Clock,
        on_progress: Callable[[], None],
    ) -> None:
        self.name = name
        self._calendars = calendars
        self._config = config
        self._options = options
        self._standby = standby.labels(name)
        self._stands_by = False
        self._clock = clock
        self._spool = Spool(options.spool_dir / name, shards=config.shards, max_bytes=options.spool_max_bytes)
        self._session_metrics = session_metrics
        self._publisher_metrics = PublisherMetrics(publisher_families, name)
        self._publisher_metrics.queue_limit_ticks.set(options.max_queue_depth)
        self._publisher_metrics.spool_limit_bytes.set(options.spool_max_bytes)
        self._on_progress = on_progress
        self.watchdog = Watchdog(limit_s=STUCK_S, excused=self._excused)
        self.publisher: Publisher | None = None
        self.session: Session | None = None
        self._recorder: Recorder | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Collect until ``stop``. Raises ForeignWriterError, SpoolError."""
        if not await self._lock(stop):
            return
        self._spool.open()
        if self._spool.damaged_records:
            log.error("spool.damaged", feed=self.name, records=self._spool.damaged_records)
        if self._spool.torn_bytes:
            log.warning("spool.torn", feed=self.name, bytes=self._spool.torn_bytes)
        try:
            await self._collect(stop)
        finally:
            self._spool.close()

    async def _lock(self, stop: asyncio.Event) -> bool:
        """Wait as standby until no other collector has the spool; False when told to stop before."""
        while not stop.is_set():
            locked = self._spool.lock()
            if not locked and not self._stands_by:
                log.info("collector.standby", feed=self.name)
            self._stands_by = not locked
            self._standby.set(self._stands_by)
            if locked:
                return True
            await _wait(stop, STANDBY_POLL_S)
        return False

    async def _collect(self, stop: asyncio.Event) -> None:
        self._recorder = self._new_recorder()
        self.publisher = publisher = self._new_publisher()
        self.session = session = self._new_session(publisher)
        publishing = asyncio.create_task(publisher.run(), name=f"publisher/{self.name}")
        collecting = asyncio.create_task(self._start_session(publisher, session), name=f"session/{self.name}")
        stopping = asyncio.create_task(stop.wait())
        log.info("collector.started", feed=self.name, symbols=len(self._config.symbols))
        try:
            await asyncio.wait({publishing, collecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            collecting.cancel()
            await asyncio.gather(collecting, return_exceptions=True)
            await publisher.close()
            done, _ = await asyncio.wait({publishing}, timeout=CLOSE_S)
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)
        _raise_from(collecting, *done)

    async def _start_session(self, publisher: Publisher, session: Session) -> None:
        await publisher.started()
        try:
            await session.run()
        finally:
            if self._recorder is not None:
                self._recorder.close()

    def _new_publisher(self) -> Publisher:
        options = self._options
        password = options.redis_password.get_secret_value() if options.redis_password else None
        return Publisher(
            feed=self.name,
            shards=self._config.shards,
            spool=self._spool,
            streams=RedisStreams(url=options.redis_url, password=password),
            monitor=RedisStreams(url=options.redis_url, password=password),
            clock=self._clock,
            limits=PublisherLimits(
                max_ticks=options.frame_max_ticks,
                max_age_ns=int(options.frame_max_age_ms * 1_000_000),
                queue_ticks=options.max_queue_depth,
            ),
            metrics=self._publisher_metrics,
            on_progress=self.watchdog.moved,
        )

    def _new_session(self, publisher: Publisher) -> Session:
        options, config = self._options, self._config
        calendars = {symbol: config.calendar_of(symbol) for symbol in config.symbols}
        tally = Tally(self.name, calendars, [cause.value for cause in Cause], self._session_metrics)
        client = RestClient(
            weight_per_minute=config.rest_weight_per_minute,
            clock=self._clock,
            random=random.random,
            on_answer=tally.answered,
        )

        async def rest(fetch: Fetch) -> bytes:
            return await client.get(fetch.url, weight=fetch.weight, headers=dict(fetch.headers))

        return Session(
            feed=self.name,
            symbols=config.symbols,
            new_codec=self._new_codec,
            connect=TRANSPORTS[options.transport],
            rest=rest,
            sink=publisher,
            tally=tally,
            policy=Policy(
                reconnect_base_s=options.reconnect_base_delay,
                reconnect_max_s=options.reconnect_max_delay,
                silence_s=config.silence_s,
                symbol_floor_s=config.symbol_silence_s,
                dial=Dial(
                    ping_interval_s=options.heartbeat_interval,
                    ping_timeout_s=options.heartbeat_interval,
                    compression=config.compression or None,
                ),
            ),
            clock=self._clock,
            random=random.random,
            is_open=self._is_open,
            recorder=self._recorder,
            on_progress=self._on_progress,
        )

    def _new_recorder(self) -> Recorder | None:
        if self._options.record_dir is None:
            return None
        recorder = Recorder(
            Rotation(self._options.record_dir, self.name, limits=RecorderLimits()),
            feed=self.name,
        )
        recorder.start()
        return recorder

    def _is_open(self, symbol: str, wall_ns: int) -> bool:
        return self._calendars.is_open(self._config.calendar_of(symbol), wall_ns)

    def _new_codec(self) -> Codec:
        return CODECS[self._config.codec](subscription(self.name, self._config, self._options.depth_levels))

    def _excused(self) -> bool:
        """Whether the publisher rightly stands still: not running, or Redis is away or full."""
        publisher = self.publisher
        return publisher is None or not publisher.connected or publisher.held_back

    # -- health ------------------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether the feed collects, or stands by for another collector that does."""
        return self._stands_by or self.session is not None

    def parts(self) -> list[Part]:
        """Return how the feed, its spool and its Redis are."""
        if self.session is None or self.publisher is None:
            if not self._stands_by:
                return [Part(part=f"feed/{self.name}", status=Status.DEGRADED, detail="starting")]
            detail = "standby: another collector has the spool"
            return [Part(part=f"feed/{self.name}", status=Status.OK, detail=detail, facts={"standby": True})]
        return [self._feed_part(self.session), *_publisher_parts(self.name, self.publisher)]

    def _feed_part(self, session: Session) -> Part:
        state, now_ns = session.state, self._clock.wall_ns()
        age_s = (now_ns - state.heard_ns) / 1e9 if state.heard_ns else None
        away_s = (now_ns - state.since_ns) / 1e9
        limit_s = state.limit_s or self._config.silence_s
        return Part(
            part=f"feed/{self.name}",
            status=_feed_status(state.connected, state.ready, bool(state.silent or state.unheard), away_s, limit_s),
            age_s=age_s,
            threshold_s=limit_s,
            detail=_unheard_detail(state.unheard)
            if state.connected and state.unheard and not state.silent
            else _feed_detail(state.connected, state.ready, state.silent, state.cause, away_s),
            facts={
                "connected": state.connected,
                "ready": state.ready,
                "symbols": len(self._config.symbols),
                "silent_symbols": len(state.silent),
                "unheard_symbols": len(state.unheard),
                "pressure": state.pressure.name.lower(),
                "recording": self._recorder is not None and not self._recorder.stopped,
            },
        )


def _feed_status(connected: bool, ready: bool, silent: bool, for_s: float, limit_s: float) -> Status:  # noqa: FBT001
    if not connected:
        return Status.DOWN if for_s > limit_s else Status.DEGRADED
    return Status.DEGRADED if silent or (not ready and for_s > limit_s) else Status.OK


def _feed_detail(connected: bool, ready: bool, silent: Sequence[str], cause: str, for_s: float) -> str:  # noqa: FBT001
    if not connected:
        return f"not connected for {for_s:.0f} s: {cause}"
    if silent:
        return f"connected, but silent: {', '.join(silent[:5])}"
    return f"connected for {for_s:.0f} s" if ready else "connected, not yet in step with every symbol"


def _unheard_detail(unheard: Sequence[str]) -> str:
    return f"never heard since the start: {', '.join(unheard[:5])}; is the name right, is it still listed?"


def _publisher_parts(name: str, publisher: Publisher) -> list[Part]:
    spool = publisher.spool_ratio
    full = Status.DOWN if spool >= SHARE_CRITICAL else Status.DEGRADED if spool >= SHARE_WARNING else Status.OK
    age_s = publisher.acknowledged_age_s()
    redis_detail = "Redis takes frames" if publisher.connected else "Redis is away; frames wait in the spool"
    if publisher.held_back:
        redis_detail = "Redis's memory is nearly used; frames wait in the spool"
    up = publisher.connected and not publisher.held_back
    return [
        Part(part=f"spool/{name}", status=full, detail=f"spool {spool:.0%} full", facts=publisher.facts()),
        Part(
            part=f"redis/{name}",
            status=Status.OK if up else Status.DEGRADED,
            detail=redis_detail,
            age_s=age_s,
            threshold_s=STUCK_S,
        ),
    ]


def subscription(name: str, config: FeedConfig, depth_levels: int) -> Subscription:
    """Return what a codec needs to know of a feed."""
    return Subscription(
        feed=name,
        ws_url=config.ws_url,
        rest_url=config.rest_url,
        symbols=config.symbols,
        kinds=frozenset(Kind(kind) for kind in config.kinds),
        depth_levels=depth_levels,
        kline_interval=config.kline_interval,
        dialect=config.dialect,
        api_key=config.api_key.get_secret_value(),
    )


def configuration(environ: Mapping[str, str]) -> tuple[CollectorSettings, dict[str, FeedConfig]]:
    """Return settings and feeds; raises ConfigurationError naming everything wrong in both."""
    problems: list[str] = []
    options: CollectorSettings | None = None
    feeds: dict[str, FeedConfig] = {}
    try:
        options = settings.load(CollectorSettings, environ)
    except ConfigurationError as error:
        problems.append(str(error))
    try:
        feeds = load_feeds(Path(environ.get("FEEDS_CONFIG") or "config/feeds.yaml"), environ)
    except ConfigurationError as error:
        problems.append(str(error))
    problems += [problem for name, config in feeds.items() for problem in _codec_problems(name, config)]
    if problems or options is None:
        raise ConfigurationError("\n".join(problems))
    return options, feeds


def _codec_problems(name: str, config: FeedConfig) -> list[str]:
    if config.codec not in CODECS:
        return [f"feeds.{name}.codec: there is no codec {config.codec!r}; there are {', '.join(sorted(CODECS))}"]
    try:
        CODECS[config.codec](subscription(name, config, 10))
    except ConfigurationError as error:
        return [f"feeds.{name}: {error}"]
    return []


class Collector:
    """The process."""

    def __init__(
        self,
        options: CollectorSettings,
        configs: Mapping[str, FeedConfig],
        calendars: Calendars,
        clock: Clock,
        *,
        registry: CollectorRegistry,
    ) -> None:
        self._spool_dir = options.spool_dir
        self._calendars = calendars
        self.registry = registry
        registry.register(HostCollector({"spool": options.spool_dir}))
        self._progress = Gauge(
            "nightdesk_progress_timestamp_seconds", "When progress was last made.", ("service",), registry=self.registry
        ).labels(SERVICE)
        self._clock = clock
        self._loop_watchdog = Watchdog(
            limit_s=STUCK_S, excused=lambda: all(feed.session is None for feed in self.feeds)
        )
        publisher_families = PublisherFamilies(self.registry)
        session_metrics = SessionMetrics(self.registry)
        standby = Gauge(
            "nightdesk_collector_standby", "1 while another collector has the feed.", ("feed",), registry=self.registry
        )
        self.feeds = [
            Feed(
                name=name,
                config=config,
                options=options,
                publisher_families=publisher_families,
                session_metrics=session_metrics,
                standby=standby,
                calendars=calendars,
                clock=clock,
                on_progress=self._moved,
            )
            for name, config in configs.items()
        ]
        self._parts: list[Part] = []
        self._looked_s = clock.monotonic_s()
        self._health = HealthServer(
            service=SERVICE,
            host=options.listen_host,
            port=options.metrics_port,
            registry=self.registry,
            parts=self.parts,
            alive=lambda: all(watchdog.alive() for watchdog in self._watchdogs),
            ready=lambda: all(feed.ready for feed in self.feeds),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Collect every feed until ``stop``; the first that fails stops all."""
        self._health.start()
        _say_left_behind(self._spool_dir, {feed.name for feed in self.feeds})
        for watchdog in self._watchdogs:
            watchdog.start()
        others = [asyncio.create_task(self._rebuild_calendars()), asyncio.create_task(self._look())]
        try:
            await _all(stop, [feed.run(stop) for feed in self.feeds])
        finally:
            for task in others:
                task.cancel()
            for watchdog in self._watchdogs:
                watchdog.close()
            self._health.stop()

    def parts(self) -> list[Part]:
        """Return how every part was at the last look; the health server's thread asks."""
        age_s = self._clock.monotonic_s() - self._looked_s
        if age_s < LOOP_LATE_S:
            return self._parts
        late = Part(
            part="loop",
            status=Status.DOWN,
            detail=f"the event loop has not run for {age_s:.0f} s",
            age_s=age_s,
            threshold_s=LOOP_LATE_S,
        )
        return [late, *self._parts]

    async def _look(self) -> None:
        """Note how every part is: in this thread, where nothing changes meanwhile."""
        while True:
            self._parts = [part for feed in self.feeds for part in feed.parts()]
            self._looked_s = self._clock.monotonic_s()
            await asyncio.sleep(LOOK_S)

    @property
    def _watchdogs(self) -> list[Watchdog]:
        return [self._loop_watchdog, *(feed.watchdog for feed in self.feeds)]

    async def _rebuild_calendars(self) -> None:
        while True:
            await asyncio.sleep(CALENDARS_POLL_S)
            if self._calendars.stale(self._clock.wall_ns()):
                try:
                    await asyncio.to_thread(self._calendars.rebuild, self._clock.wall_ns())
                except ConfigurationError as error:
                    log.error("calendars.not_rebuilt", error=str(error))  # noqa: TRY400  the text says it all

    def _moved(self) -> None:
        self._loop_watchdog.moved()
        self._progress.set(self._clock.wall_ns() / 1e9)


def run(environ: Mapping[str, str]) -> None:
    """Collect until SIGTERM or SIGINT."""
    options, feeds = configuration(environ)
    registry = service_registry(SERVICE)
    Pulse(logs.configure(SERVICE, options, registry=registry)).start()
    log.info("collector.starting", feeds=sorted(feeds))
    clock = Clock()
    calendars = _calendars(options, feeds)
    calendars.rebuild(clock.wall_ns())
    asyncio.run(_main(Collector(options, feeds, calendars, clock, registry=registry)))


def _calendars(options: CollectorSettings, feeds: Mapping[str, FeedConfig]) -> Calendars:
    names = {config.calendar_of(symbol) for config in feeds.values() for symbol in config.symbols}
    return Calendars(names, closures=read_closures(options.calendars_config), spans=exchange_spans)


async def _main(collector: Collector) -> None:
    # What lives as long as the process need not be looked at again, and messages make no cycles: 4 % (measured).
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 50)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await collector.run(stop)
    log.info("collector.stopped")


def _say_left_behind(spool_dir: Path, collected: Collection[str]) -> None:
    """Name the spools of feeds that are not collected any more: nobody sends what is in them."""
    for directory in spool_dir.glob("*/"):
        if directory.name not in collected and holds_frames(directory):
            log.warning(
                "spool.left_behind",
                feed=directory.name,
                mend=f"select {directory.name} in FEEDS until /health shows its spool empty, or delete {directory}",
            )


async def _all(stop: asyncio.Event, runs: Sequence[object]) -> None:
    tasks = [asyncio.ensure_future(one) for one in runs]  # type: ignore[call-overload]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    stop.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    _raise_from(*tasks)


def _raise_from(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        if task.done() and not task.cancelled():
            error = task.exception()
            if error is not None:
                raise error


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
