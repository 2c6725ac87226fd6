"""What the worker knows about itself, for metrics and ``/health``."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from nightdesk.consumer import Delivery, Position
from nightdesk.errors import NightdeskError
from nightdesk.health import Part, Status
from nightdesk.leases import Taken
from nightdesk.service import Watchdog
from nightdesk.store.store import Committed, Ledger
from nightdesk.streams import Top
from nightdesk.ticks import Kind
from services.worker.metrics import WorkerMetrics

log = structlog.get_logger()

DEPENDENCY_LIMIT_S: Final = 10.0
"""How long a dependency may be silent before it counts as down."""

LAG_LIMIT_S: Final = 30.0
"""How far a consumer may be behind its stream before it counts as degraded."""

QUARANTINE_SHOWN_S: Final = 900.0
"""How long health tells of a frame that was put into quarantine."""

UPTIME_JITTER_S: Final = 2.0
NO_GAPS: Final = Ledger()


@dataclass(slots=True)
class Dependency:
    """When a dependency last answered, on the monotonic clock, and what it said last."""

    name: str
    answered_s: float
    error: str = "no answer yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One owned consumer: its position, its stream's top, and what waits between them."""

    position: Position
    top: Top | None
    lag_s: float


@dataclass(slots=True)
class Quarantined:
    """How many frames, or parts of frames, were set aside, when the last was, and why."""

    count: int = 0
    last_s: float | None = None
    reason: str = ""


@dataclass(slots=True)
class _State:
    database: Dependency
    redis: Dependency
    quarantined: Quarantined = field(default_factory=Quarantined)
    consumers: dict[str, Progress] = field(default_factory=dict)


class Observer:
    """Hear from the loop, the keeper and the store; tell metrics, health and the watchdog."""

    def __init__(
        self, *, metrics: WorkerMetrics, watchdog: Watchdog, now_s: Callable[[], float], wall_ns: Callable[[], int]
    ) -> None:
        self._metrics = metrics
        self._watchdog = watchdog
        self._now_s = now_s
        self._wall_ns = wall_ns
        self._redis_started_s = 0.0
        self._lock = threading.Lock()
        self._state = _State(Dependency("database", -DEPENDENCY_LIMIT_S), Dependency("redis", -DEPENDENCY_LIMIT_S))
        metrics.database_up.set_function(lambda: self._is_up(self._state.database))
        metrics.redis_up.set_function(lambda: self._is_up(self._state.redis))

    def turned(self, deliveries: Sequence[Delivery], elapsed_s: float) -> None:
        """A turn was committed."""
        self._metrics.turns.labels("committed").inc()
        self._metrics.turn_seconds.observe(elapsed_s)
        for one in deliveries:
            timestamp_s = entry_s(one.following)
            self._metrics.position_timestamp.labels(one.position.consumer).set(timestamp_s)
        self.database_answered()
        self.redis_answered()
        self._moved()

    def failed(self, outcome: str, error: NightdeskError) -> None:
        """A turn was not committed; one that PostgreSQL refused is nothing that another process could mend."""
        self._metrics.turns.labels(outcome).inc()
        log.warning("turn.failed", outcome=outcome, error=str(error))
        if outcome == "refused":
            self._watchdog.moved()

    def idled(self) -> None:
        """There was nothing to read."""
        self._moved()

    def committed(self, done: Committed) -> None:
        """Count what a turn did."""
        for (feed, kind), count in done.stored.items():
            self._metrics.committed_ticks.labels(feed, kind.label).inc(count)
        for (feed, kind), count in done.duplicates.items():
            self._metrics.duplicates.labels(feed, kind.label).inc(count)
        for (feed, kind), count in done.gaps.items():
            self._metrics.gaps_opened.labels(feed, kind.label).inc(count)
        for (feed, reason), count in done.quarantined.items():
            self._metrics.quarantined.labels(feed, reason).inc(count)
            self._set_aside(count, reason)
        now_ns = self._wall_ns()
        for received in (done.oldest_ns, done.newest_ns):
            for feed, received_ns in received.items():
                self._metrics.commit_latency.labels(feed).observe(max(0.0, (now_ns - received_ns) / 1e9))

    def taken_over(self, _: Taken) -> None:
        """A lease was taken over from an owner that fell silent."""
        self._metrics.takeovers.inc()

    def surveyed(self, positions: Sequence[Position], tops: Mapping[str, Top]) -> None:
        """The streams were looked at: say how far each consumer is behind, even when nothing moves."""
        consumers = {one.consumer: _progress(one, tops.get(one.consumer), self._wall_ns()) for one in positions}
        with self._lock:
            gone = self._state.consumers.keys() - consumers.keys()
            self._state.consumers = consumers
        for consumer, progress in consumers.items():
            self._metrics.owned.labels(consumer).set(1)
            self._metrics.position_timestamp.labels(consumer).set(entry_s(progress.position.entry_id))
            if progress.top is not None:
                self._metrics.top_timestamp.labels(consumer).set(entry_s(progress.top.entry_id))
                self._metrics.entries.labels(consumer).set(progress.top.waiting)
        for consumer in gone:
            self._forget(consumer)
        self.redis_answered()

    def counted_gaps(self, figures: Mapping[tuple[str, Kind], Ledger], feeds: Sequence[str]) -> None:
        """The ledger was counted."""
        for feed in feeds:
            for kind in Kind:
                ledger = figures.get((feed, kind), NO_GAPS)
                self._metrics.gaps_open.labels(feed, kind.label).set(ledger.open)
                self._metrics.missing_ids.labels(feed, kind.label).set(ledger.missing_ids)
                self._metrics.unfillable.labels(feed, kind.label).set(ledger.unfillable)
                self._metrics.oldest_gap.labels(feed, kind.label).set(ledger.oldest_s)
                self._metrics.last_unfillable.labels(feed, kind.label).set(ledger.unfillable_s)
        self.database_answered()

    def saw_servers(self, *, database_s: float, redis_uptime_s: float) -> None:
        """Both servers said since when they run: PostgreSQL the Unix time, Redis for how long.

        Redis counts whole seconds, so that its start is known to the second only: it has moved once it moved by more.
        """
        self._metrics.database_started.set(database_s)
        redis_s = self._wall_ns() / 1e9 - redis_uptime_s
        if abs(redis_s - self._redis_started_s) > UPTIME_JITTER_S:
            self._redis_started_s = redis_s
            self._metrics.redis_started.set(redis_s)
        self.database_answered()
        self.redis_answered()

    def database_answered(self) -> None:
        """PostgreSQL answered."""
        with self._lock:
            self._state.database.answered_s = self._now_s()

    def redis_answered(self) -> None:
        """Redis answered."""
        with self._lock:
            self._state.redis.answered_s = self._now_s()

    def excused(self) -> bool:
        """Return whether a dependency is away, so that no progress is no fault of the worker's."""
        with self._lock:
            found = [self._state.database, self._state.redis]
        return not all(map(self._is_up, found))

    def ready(self) -> bool:
        """Return whether both dependencies answer."""
        return not self.excused()

    def parts(self) -> list[Part]:
        """Return the parts of ``/health``."""
        now_s = self._now_s()
        with self._lock:
            found = [_dependency_part(one, now_s) for one in (self._state.database, self._state.redis)]
            found.append(_quarantine_part(self._state.quarantined, now_s))
            consumers = [self._state.consumers[name] for name in sorted(self._state.consumers)]
        return [*found, *map(_consumer_part, consumers)]

    def _is_up(self, one: Dependency) -> bool:
        return self._now_s() - one.answered_s <= DEPENDENCY_LIMIT_S

    def _set_aside(self, count: int, reason: str) -> None:
        with self._lock:
            known = self._state.quarantined
            self._state.quarantined = Quarantined(known.count + count, self._now_s(), reason)

    def _moved(self) -> None:
        self._watchdog.moved()
        self._metrics.progress_timestamp.labels("worker").set(self._wall_ns() / 1e9)

    def _forget(self, consumer: str) -> None:
        self._metrics.owned.labels(consumer).set(0)
        for family in (self._metrics.position_timestamp, self._metrics.top_timestamp, self._metrics.entries):
            family.remove(consumer)


def entry_s(entry_id: str) -> float:
    """Return the Unix time, in seconds, that an entry's id carries."""
    return int(entry_id.partition("-")[0]) / 1000


def _progress(position: Position, top: Top | None, now_ns: int) -> Progress:
    behind = top is not None and top.waiting > 0 and top.entry_id != position.entry_id
    lag_s = max(0.0, now_ns / 1e9 - max(entry_s(position.entry_id), entry_s(top.first_id))) if behind and top else 0.0
    return Progress(position=position, top=top, lag_s=lag_s)


def _dependency_part(one: Dependency, now_s: float) -> Part:
    age_s = now_s - one.answered_s
    down = age_s > DEPENDENCY_LIMIT_S
    return Part(
        part=one.name,
        status=Status.DOWN if down else Status.OK,
        detail=f"{one.name} has not answered for {age_s:.0f} s" if down else f"{one.name} answers",
        age_s=age_s,
        threshold_s=DEPENDENCY_LIMIT_S,
    )


def _quarantine_part(one: Quarantined, now_s: float) -> Part:
    age_s = None if one.last_s is None else now_s - one.last_s
    recent = age_s is not None and age_s <= QUARANTINE_SHOWN_S
    told = f"{one.count} set aside since the start, the last for {one.reason}: see the table quarantine"
    return Part(
        part="quarantine",
        status=Status.DEGRADED if recent else Status.OK,
        detail=told if recent else "no frame was set aside lately",
        age_s=age_s,
        threshold_s=QUARANTINE_SHOWN_S,
        facts={"set_aside": one.count},
    )


def _consumer_part(progress: Progress) -> Part:
    late = progress.lag_s > LAG_LIMIT_S
    waiting = progress.top.waiting if progress.top else 0
    return Part(
        part=progress.position.consumer,
        status=Status.DEGRADED if late else Status.OK,
        detail=f"{waiting} entries wait, the oldest for {progress.lag_s:.1f} s" if waiting else "all is committed",
        age_s=progress.lag_s,
        threshold_s=LAG_LIMIT_S,
        facts={"waiting_entries": waiting, "position": progress.position.entry_id},
    )
