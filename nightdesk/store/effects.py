"""What one turn changes: a pure function of its ticks, the marks and the open gaps."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from nightdesk.admission import NO_GAPS, Admission, Interval, OpenGaps, admit, admit_rising
from nightdesk.bars import Bars, fold
from nightdesk.store.batch import CONTIGUOUS, HIGHEST_ID, ID_COLUMN, Batch, Columns, Group, select
from nightdesk.ticks import NO_ID, EventName, Kind

Array: TypeAlias = npt.NDArray[Any]
Key: TypeAlias = tuple[int, Kind]
"""A symbol's number and a kind."""

MOST_NEW_GAPS: Final = 32
"""Holes of one symbol in one turn that get a row each; more share one row, whose ``missing`` lists them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far one symbol and kind is; ``last_received_us`` is Unix time in microseconds."""

    mark: int | None
    last_received_us: int
    stored: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A new row of the ledger. Ids are inclusive and ``missing`` is empty for a gap in time alone."""

    key: Key
    from_us: int
    to_us: int
    missing: tuple[Interval, ...] = ()
    cause: str = ""
    state: str = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A feed about itself, as it is stored; ``symbol_id`` is 0 for all symbols of the shard."""

    feed: str
    shard: int
    symbol_id: int
    name: str
    kind: int
    from_id: int
    to_id: int
    since_us: int
    received_us: int
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Everything the transaction writes but the positions.

    ``marks`` hold what to add: the new mark and receive time, and how many were stored and dropped this turn.
    """

    ticks: Mapping[Kind, Group]
    marks: Mapping[Key, Mark]
    events: Sequence[Event] = ()
    opened: Sequence[Gap] = ()
    shrunken: Mapping[int, Sequence[Interval]] = field(default_factory=dict)
    bars: Bars | None = None

    def stored(self) -> Counter[Key]:
        """Return how many ticks are stored."""
        return Counter({key: mark.stored for key, mark in self.marks.items() if mark.stored})

    def duplicates(self) -> Counter[Key]:
        """Return how many ticks are dropped because they are stored already."""
        return Counter({key: mark.duplicates for key, mark in self.marks.items() if mark.duplicates})


def keys(batch: Batch, events: Sequence[Event]) -> list[Key]:
    """Return the marks a turn needs, in the order in which they are to be locked."""
    found: set[Key] = set()
    for kind, group in batch.groups.items():
        if kind is not Kind.EVENT:
            found |= {(symbol, kind) for symbol in group.symbols}
    found |= {(event.symbol_id, Kind(event.kind)) for event in events if _announces(event) or _breaks(event)}
    return sorted(found)


def late(batch: Batch, marks: Mapping[Key, Mark]) -> list[Key]:
    """Return where an id is not above its mark: only there do open gaps matter."""
    found = []
    for kind in CONTIGUOUS & batch.groups.keys():
        group = batch.groups[kind]
        ids = group.columns[ID_COLUMN[kind]]
        lowest = np.minimum.reduceat(np.where(ids > NO_ID, ids, np.iinfo(np.int64).max), group.starts).tolist()
        found += [
            (symbol, kind)
            for symbol, low in zip(group.symbols, lowest, strict=True)
            if _is_late(low, marks.get((symbol, kind)))
        ]
    return sorted(found)


def events(batch: Batch) -> list[Event]:
    """Return the events of a turn in the order of their arrival."""
    group = batch.groups.get(Kind.EVENT)
    if group is None:
        return []
    rows = zip(*(group.columns[name].tolist() for name in _EVENT_COLUMNS), strict=True)
    found = [_event(batch, dict(zip(_EVENT_COLUMNS, row, strict=True))) for row in rows]
    return sorted(found, key=lambda event: event.received_us)


_EVENT_COLUMNS: Final = (
    "source", "symbol_id", "name", "kind", "from_id", "to_id", "since_ns", "received_ns", "cause",
)  # fmt: skip


def apply(batch: Batch, said: Sequence[Event], marks: Mapping[Key, Mark], gaps: Mapping[Key, OpenGaps]) -> Effects:
    """Return the effects of a turn; ``said`` are its events and ``gaps`` the open gaps where ids are late."""
    ledger = _Ledger(marks, gaps, said)
    ticks = {kind: admitted for kind, group in batch.groups.items() if (admitted := ledger.take(kind, group))}
    ledger.take_announced()
    return Effects(
        ticks=ticks,
        marks=ledger.marks,
        events=said,
        opened=[*ledger.opened, *_broken(said, batch, marks)],
        shrunken=ledger.shrunken,
        bars=_bars(ticks[Kind.TRADE]) if Kind.TRADE in ticks else None,
    )


class _Ledger:
    """Admit one kind after the other, and keep what became of marks and gaps."""

    def __init__(self, marks: Mapping[Key, Mark], gaps: Mapping[Key, OpenGaps], said: Sequence[Event]) -> None:
        self._before = marks
        self._gaps = gaps
        self._announced: dict[Key, list[Interval]] = {}
        self._announced_us: dict[Key, int] = {}
        for event in said:
            if _announces(event):
                key = (event.symbol_id, Kind(event.kind))
                self._announced.setdefault(key, []).append((event.from_id, event.to_id))
                self._announced_us[key] = event.received_us
        self.marks: dict[Key, Mark] = {}
        self.opened: list[Gap] = []
        self.shrunken: dict[int, Sequence[Interval]] = {}

    def take(self, kind: Kind, group: Group) -> Group | None:
        """Return the ticks of one kind that are new, ``None`` when there are none."""
        if kind is Kind.EVENT:
            return None
        received_us = np.maximum.reduceat(group.columns["received_ns"], group.starts) // 1000
        masks = []
        for (symbol, rows), last_us in zip(group.slices(), received_us.tolist(), strict=True):
            key = (symbol, kind)
            admission = self._admission(key, group.columns, rows)
            self._note(key, admission, group.columns, rows, last_us)
            masks.append(admission.admitted)
        if all(bool(mask.all()) for mask in masks):
            return group
        admitted = np.concatenate(masks)
        return Group.of(select(group.columns, admitted)) if admitted.any() else None

    def take_announced(self) -> None:
        """Raise the marks of what was announced while none of its ticks came."""
        for key in self._announced.keys() - self.marks.keys():
            admission = admit(_NO_IDS, self._mark(key), announced=self._announced[key])
            if admission.mark is not None:
                self._note(key, admission, {}, slice(0, 0), self._announced_us[key])

    def _admission(self, key: Key, columns: Columns, rows: slice) -> Admission:
        kind = key[1]
        if kind not in ID_COLUMN:
            return Admission(admitted=np.ones(rows.stop - rows.start, dtype=np.bool_), mark=None)
        ids = columns[ID_COLUMN[kind]][rows]
        if kind not in CONTIGUOUS:
            return admit_rising(ids, self._mark(key))
        return admit(ids, self._mark(key), self._gaps.get(key, NO_GAPS), self._announced.get(key, ()))

    def _mark(self, key: Key) -> int | None:
        return self._before[key].mark if key in self._before else None

    def _note(self, key: Key, admission: Admission, columns: Columns, rows: slice, last_us: int) -> None:
        stored = int(admission.admitted.sum())
        self.marks[key] = Mark(
            mark=admission.mark, last_received_us=last_us, stored=stored, duplicates=admission.duplicates
        )
        self.shrunken.update(admission.shrunken)
        holes = admission.opened
        for missing in [holes] if len(holes) > MOST_NEW_GAPS else [(one,) for one in holes]:
            before_us = self._before[key].last_received_us if key in self._before else last_us
            from_us = _received_us(columns, key[1], rows, missing[0][0] - 1, before_us)
            to_us = _received_us(columns, key[1], rows, missing[-1][1] + 1, last_us)
            self.opened.append(Gap(key=key, from_us=from_us, to_us=max(from_us, to_us), missing=tuple(missing)))


_NO_IDS: Final = np.empty(0, dtype=np.int64)


def causes(gaps: Iterable[Gap], history: Sequence[Event]) -> list[Gap]:
    """Return the gaps with what is known of why; ``history`` are the shard's events, oldest first."""
    return [gap if gap.cause else replace(gap, cause=_cause(gap, history)) for gap in gaps]


def silences(event: Event, seen: Mapping[Key, Mark], batch: Batch) -> list[Gap]:
    """Return the gaps in time that a connection ends, for the kinds of its shard whose ids cannot tell.

    Quotes and depth have no history to be filled from; trades without ids may have one. ``seen`` are all marks of the
    shard as they were before the turn.
    """
    gaps = []
    for key, mark in seen.items():
        if not _untold(key, mark):
            continue
        from_us = _last_before(batch, key, event.received_us, mark.last_received_us)
        if from_us < event.received_us:
            gaps.append(Gap(key=key, from_us=from_us, to_us=event.received_us, cause=_why(event), state=_hope(key)))
    return gaps


def forgotten(seen: Mapping[Key, Mark], to_us: int) -> list[Gap]:
    """Return the gaps in time between what a restored database knows and what was committed before."""
    return [
        Gap(key=key, from_us=mark.last_received_us, to_us=to_us, cause=_FORGOTTEN, state=_hope(key))
        for key, mark in seen.items()
        if _untold(key, mark) and mark.last_received_us < to_us
    ]


_FORGOTTEN: Final = "the database went back to an older state"


def _untold(key: Key, mark: Mark) -> bool:
    """Whether ids cannot tell what is missing."""
    return key[1] in _UNTOLD and (key[1] not in CONTIGUOUS or mark.mark is None)


def _hope(key: Key) -> str:
    """The state of a gap in time: only trades have a history anywhere."""
    return "open" if key[1] in CONTIGUOUS else "unfillable"


_UNTOLD: Final = frozenset({Kind.TRADE, Kind.AGG_TRADE, Kind.QUOTE, Kind.DEPTH})


def ends_silence(event: Event) -> bool:
    """Return whether the event is a new connection; what went before it is known by the marks, not by the feed.

    A collector that was killed cannot say so: its successor connects as if for the first time.
    """
    return event.name == EventName.CONNECTED


def _announces(event: Event) -> bool:
    """Whether the event names ids that exist; beyond the highest that are stored it names none."""
    if event.name != EventName.ANNOUNCED or event.kind not in CONTIGUOUS or not event.symbol_id:
        return False
    return NO_ID < event.to_id <= HIGHEST_ID


def _is_late(lowest: int, mark: Mark | None) -> bool:
    return mark is not None and mark.mark is not None and lowest <= mark.mark


def _event(batch: Batch, row: Mapping[str, int]) -> Event:
    source = batch.sources[row["source"]]
    names = source.frame.names
    return Event(
        feed=source.origin.feed,
        shard=source.origin.shard,
        symbol_id=row["symbol_id"],
        name=names[row["name"]],
        kind=row["kind"],
        from_id=row["from_id"],
        to_id=row["to_id"],
        since_us=row["since_ns"] // 1000,
        received_us=row["received_ns"] // 1000,
        cause=names[row["cause"]],
    )


def _received_us(columns: Columns, kind: Kind, rows: slice, tick_id: int, default_us: int) -> int:
    """When the neighbour of a gap was received, if it is in the batch."""
    if not columns:
        return default_us
    (places,) = np.nonzero(columns[ID_COLUMN[kind]][rows] == tick_id)
    return int(columns["received_ns"][rows][places[0]]) // 1000 if len(places) else default_us


def _broken(said: Sequence[Event], batch: Batch, before: Mapping[Key, Mark]) -> list[Gap]:
    """Breaks the feed noticed in sequences that do not rise by one, and depth until its book was synchronised.

    Nothing can fill them.
    """
    gaps = []
    for event in filter(_breaks, said):
        key = (event.symbol_id, Kind(event.kind))
        earliest_us = before[key].last_received_us if key in before else 0
        from_us = _last_before(batch, key, event.received_us, earliest_us) or event.received_us
        missing = ((event.from_id, event.to_id),) if NO_ID < event.from_id <= event.to_id <= HIGHEST_ID else ()
        if missing or from_us < event.received_us:
            cause = _why(event) if event.name == EventName.SEQUENCE_BREAK else ""
            from_us = min(from_us, event.received_us)
            gap = Gap(key=key, from_us=from_us, to_us=event.received_us, cause=cause, state="unfillable")
            gaps.append(replace(gap, missing=missing))
    return gaps


def _breaks(event: Event) -> bool:
    known = event.name in {EventName.SEQUENCE_BREAK, EventName.SYNCHRONISED}
    return known and event.kind in {Kind.QUOTE, Kind.DEPTH} and event.symbol_id > 0


def merged(gaps: Iterable[Gap]) -> list[Gap]:
    """Return the gaps with those in time alone that begin together made one."""
    kept: dict[tuple[Key, int], Gap] = {}
    ids: list[Gap] = []
    for gap in gaps:
        if gap.missing:
            ids.append(gap)
            continue
        longest = max(gap, kept.get((gap.key, gap.from_us), gap), key=lambda one: one.to_us)
        kept[gap.key, gap.from_us] = longest
    return [*ids, *kept.values()]


def _cause(gap: Gap, history: Sequence[Event]) -> str:
    told = [
        event
        for event in history
        if gap.from_us <= event.received_us <= gap.to_us
        and event.name in _TELLING
        and event.symbol_id in {0, gap.key[0]}
        and event.kind in {0, gap.key[1]}
    ]
    lost = [event for event in told if event.name == EventName.DISCONNECTED]
    return _why((lost or told)[-1]) if told else "sequence break"


_TELLING: Final = frozenset({EventName.CONNECTED, EventName.DISCONNECTED, EventName.SEQUENCE_BREAK})


def _why(event: Event) -> str:
    """One line for the ledger."""
    if event.name == EventName.SEQUENCE_BREAK:
        return event.cause or "sequence break"
    if event.name == EventName.CONNECTED and not event.since_us:
        return "collector restarted"
    return f"disconnected: {event.cause}" if event.cause else "disconnected"


def _last_before(batch: Batch, key: Key, moment_us: int, default_us: int) -> int:
    group = batch.groups.get(key[1])
    if group is None or key[0] not in group.symbols:
        return default_us
    place = group.symbols.index(key[0])
    rows = slice(int(group.starts[place]), int(group.starts[place] + group.counts[place]))
    received_us = group.columns["received_ns"][rows] // 1000
    earlier = received_us[received_us < moment_us]
    return max(default_us, int(earlier.max())) if len(earlier) else default_us


def _bars(trades: Group) -> Bars:
    columns = trades.columns
    return fold(
        symbol=columns["symbol_id"],
        time_ns=columns["time_ns"],
        key=np.where(columns["trade_id"] > NO_ID, columns["trade_id"], columns["time_ns"]),
        price=columns["price"],
        size=columns["size"],
        side=columns["side"],
    )
