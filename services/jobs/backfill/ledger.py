"""The gap ledger, as a backfill reads and writes it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from nightdesk.admission import Interval
from nightdesk.store.database import Connection, translated
from nightdesk.store.tables import TABLES
from nightdesk.ticks import Kind
from services.jobs.backfill.statements import statement

UNFILLED: Final = ("open", "filling")
GIVEN_UP: Final = "unfillable"

FOUND: Final = "found by verification"
"""The cause of a gap that nobody knew of. Its bars are made anew as it is filled: they may hold what was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerGap:
    """A gap that may be filled. Times are Unix microseconds; ``missing`` is None for a gap in time alone."""

    gap_id: int
    symbol_id: int
    feed: str
    symbol: str
    shard: int
    kind: Kind
    missing: Sequence[Interval] | None
    from_us: int
    to_us: int
    opened_us: int
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a gap is left: its state, and the words for it."""

    state: str
    reason: str = ""
    quality: str = ""
    source: str = ""


class GapLedger:
    """The rows of ``gaps`` on one connection; every method raises the store's errors."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def unfilled(
        self, feeds: Iterable[str], *, symbol: str | None, since: datetime | None, until: datetime | None, again: bool
    ) -> list[LedgerGap]:
        """Return the gaps that may be filled, the oldest first; ``again`` adds those that were given up."""
        values = {
            "states": _states(again=again), "feeds": list(feeds), "symbol": symbol, "from": since, "to": until,
        }  # fmt: skip
        return [_gap(row) for row in self._all("backfill_gaps", values)]

    def claim(self, gap: LedgerGap, *, again: bool) -> Sequence[Interval] | None:
        """Take a gap to oneself; return what it lacks now, None when somebody else has it or it is filled.

        What lacks no known ids lacks ``()``.
        """
        if not self._one("backfill_claim", {"gap_id": gap.gap_id})[0]:
            return None
        rows = self._all("backfill_begin", {"gap_id": gap.gap_id, "states": _states(again=again)})
        return _intervals(rows[0][0]) or () if rows else None

    def release(self, gap: LedgerGap) -> None:
        """Let others have it."""
        self._one("backfill_release", {"gap_id": gap.gap_id})

    def missing(self, gap: LedgerGap) -> Sequence[Interval] | None:
        """Return what a gap lacks now, None for a gap in time alone."""
        return _intervals(self._one("backfill_missing", {"gap_id": gap.gap_id})[0])

    def name_missing(self, gap: LedgerGap, missing: Sequence[Interval]) -> None:
        """Say which ids a gap in time lacks."""
        self._do("backfill_name_missing", {"gap_id": gap.gap_id, "missing": multirange(missing)})

    def finish(self, gap: LedgerGap, missing: Sequence[Interval] | None, verdict: Verdict) -> bool:
        """Write how a gap is left, unless it lacks something else by now."""
        values = {
            "gap_id": gap.gap_id, "missing": None if missing is None else multirange(missing), "state": verdict.state,
            "quality": verdict.quality, "source": verdict.source, "reason": verdict.reason,
        }  # fmt: skip
        return bool(self._all("backfill_finish", values))

    def archived(self, kind: Kind) -> frozenset[date]:
        """Return the days whose ticks are no longer in the database, but kept as files."""
        return frozenset(day for (day,) in self._all("backfill_archived", {"tick_table": TABLES[kind]}))

    def _all(self, name: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        with translated():
            return self._connection.execute(statement(name), values).fetchall()

    def _one(self, name: str, values: Mapping[str, Any]) -> tuple[Any, ...]:
        (row,) = self._all(name, values)
        return row

    def _do(self, name: str, values: Mapping[str, Any]) -> None:
        with translated():
            self._connection.execute(statement(name), values)


def multirange(intervals: Iterable[Interval]) -> str:
    """Return intervals as PostgreSQL reads them."""
    return "{" + ",".join(f"[{low},{high}]" for low, high in intervals) + "}"


def _states(*, again: bool) -> list[str]:
    return [*UNFILLED, *([GIVEN_UP] if again else [])]


def _gap(row: tuple[Any, ...]) -> LedgerGap:
    gap_id, symbol_id, feed, symbol, shard, kind, missing, from_us, to_us, opened_us, cause = row
    return LedgerGap(
        gap_id=gap_id, symbol_id=symbol_id, feed=feed, symbol=symbol, shard=shard, kind=Kind(kind),
        missing=_intervals(missing), from_us=from_us, to_us=max(from_us, to_us), opened_us=opened_us, cause=cause,
    )  # fmt: skip


def _intervals(missing: Any) -> list[Interval] | None:  # noqa: ANN401  the driver's multirange, which has no type
    return None if missing is None else [(one.lower, one.upper - 1) for one in missing]
