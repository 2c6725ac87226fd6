"""Publish frames to Redis: each exactly once per stream, in order, whatever Redis forgets.

The spool is the acknowledgement: a frame has its entry id and is on disk before it is sent. There is one way to
recover, whatever went wrong (an error, a timeout, a new connection): ask Redis for each stream's last id, and send from
the spool everything above it, in order, with the same ids. So a lost reply, a lost tail of the append-only file and
an emptied Redis are the same case.

    LIVE      frames go from memory to Redis
    CATCH UP  frames go from the spool to Redis; new ones only to the spool, so memory stays flat
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NamedTuple, Protocol

import structlog
from redis.exceptions import RedisError

from nightdesk import frames
from nightdesk.backoff import delays_s
from nightdesk.backpressure import REDIS_FULL_RATIO
from nightdesk.clock import Clock
from nightdesk.errors import ForeignWriterError, FrameError, SpoolError, UnavailableError
from nightdesk.shards import position_key, shard_of, stream_key
from nightdesk.ticks import Event, Tick
from services.collector import entry_ids
from services.collector.entry_ids import ZERO, EntryId
from services.collector.framer import Framer
from services.collector.metrics import PublisherMetrics
from services.collector.spool import Place, Record, Spool

log = structlog.get_logger()

BATCH_BYTES: Final = 1024 * 1024
"""What one MULTI/EXEC carries at most, about: it holds up Redis for a few milliseconds."""

POLL_S: Final = 0.5
"""How often committed positions and Redis's memory are looked at."""

CANCEL_AGAIN_S: Final = 0.5
CLOSE_POLL_S: Final = 0.05
"""How long a frame may stay open at most while Redis does not answer."""

MEMORY_HIGH: Final = REDIS_FULL_RATIO
MEMORY_LOW: Final = 0.65
"""Above the first share of its memory Redis gets no more frames (the rest is RQ's); below the second again."""

CONFLATE_AT: Final = 0.80
PAUSE_AT: Final = 0.97
"""Shares of the spool's limit from which quotes and depth are conflated, and from which the socket is paused."""

SAY_BEHIND_S: Final = 10.0

RETRY_BASE_S: Final = 0.05
RETRY_CAP_S: Final = 1.0


class Pressure(IntEnum):
    """What the session should do about ticks that come faster than they can be kept."""

    OPEN = 0
    CONFLATE = 1
    PAUSE = 2


class StreamTop(NamedTuple):
    """A stream's last id and, while it holds that entry, the name of who wrote it."""

    entry_id: EntryId
    writer: str | None


class StreamPort(Protocol):
    """What the publisher needs of Redis. Every method raises UnavailableError or RedisError and never retries."""

    async def connect(self) -> None:
        """Open a new connection; from then on a lost one raises instead of being replaced."""

    async def tops(self, streams: Sequence[str]) -> list[StreamTop]:
        """Return each stream's last id."""

    async def add(self, entries: Sequence[tuple[str, EntryId, bytes]], writer: str) -> None:
        """Add all entries in one MULTI/EXEC, or none."""

    async def committed(self, keys: Sequence[str]) -> list[EntryId]:
        """Return the committed positions under these keys, ``0-0`` where there is none."""

    async def memory_ratio(self) -> float:
        """Return used over allowed memory, 0 without a limit."""

    async def close(self) -> None:
        """Close the connection."""


class _Queued(NamedTuple):
    record: Record
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherLimits:
    """When frames close and how many ticks may wait in memory."""

    max_ticks: int = 500
    max_age_ns: int = 2_000_000
    queue_ticks: int = 10_000


class Publisher:
    """The way of one feed's ticks from the session to Redis."""

    def __init__(
        self,
        *,
        feed: str,
        shards: int,
        spool: Spool,
        streams: StreamPort,
        monitor: StreamPort,
        clock: Clock,
        limits: PublisherLimits,
        metrics: PublisherMetrics,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        self._feed = feed
        self._shards = shards
        self._spool = spool
        self._streams = streams
        self._monitor = monitor
        self._clock = clock
        self._limits = limits
        self._metrics = metrics
        self._on_progress = on_progress
        self._keys = [stream_key(feed, shard) for shard in range(shards)]
        self._position_keys = [position_key(feed, shard) for shard in range(shards)]
        self._framers = [Framer(max_ticks=limits.max_ticks, max_age_ns=limits.max_age_ns) for _ in range(shards)]
        self._add_of: dict[str, Callable[[Tick], None]] = {}
        self._unspooled: deque[tuple[int, list[Tick]]] = deque()
        self._queue: deque[_Queued] = deque()
        self._queue_ticks = 0
        self._sent = [ZERO] * shards
        self._live = False
        self._connected = False
        self._memory_ratio = 0.0
        self._memory_high = False
        self._waiting = asyncio.Event()
        self._tick_waiting = False
        self._closing = False
        self._synced = asyncio.Event()
        self._said_unspooled = False
        self._said_lost = False
        self._said_behind_ns: int | None = None
        self._committed = [ZERO] * shards
        self._acknowledged_ns = clock.monotonic_ns()

    # -- what the session sees ---------------------------------------------------------------------------------

    def take(self, ticks: Sequence[Tick]) -> None:
        """Take ticks in the order in which they were received. Never blocks and never loses one.

        Raises nothing for a full disk: the frame waits in memory and ``pressure`` says to pause the socket.
        """
        add_of = self._add_of
        for tick in ticks:
            try:
                add = add_of[tick.symbol]
            except KeyError:
                add = add_of[tick.symbol] = self._framers[shard_of(tick.symbol, self._shards)].add
            add(tick)
        self._close_full()
        if not self._tick_waiting:
            self._tick_waiting = True
            self._waiting.set()

    def event(self, event: Event) -> None:
        """Take the feed's word about itself: to every shard, or to the symbol's when it names one."""
        if event.symbol:
            self.take([event])
            return
        for framer in self._framers:
            framer.add(event)
        self._close_full()
        self._tick_waiting = True
        self._waiting.set()

    @property
    def pressure(self) -> Pressure:
        """How hard it is to keep up; the session conflates or pauses accordingly."""
        used = self._spool.size_bytes / self._spool.max_bytes
        if self._unspooled or used >= PAUSE_AT:
            return Pressure.PAUSE
        return Pressure.CONFLATE if used >= CONFLATE_AT else Pressure.OPEN

    @property
    def queue_ratio(self) -> float:
        """Ticks waiting in memory for Redis's answer, over the limit."""
        return self._queue_ticks / self._limits.queue_ticks

    @property
    def spool_ratio(self) -> float:
        """The spool's size over its limit."""
        return self._spool.size_bytes / self._spool.max_bytes

    @property
    def connected(self) -> bool:
        """Whether Redis answered last time."""
        return self._connected

    @property
    def held_back(self) -> bool:
        """Whether frames stay in the spool because Redis's memory is nearly used."""
        return self._memory_high

    @property
    def live(self) -> bool:
        """Whether frames go straight to Redis, not through the spool behind older ones."""
        return self._live

    def acknowledged_age_s(self) -> float:
        """Return the seconds since Redis last took a frame or there was none to send."""
        return (self._clock.monotonic_ns() - self._acknowledged_ns) / 1e9

    # -- its life ----------------------------------------------------------------------------------------------

    async def started(self) -> None:
        """Wait until ticks may be taken: at once, or with a fresh spool once Redis told its highest ids."""
        if self._spool.fresh:
            await self._synced.wait()

    async def run(self) -> None:
        """Publish until ``close``. Raises ForeignWriterError when someone else writes these streams."""
        tasks = [asyncio.create_task(one) for one in (self._publish(), self._watch_redis(), self._close_by_age())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _end(tasks)
            await self._streams.close()
            await self._monitor.close()
            if self._unspooled:
                log.error("publisher.ticks_lost", feed=self._feed, ticks=self._unspooled_ticks(), cause="disk full")

    async def close(self) -> None:
        """Spool what is open and end ``run`` once all is sent, or within seconds: the spool keeps the rest."""
        self._closing = True
        self._retry_unspooled()
        self._close_frames(every=True)
        self._waiting.set()

    async def _publish(self) -> None:
        delays = delays_s(base_s=RETRY_BASE_S, cap_s=RETRY_CAP_S, random=random.random)
        while True:
            try:
                await self._streams.connect()
                place = await self._sync()
                self._connected = True
                self._metrics.redis_up.set(1)
                await self._catch_up(place)
                delays = delays_s(base_s=RETRY_BASE_S, cap_s=RETRY_CAP_S, random=random.random)
                if await self._send_live():
                    return
            except (TimeoutError, RedisError, UnavailableError, OSError) as error:
                self._lost(error)
                if self._closing:
                    return
                await self._pause(next(delays))

    def _lost(self, error: BaseException) -> None:
        if self._connected or not self._said_lost:
            log.warning("publisher.interrupted", feed=self._feed, error=str(error), kind=type(error).__name__)
        self._said_lost = True
        self._connected = self._live = False
        self._metrics.redis_up.set(0)
        self._forget_queue()

    async def _pause(self, delay_s: float) -> None:
        """Wait before the next attempt; frames keep closing by count, and by age only into the spool."""
        await asyncio.sleep(delay_s)
        self._close_frames(every=False)

    async def _sync(self) -> Place:
        """Learn what Redis holds and return the place in the spool to send from."""
        tops = await self._streams.tops(self._keys)
        committed = await self._streams.committed(self._position_keys)
        fresh = self._spool.fresh
        if fresh:
            self._spool.adopt([max(top.entry_id, one) for top, one in zip(tops, committed, strict=True)])
        for shard, top in enumerate(tops):
            self._check_writer(shard, top)
            self._spool.raise_highest(shard, max(top.entry_id, committed[shard]))
        self._sent = [top.entry_id for top in tops]
        self._live = False
        self._forget_queue()
        self._synced.set()
        return self._spool.start_after(self._sent)

    def _check_writer(self, shard: int, top: StreamTop) -> None:
        """Refuse a stream whose last entry another writer made since this spool began."""
        if top.writer is None or top.writer == self._spool.writer:
            return
        if top.entry_id > self._spool.adopted(shard):
            raise ForeignWriterError(
                f"{self._keys[shard]}: entry {top.entry_id} was written by {top.writer}, not by this collector "
                f"({self._spool.writer}); stop the other collector of feed {self._feed} or give it this one's spool"
            )

    # -- sending -----------------------------------------------------------------------------------------------

    async def _catch_up(self, place: Place) -> None:
        """Send from the spool until nothing newer is there, then switch to memory without a gap between."""
        while True:
            await self._memory_allows()
            self._close_frames(every=False)
            records, place = self._spool.read(place)
            missing = [record for record in records if record.entry_id > self._sent[record.shard]]
            if missing:
                await self._send(missing)
            elif place == self._spool.end:
                break
            else:
                await asyncio.sleep(0)
        self._forget_queue()
        self._live = True

    async def _send_live(self) -> bool:
        """Send frames as they close; True when closing and all is sent, False to go through the spool again."""
        while self._live:
            if not self._queue:
                if self._closing:
                    return True
                await self._next_frame()
            if self._memory_high:
                return False
            self._close_frames(every=False)
            batch = self._batch()
            if batch:
                await self._send([queued.record for queued in batch])
                self._dequeue(batch)
        return False

    async def _next_frame(self) -> None:
        """Wait for a tick, then until the open frames are old enough to close."""
        self._on_progress()
        self._acknowledged_ns = self._clock.monotonic_ns()
        try:
            await asyncio.wait_for(self._waiting.wait(), POLL_S)
        except TimeoutError:
            return
        self._waiting.clear()
        self._tick_waiting = False
        self._retry_unspooled()
        self._close_frames(every=False)
        if not self._queue and any(self._framers):
            await asyncio.sleep(self._limits.max_age_ns / 1e9)
            self._close_frames(every=True)

    def _batch(self) -> list[_Queued]:
        batch, size = [], 0
        for queued in self._queue:
            batch.append(queued)
            size += len(queued.record.payload)
            if size >= BATCH_BYTES:
                break
        return batch

    async def _send(self, records: Sequence[Record]) -> None:
        entries = [(self._keys[record.shard], record.entry_id, record.payload) for record in records]
        with self._metrics.publish_seconds.time():
            await self._streams.add(entries, self._spool.writer)
        for record in records:
            self._sent[record.shard] = record.entry_id
        self._metrics.published_frames.inc(len(records))
        self._metrics.published_ticks.inc(sum(record.ticks for record in records))
        self._acknowledged_ns = self._clock.monotonic_ns()
        self._on_progress()

    def _dequeue(self, batch: Sequence[_Queued]) -> None:
        if not self._queue or self._queue[0] is not batch[0]:
            return
        for queued in batch:
            self._queue.popleft()
            self._queue_ticks -= queued.record.ticks

    def _forget_queue(self) -> None:
        """The spool has them all; memory keeps none while it is not the one being sent from."""
        self._queue.clear()
        self._queue_ticks = 0

    async def _memory_allows(self) -> None:
        while self._memory_high and not self._closing:
            self._on_progress()
            await asyncio.sleep(POLL_S)
            self._close_frames(every=False)

    # -- closing frames ----------------------------------------------------------------------------------------

    async def _close_by_age(self) -> None:
        """Close what is due while the publisher waits for Redis: an open frame dies with the process."""
        while True:
            await asyncio.sleep(CLOSE_POLL_S)
            self._close_frames(every=False)

    def _close_full(self) -> None:
        """Close the frames that are complete by count."""
        closed = [(shard, ticks) for shard, framer in enumerate(self._framers) for ticks in framer.full()]
        if closed:
            self._spool_frames(closed)

    def _close_frames(self, *, every: bool) -> None:
        """Close the frames that are due, or every one that holds a tick."""
        now_ns = self._clock.wall_ns()
        closed = []
        for shard, framer in enumerate(self._framers):
            ticks = framer.close() if every else framer.due(now_ns)
            if ticks is not None:
                closed.append((shard, ticks))
        if closed:
            self._spool_frames(closed)

    def _spool_frames(self, closed: Sequence[tuple[int, list[Tick]]]) -> None:
        if self._unspooled:
            self._unspooled.extend(closed)
            return
        now_ms = self._clock.wall_ns() // 1_000_000
        records = []
        highest: dict[int, EntryId] = {}
        for shard, ticks in closed:
            last = highest.get(shard) or self._spool.highest(shard)
            highest[shard] = entry_id = entry_ids.following(last, now_ms)
            records.append(Record(shard, entry_id, len(ticks), self._encoded(ticks)))
        try:
            place = self._spool.append(records)
        except SpoolError as error:
            self._unspooled.extend(closed)
            self._say_unspooled(error)
            return
        self._said_unspooled = False
        if self._live:
            self._enqueue(records, place)

    def _encoded(self, ticks: Sequence[Tick]) -> bytes:
        """A codec lets nothing through that has no place in a frame; should it, one tick must not cost the others."""
        try:
            return frames.encode(ticks)
        except FrameError:
            fitting = [tick for tick in ticks if _fits(tick)]
            self._metrics.unframeable.inc(len(ticks) - len(fitting))
            log.exception("publisher.unframeable", feed=self._feed, ticks=len(ticks) - len(fitting))
            return frames.encode(fitting)

    def _say_unspooled(self, error: SpoolError) -> None:
        if not self._said_unspooled:
            log.error("spool.refused", feed=self._feed, error=str(error), ticks_in_memory=self._unspooled_ticks())
        self._said_unspooled = True

    def _say_behind(self) -> None:
        """A flood falls behind and catches up many times a second; once in a while is enough to know."""
        now_ns = self._clock.monotonic_ns()
        if self._said_behind_ns is None or now_ns - self._said_behind_ns > SAY_BEHIND_S * 1e9:
            self._said_behind_ns = now_ns
            log.warning("publisher.behind", feed=self._feed, ticks=self._queue_ticks)

    def _unspooled_ticks(self) -> int:
        return sum(len(ticks) for _, ticks in self._unspooled)

    def _enqueue(self, records: Sequence[Record], place: Place) -> None:
        for record in records:
            self._queue.append(_Queued(record, place))
            self._queue_ticks += record.ticks
        if self._queue_ticks > self._limits.queue_ticks:
            self._live = False
            self._say_behind()
        self._waiting.set()

    def _retry_unspooled(self) -> None:
        """Frames that found no room keep their order: each is tried again before any later one."""
        waiting, self._unspooled = self._unspooled, deque()
        while waiting:
            self._spool_frames([waiting.popleft()])
            if self._unspooled:
                self._unspooled.extend(waiting)
                return

    # -- what the store and Redis say ------------------------------------------------------------------------

    async def _watch_redis(self) -> None:
        """Trim the spool behind the store and keep an eye on Redis's memory, for ever."""
        while True:
            try:
                await self._monitor.connect()
                while True:
                    await self._look()
                    await asyncio.sleep(POLL_S)
            except (TimeoutError, RedisError, UnavailableError, SpoolError, OSError) as error:
                log.debug("publisher.monitor_lost", feed=self._feed, error=str(error))
                self._retry_unspooled()
                self._show()
                await asyncio.sleep(POLL_S)

    async def _look(self) -> None:
        committed = await self._monitor.committed(self._position_keys)
        if any(now < before for now, before in zip(committed, self._committed, strict=True)):
            # Redis forgot, and perhaps the streams as well: compare them with the spool.
            self._live = False
            self._waiting.set()
        self._committed = committed
        for shard, entry_id in enumerate(committed):
            # A Redis that was empty when this spool began may hear of a position only now; below it nothing is read.
            self._spool.raise_highest(shard, entry_id)
        self._spool.trim(committed)
        self._retry_unspooled()
        self._memory_ratio = await self._monitor.memory_ratio()
        limit = MEMORY_LOW if self._memory_high else MEMORY_HIGH
        if (self._memory_ratio >= limit) != self._memory_high:
            self._memory_high = not self._memory_high
            log.warning("publisher.redis_memory", feed=self._feed, held_back=self._memory_high)
        self._show()

    def _show(self) -> None:
        self._metrics.queue_ticks.set(self._queue_ticks)
        self._metrics.spool_bytes.set(self._spool.size_bytes)
        self._metrics.spool_frames.set(self._spool.frames)
        self._metrics.redis_memory_ratio.set(self._memory_ratio)

    def facts(self) -> dict[str, Any]:
        """Return the figures that ``/health`` shows."""
        return {
            "queue_ticks": self._queue_ticks,
            "queue_limit_ticks": self._limits.queue_ticks,
            "spool_bytes": self._spool.size_bytes,
            "spool_limit_bytes": self._spool.max_bytes,
            "spool_frames": self._spool.frames,
            "unspooled_ticks": self._unspooled_ticks(),
            "damaged_records": self._spool.damaged_records,
            "redis_memory_ratio": round(self._memory_ratio, 4),
            "live": self._live,
        }


async def _end(tasks: Sequence["asyncio.Task[None]"]) -> None:
    """Cancel tasks until they are done: while redis-py connects, a cancellation can get lost (tried, redis-py 8)."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)


def _fits(tick: Tick) -> bool:
    try:
        frames.encode([tick])
    except FrameError:
        return False
    return True
