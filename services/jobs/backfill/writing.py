"""Store what was missing: ticks, bars and the smaller gap in one transaction, under the one rule of admission."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final, TypeAlias

import numpy as np

from nightdesk import frames
from nightdesk.bars import Bars
from nightdesk.store import effects as turn_effects
from nightdesk.store.batch import Batch, Origin, Source, gather
from nightdesk.store.database import Connection, translated
from nightdesk.store.days import DAY_NS, Days, bounds_ns, needed
from nightdesk.store.effects import Effects
from nightdesk.store.unit import UnitOfWork
from nightdesk.ticks import AggTrade, Trade
from services.jobs.backfill.ledger import FOUND, LedgerGap
from services.jobs.backfill.statements import statement

Ticks: TypeAlias = Sequence[Trade | AggTrade]

OWNER: Final = "backfill"
MINUTE_NS: Final = 60 * 10**9
SESSION: Final = (
    b"SET lock_timeout = '10s'",
    b"SET statement_timeout = '60s'",
    b"SET idle_in_transaction_session_timeout = '30s'",
    b"SET synchronous_commit = off",
)
"""Whoever waits for longer lets go and is tried again, and what stops in the middle of a page must not keep the live
feed from its marks. A page that a crash of the server takes back takes its gap's shrinking back with it, and is fetched
again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of a page: ticks stored, and those of days that are kept as files or no longer kept."""

    stored: int = 0
    archived: tuple[date, ...] = ()
    too_old: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What the ledger is told with a page: where it is from, and the gap's state where ids do not tell it."""

    source: str
    state: str | None


class Writer:
    """Commits pages of one backfill's ticks."""

    def __init__(self, connection: Connection, *, now_ns: Callable[[], int], retention_days: int) -> None:
        self._connection = connection
        self._now_ns = now_ns
        self._retention_days = retention_days
        self._days = Days()
        with translated():
            for setting in SESSION:
                connection.execute(setting)

    def write(
        self,
        gap: LedgerGap,
        ticks: Ticks,
        *,
        source: str,
        archived: frozenset[date],
        choose: Callable[[Ticks], Ticks] | None = None,
        state: str | None = None,
    ) -> Written:
        """Commit ticks of the gap's symbol and kind.

        ``choose`` picks among them what is not stored yet, under the mark's lock, where ids cannot tell; ``state`` is
        the gap's then, in the same transaction. Raises the store's errors, and then nothing was committed.
        """
        bounds = bounds_ns(self._now_ns(), self._retention_days)
        young = [one for one in ticks if bounds[0] <= one.exchange_ns < bounds[1]]
        days = tuple(sorted({_day(one.exchange_ns) for one in young} & archived)) if archived else ()
        kept = [one for one in young if _day(one.exchange_ns) not in days] if days else young
        stored = 0
        if kept or state:
            whole = _batch(gap, kept, bounds)
            with translated():
                self._days.ensure(self._connection, needed(whole))
                batch_of = (lambda: _batch(gap, choose(kept), bounds)) if choose else lambda: whole
                stored = self._commit(gap, batch_of, Note(source=source, state=state))
        return Written(stored=stored, archived=days, too_old=len(ticks) - len(young))

    def _commit(self, gap: LedgerGap, batch_of: Callable[[], Batch], note: Note) -> int:
        key = (gap.symbol_id, gap.kind)
        unit = UnitOfWork(self._connection)
        try:
            marks = unit.begin([key])
            batch = batch_of()
            effects = turn_effects.apply(batch, (), marks, unit.open_gaps(turn_effects.late(batch, marks)))
            effects = _unheard(effects, gap.from_us if key not in marks else marks[key].last_received_us)
            unit.copy(effects)
            if gap.cause == FOUND and effects.bars is not None:
                self._make_bars_anew(gap, effects.bars)
                effects = replace(effects, bars=None)
            self._note(gap, note)
            opened = turn_effects.causes(effects.opened, ())
            closing = self._closing(gap)
            unit.commit(OWNER, (), batch=batch, effects=effects, gaps=opened, refusals=(), closing=closing)
        finally:
            unit.end()
        return effects.stored()[key]

    def _make_bars_anew(self, gap: LedgerGap, bars: Bars) -> None:
        """Make the page's bars of all trades that are stored, those of the page among them."""
        minutes = bars.minute.tolist()
        values = {
            "symbol_id": gap.symbol_id, "minutes": minutes, "from_s": min(minutes) * 60, "to_s": max(minutes) * 60 + 60,
        }  # fmt: skip
        self._connection.execute(statement("backfill_rebuild"), values)

    def _note(self, gap: LedgerGap, note: Note) -> None:
        values = {"gap_id": gap.gap_id, "source": note.source, "state": note.state}
        self._connection.execute(statement("backfill_note"), values)

    def _closing(self, gap: LedgerGap) -> dict[int, int]:
        """Bars that ended a minute ago are over, whoever wrote them."""
        return {gap.symbol_id: self._now_ns() // MINUTE_NS - 1}


def _batch(gap: LedgerGap, ticks: Ticks, bounds: tuple[int, int]) -> Batch:
    if not ticks:
        return Batch(sources=(), groups={}, refusals=())
    origin = Origin(feed=gap.feed, shard=gap.shard, entry_id=OWNER, payload=b"")
    pieces = [ticks[at : at + frames.MAX_ROWS] for at in range(0, len(ticks), frames.MAX_ROWS)]
    sources = [
        Source(
            origin=origin,
            frame=(frame := frames.decode(frames.encode(piece))),
            symbol_ids=np.full(len(frame.names), gap.symbol_id, dtype=np.int32),
        )
        for piece in pieces
    ]
    return gather(sources, low_ns=bounds[0], high_ns=bounds[1])


def _unheard(effects: Effects, last_received_us: int) -> Effects:
    """Leave alone when the feed was last heard: what was fetched says nothing of it, and gaps in time begin there."""
    marks = {key: replace(mark, last_received_us=last_received_us) for key, mark in effects.marks.items()}
    return replace(effects, marks=marks)


def _day(time_ns: int) -> date:
    return datetime.fromtimestamp(time_ns // DAY_NS * DAY_NS // 10**9, UTC).date()
