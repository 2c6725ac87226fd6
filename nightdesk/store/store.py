"""The store: what one turn does to the database."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from nightdesk.consumer import Delivery, Entry, Position
from nightdesk.errors import FrameError, NightdeskError, UnforeseenError
from nightdesk.leases import Backend
from nightdesk.store import effects as turn_effects
from nightdesk.store.batch import PROGRAM_FAILED, Batch, Origin, Refusal, Source, gather, read
from nightdesk.store.database import Connection, RefusedError, statement, translated
from nightdesk.store.days import Days, bounds_ns, days_around, every_table, needed
from nightdesk.store.effects import Effects, Event, Gap, Key
from nightdesk.store.minutes import OpenMinutes
from nightdesk.store.symbols import Symbols
from nightdesk.store.unit import Step, UnitOfWork
from nightdesk.ticks import Kind

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What one committed turn did, by feed; ``oldest_ns`` and ``newest_ns`` are receive times of its ticks."""

    stored: Counter[tuple[str, Kind]]
    duplicates: Counter[tuple[str, Kind]]
    gaps: Counter[tuple[str, Kind]]
    quarantined: Counter[tuple[str, str]]
    oldest_ns: Mapping[str, int]
    newest_ns: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What the gap ledger says of one feed and kind; times are Unix seconds, 0 where there is no such gap.

    ``oldest_s`` is when the oldest of the gaps that are open and younger than ``RECENT_GAP_S`` was opened,
    ``unfillable_s`` when the newest that cannot be filled was last written to.
    """

    open: int = 0
    missing_ids: int = 0
    unfillable: int = 0
    oldest_s: float = 0.0
    unfillable_s: float = 0.0


RECENT_GAP_S: Final = 86_400.0
"""A gap that has been open for longer is known by now."""


class Store:
    """Commit deliveries; one connection, made again after it was lost."""

    def __init__(
        self,
        *,
        worker: str,
        connect: Callable[[], Connection],
        now_ns: Callable[[], int],
        retention_days: int,
        on_commit: Callable[[Committed], None] = lambda _: None,
    ) -> None:
        self._worker = worker
        self._connect = connect
        self._now_ns = now_ns
        self._retention_days = retention_days
        self._on_commit = on_commit
        self._connection: Connection | None = None
        self._backend: Backend | None = None
        self._last: Backend | None = None
        self._symbols = Symbols()
        self._days = Days()
        self._minutes = OpenMinutes()

    def backend(self) -> Backend:
        """Return the server process that commits; connects when needed."""
        if self._connection is None or self._connection.closed or self._backend is None:
            self.close()
            self._connection = self._connect()
            with translated():
                self._end_last(self._connection)
                row = self._connection.execute(statement("this_backend")).fetchone()
            assert row is not None  # noqa: S101  a backend always sees itself
            self._backend = self._last = Backend(process_id=row[0], started_at=row[1])
        return self._backend

    def close(self) -> None:
        """Drop the connection, whatever it had under way, and what was known of the database behind it."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._backend = None
        self._symbols.forget()
        self._days.forget()
        self._minutes.forget()

    def _end_last(self, connection: Connection) -> None:
        """End the server process used before: a cut link is news to it only later, and it may hold locks until then."""
        if self._last is not None:
            values = {"backend_pid": self._last.process_id, "backend_start": self._last.started_at}
            connection.execute(statement("end_backend"), values)
            self._last = None

    def positions(self, consumers: Iterable[str]) -> list[Position]:
        """Return the committed positions of those consumers that this worker owns."""
        values = {"worker": self._worker, "consumers": list(consumers)}
        with translated():
            rows = self._live().execute(statement("load_positions"), values).fetchall()
        return [
            Position(consumer=consumer, stream=stream, entry_id=entry_id, feed=feed, shard=shard)
            for consumer, stream, entry_id, feed, shard in rows
        ]

    def commit(self, deliveries: Sequence[Delivery]) -> None:
        """Store the deliveries and move their positions, all or nothing.

        Frames that cannot be read, and ticks outside of the days that are stored, go to the quarantine. Raises
        LeaseLostError, UnavailableError, RefusedError or UnforeseenError.
        """
        self._in_a_unit(lambda unit: self._commit(unit, deliveries))

    def set_aside(self, delivery: Delivery, error: str) -> None:
        """Put the delivery into quarantine as it is and move its position; raises as ``commit`` does."""
        self._in_a_unit(lambda unit: self._quarantine(unit, delivery, error))

    def forgotten(self, position: Position, published: str) -> None:
        """Ledger what was committed and published once, and is in the database no more.

        Missing ids will show as a jump; this is for what has none.
        """
        unit = UnitOfWork(self._live())
        with translated():
            gaps = turn_effects.forgotten(
                unit.shard_marks(position.feed, position.shard), int(published.partition("-")[0]) * 1000
            )
            if gaps:
                unit.open(gaps)

    def make_days(self) -> None:
        """Make the partitions of the days around today."""
        with translated():
            self._days.ensure(self._live(), every_table(days_around(self._now_ns())))

    def close_bars(self, consumers: Sequence[str], grace_s: float) -> None:
        """Close the bars whose minute ended so long ago by the clock."""
        values = {"consumers": list(consumers), "before_s": self._now_ns() / 1e9 - grace_s}
        with translated():
            self._live().execute(statement("close_old_bars"), values)

    def gap_figures(self, consumers: Sequence[str]) -> dict[tuple[str, Kind], Ledger]:
        """Return what the ledger says of these consumers' gaps by feed and kind, unless all are filled."""
        values = {"consumers": list(consumers), "recent_s": RECENT_GAP_S}
        with translated():
            rows = self._live().execute(statement("gap_figures"), values).fetchall()
        return {
            (feed, Kind(kind)): Ledger(
                open=open_, missing_ids=missing, unfillable=unfillable, oldest_s=oldest_s, unfillable_s=unfillable_s
            )
            for feed, kind, open_, missing, unfillable, oldest_s, unfillable_s in rows
        }

    def server_started_s(self) -> float:
        """Return when PostgreSQL was started, Unix seconds by its own clock."""
        with translated():
            row = self._live().execute(statement("server_started")).fetchone()
        assert row is not None  # noqa: S101  a server knows when it was started
        return float(row[0])

    def _in_a_unit(self, work: Callable[[UnitOfWork], Committed]) -> None:
        unit = UnitOfWork(self._live())
        try:
            with translated():
                committed = work(unit)
        except RefusedError:
            self._days.forget()
            raise
        except NightdeskError:
            raise
        except Exception as error:
            raise UnforeseenError(f"{type(error).__name__}: {error}") from error
        finally:
            unit.end()
        for origin_feed, reason in committed.quarantined:
            log.error("ticks.quarantined", feed=origin_feed, reason=reason)
        self._on_commit(committed)

    def _live(self) -> Connection:
        self.backend()
        assert self._connection is not None  # noqa: S101  backend() connects or raises
        return self._connection

    def _commit(self, unit: UnitOfWork, deliveries: Sequence[Delivery]) -> Committed:
        sources, refusals = self._sources(deliveries)
        low_ns, high_ns = bounds_ns(self._now_ns(), self._retention_days)
        batch = gather(sources, low_ns=low_ns, high_ns=high_ns)
        self._days.ensure(self._live(), needed(batch))
        refusals = [*refusals, *batch.refusals]
        said = turn_effects.events(batch)
        effects, gaps = self._apply(unit, batch, said)
        unit.copy(effects)
        steps = [Step(position=one.position, following=one.following) for one in deliveries]
        closing = self._minutes.closing(effects.bars, self._now_ns())
        unit.commit(
            self._worker, steps, batch=batch, effects=effects, gaps=gaps, refusals=refusals, closing=closing
        )  # fmt: skip
        self._minutes.closed(closing)
        return self._summary(batch, effects, gaps, refusals)

    def _quarantine(self, unit: UnitOfWork, delivery: Delivery, error: str) -> Committed:
        nothing = Batch(sources=(), groups={}, refusals=())
        effects = Effects(ticks={}, marks={})
        refusals = [
            Refusal(origin=_origin(delivery, entry), reason=PROGRAM_FAILED, error=error) for entry in delivery.entries
        ]
        unit.begin([])
        steps = [Step(position=delivery.position, following=delivery.following)]
        unit.commit(self._worker, steps, batch=nothing, effects=effects, gaps=(), refusals=refusals, closing={})
        return self._summary(nothing, effects, (), refusals)

    def _sources(self, deliveries: Sequence[Delivery]) -> tuple[list[Source], list[Refusal]]:
        sources, refusals = [], []
        for one in deliveries:
            feed, shard = one.position.feed, one.position.shard
            for entry in one.entries:
                origin = _origin(one, entry)
                try:
                    frame, symbols = read(entry.payload)
                except FrameError as error:
                    refusals.append(Refusal(origin=origin, reason="malformed_frame", error=str(error)))
                    continue
                self._symbols.learn(self._live(), feed, shard, symbols)
                sources.append(Source(origin=origin, frame=frame, symbol_ids=self._symbols.numbered(feed, frame.names)))
        return sources, refusals

    def _apply(self, unit: UnitOfWork, batch: Batch, said: Sequence[Event]) -> tuple[Effects, list[Gap]]:
        marks = unit.begin(turn_effects.keys(batch, said))
        gaps = unit.open_gaps(turn_effects.late(batch, marks))
        effects = turn_effects.apply(batch, said, marks, gaps)
        opened = self._explained(unit, effects)
        for event in filter(turn_effects.ends_silence, said):
            seen = unit.shard_marks(event.feed, event.shard)
            self._symbols.note(event.feed, event.shard, {symbol for symbol, _ in seen})
            opened += turn_effects.silences(event, seen, batch)
        return effects, turn_effects.merged(opened)

    def _explained(self, unit: UnitOfWork, effects: Effects) -> list[Gap]:
        """The new gaps with their causes: what the shard's feed said while each came about."""
        by_shard: dict[tuple[str, int], list[Gap]] = defaultdict(list)
        for gap in effects.opened:
            by_shard[self._symbols.place_of(gap.key[0])].append(gap)
        explained: list[Gap] = []
        for (feed, shard), gaps in by_shard.items():
            history = unit.recent_events(feed, shard, min(gap.from_us for gap in gaps))
            now = [event for event in effects.events if (event.feed, event.shard) == (feed, shard)]
            explained += turn_effects.causes(gaps, [*history, *now])
        return explained

    def _summary(self, batch: Batch, effects: Effects, gaps: Sequence[Gap], refusals: Sequence[Refusal]) -> Committed:
        received = [
            (source.origin.feed, columns["received_ns"])
            for source in batch.sources
            for columns in source.frame.columns.values()
        ]
        oldest: dict[str, int] = {}
        newest: dict[str, int] = {}
        for feed, column in received:
            oldest[feed] = min(oldest.get(feed, 2**63), int(column.min()))
            newest[feed] = max(newest.get(feed, 0), int(column.max()))
        return Committed(
            stored=self._by_feed(effects.stored()),
            duplicates=self._by_feed(effects.duplicates()),
            gaps=self._by_feed(Counter(gap.key for gap in gaps)),
            quarantined=Counter((one.origin.feed, one.reason) for one in refusals),
            oldest_ns=oldest,
            newest_ns=newest,
        )

    def _by_feed(self, counts: Counter[Key]) -> Counter[tuple[str, Kind]]:
        found: Counter[tuple[str, Kind]] = Counter()
        for (symbol, kind), count in counts.items():
            found[self._symbols.place_of(symbol)[0], kind] += count
        return found


def _origin(delivery: Delivery, entry: Entry) -> Origin:
    position = delivery.position
    return Origin(feed=position.feed, shard=position.shard, entry_id=entry.entry_id, payload=entry.payload)
