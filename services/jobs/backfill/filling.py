"""Fill one gap: by its ids, by its time, or with candles where the exchange has no trades of it any more."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from nightdesk.admission import Interval
from nightdesk.errors import ExchangeError
from nightdesk.exchanges.history import MINUTE_NS, Candle
from nightdesk.store.database import Connection, translated
from nightdesk.store.days import bounds_ns
from nightdesk.ticks import AggTrade, Kind, Trade
from services.jobs.backfill.intervals import holds, left_out, size, within, without
from services.jobs.backfill.ledger import GapLedger, LedgerGap, Verdict
from services.jobs.backfill.reaching import Reached
from services.jobs.backfill.statements import statement
from services.jobs.backfill.writing import Writer

SETTLED_US: Final = 3600 * 10**6
"""A history may be behind its stream; what it does not have after an hour it will not have."""

LOOK_AHEAD_NS: Final = 3600 * 10**9
"""How far after a gap in time the trade is looked for that ends it."""

_ENDLESS: Final = "where it ends shows once a later trade is known"

NO_COUNT: Final = -1
"""In ``klines``, where the exchange does not count a candle's trades."""


@dataclass(slots=True, kw_only=True)
class Found:
    """What one gap's filling has come to so far."""

    stored: int = 0
    candles: int = 0
    lost: list[Interval] = field(default_factory=list)
    archived: set[date] = field(default_factory=set)
    too_old: int = 0
    is_behind: bool = False
    is_cut_short: bool = False


class Filler:
    """Fills the gaps of one feed."""

    def __init__(
        self,
        *,
        connection: Connection,
        ledger: GapLedger,
        writer: Writer,
        reached: Reached,
        now_ns: Callable[[], int],
        retention_days: int,
        may_go_on: Callable[[], bool],
        on_ids: Callable[[LedgerGap, int], None] = lambda _gap, _ids: None,
    ) -> None:
        """``may_go_on`` is asked before every request for trades; ``on_ids`` is told how many ids were dealt with."""
        self._connection = connection
        self._ledger = ledger
        self._writer = writer
        self._reached = reached
        self._now_ns = now_ns
        self._retention_days = retention_days
        self._may_go_on = may_go_on
        self._on_ids = on_ids

    def fill(self, gap: LedgerGap, missing: Sequence[Interval]) -> tuple[Verdict, Found]:
        """Fill what can be filled and write down how the gap is left.

        Raises UnavailableError and the store's errors; what was committed until then stays, and the gap is resumed.
        """
        found = Found()
        try:
            if missing:
                return self._by_id(gap, missing, found), found
            return self._without_ids(gap, found), found
        except ExchangeError as error:
            verdict = self._refused(error)
            self._ledger.finish(gap, self._ledger.missing(gap), verdict)
            return verdict, found

    def _by_id(self, gap: LedgerGap, missing: Sequence[Interval], found: Found) -> Verdict:
        pending = list(missing)
        archived = self._ledger.archived(gap.kind)
        days = {_time(at_us).date() for at_us in (gap.from_us, gap.to_us)}
        if days <= archived:  # what would be asked for could not be stored
            found.archived |= days
            return self._judged(gap, found)
        while pending:
            if not self._may_go_on():
                found.is_cut_short = True
                break
            before = size(pending)
            pending = self._page(gap, pending, archived, found)
            if size(pending) == before:
                found.is_behind = True
                break
            self._on_ids(gap, before - size(pending))
        return self._judged(gap, found)

    def _page(self, gap: LedgerGap, pending: list[Interval], archived: frozenset[date], found: Found) -> list[Interval]:
        """Store one page of what is pending; return what still is."""
        history = self._reached.history
        wanted = (pending[0][0], pending[-1][1])
        request = history.ticks(gap.kind, gap.symbol, wanted)
        if request is None:
            return pending
        body = self._reached.rest.get(request)
        page = history.read_ticks(gap.kind, gap.symbol, body, wanted, self._now_ns())
        if page.covered is None:
            return pending
        fresh = [one for one in page.ticks if holds(pending, tick_id(one))]
        written = self._writer.write(gap, fresh, source=history.sources[gap.kind], archived=archived)
        found.stored += written.stored
        found.archived |= set(written.archived)
        found.too_old += written.too_old
        found.lost += left_out(within(pending, page.covered), sorted(map(tick_id, fresh)))
        return without(pending, page.covered)

    def _judged(self, gap: LedgerGap, found: Found) -> Verdict:
        """Write how the gap is left; what came in late meanwhile is looked at again."""
        while True:
            still = self._ledger.missing(gap)
            if not still:
                return Verdict(state="filled", quality="trades")
            verdict = self._verdict(gap, still, found)
            if self._ledger.finish(gap, still, verdict):
                return verdict

    def _verdict(self, gap: LedgerGap, still: Sequence[Interval], found: Found) -> Verdict:
        if found.is_cut_short:
            return Verdict(state="filling", reason=f"{size(still)} ids are still to be asked for")
        if found.archived:
            days = ", ".join(str(day) for day in sorted(found.archived))
            return Verdict(state="open", reason=f"day is archived: {days}")
        if found.is_behind and self._is_fresh(gap):
            return Verdict(state="open", reason="the exchange's history does not have it yet")
        if found.too_old:
            return Verdict(
                state="unfillable",
                reason=f"{size(still)} ids lie before the {self._retention_days} days that are stored",
            )
        return self._with_candles(gap, f"the exchange has no trades with {size(still)} of its ids", found)

    def _is_fresh(self, gap: LedgerGap) -> bool:
        return self._now_ns() // 1000 - gap.opened_us < SETTLED_US

    def _with_candles(self, gap: LedgerGap, why: str, found: Found) -> Verdict:
        """Put the exchange's candles beside a gap whose trades cannot be had, once its last minute is over."""
        if gap.kind is not Kind.TRADE:
            return Verdict(state="unfillable", reason=why)
        from_ns = gap.from_us * 1000 // MINUTE_NS * MINUTE_NS
        to_ns = -(-gap.to_us * 1000 // MINUTE_NS) * MINUTE_NS
        if to_ns > self._now_ns():
            return Verdict(state="open", reason=f"{why}; its last minute is not over")
        candles = self._reached.candles(gap.symbol, from_ns, to_ns)
        if not candles:
            return Verdict(state="unfillable", reason=why)
        self._store(gap, candles)
        found.candles = len(candles)
        minutes = (to_ns - from_ns) // MINUTE_NS
        return Verdict(
            state="unfillable",
            reason=f"{why}; candles of {len(candles)} of its {minutes} minutes are in klines",
            quality="bars",
            source=self._reached.history.candle_source,
        )

    def _store(self, gap: LedgerGap, candles: Sequence[Candle]) -> None:
        values = {
            "symbol_id": gap.symbol_id,
            "open_s": [one.open_ns // 10**9 for one in candles],
            **{
                name: [float(getattr(one, name)) for one in candles]
                for name in ("open", "high", "low", "close", "volume")
            },
            "trades": [NO_COUNT if one.trades is None else one.trades for one in candles],
        }
        with translated():
            self._connection.execute(statement("backfill_candles"), values)

    def _refused(self, error: ExchangeError) -> Verdict:
        if self._reached.history.knows_not(error):
            return Verdict(state="unfillable", reason="the exchange has no such symbol")
        return Verdict(state="open", reason=f"the exchange refuses: {error}"[:500])

    def _without_ids(self, gap: LedgerGap, found: Found) -> Verdict:
        """Fill a gap of which only its time is known."""
        history = self._reached.history
        request = history.around(gap.symbol, gap.from_us * 1000, gap.to_us * 1000)
        if request is None or gap.kind is not Kind.TRADE:
            return self._settled(gap, self._with_candles(gap, "the exchange does not find trades by their time", found))
        kept_away = self._kept_away(gap)
        if kept_away is not None:
            return self._settled(gap, kept_away)
        told = history.read_around(gap.symbol, self._reached.rest.get(request), self._now_ns())
        if gap.kind in history.sources:
            return self._by_found_ids(gap, told, found)
        return self._by_time(gap, told, found)

    def _kept_away(self, gap: LedgerGap) -> Verdict | None:
        """Return what is said of a gap in days that are not in the database."""
        days = {_time(at_us).date() for at_us in (gap.from_us, gap.to_us)} & self._ledger.archived(gap.kind)
        if days:
            return Verdict(state="open", reason=f"day is archived: {', '.join(str(day) for day in sorted(days))}")
        low_ns, _ = bounds_ns(self._now_ns(), self._retention_days)
        if gap.to_us * 1000 < low_ns:
            return Verdict(state="unfillable", reason=f"it lies before the {self._retention_days} days that are stored")
        return None

    def _by_found_ids(self, gap: LedgerGap, told: Sequence[Trade], found: Found) -> Verdict:
        """Fill a gap in time by the ids that were found in it."""
        if not told:
            state = "open" if self._is_fresh(gap) else "filled"
            return self._settled(gap, Verdict(state=state, reason="the exchange has no trades in that time"))
        after = self._reached.history.around(gap.symbol, gap.to_us * 1000 + 1, gap.to_us * 1000 + LOOK_AHEAD_NS)
        beyond = self._reached.history.read_around(gap.symbol, self._reached.rest.get(after), 0) if after else ()
        if not beyond:
            return self._settled(gap, Verdict(state="open", reason=_ENDLESS))
        missing = [(told[0].trade_id, max(told[0].trade_id, beyond[0].trade_id - 1))]
        self._ledger.name_missing(gap, missing)
        return self._by_id(gap, missing, found)

    def _by_time(self, gap: LedgerGap, told: Sequence[Trade], found: Found) -> Verdict:
        """Fill a gap of trades without ids from the latest that the exchange tells of."""
        if self._is_fresh(gap) and (not told or told[-1].exchange_ns // 1000 <= gap.from_us):
            return self._settled(gap, Verdict(state="open", reason="the exchange's history does not have it yet"))
        span = self._span(gap, told)
        if span is None:
            return self._settled(gap, Verdict(state="open", reason=_ENDLESS))
        source = self._reached.history.time_source
        inside = [one for one in told if span.from_us <= one.exchange_ns // 1000 <= span.to_us]
        is_whole = not told or told[0].exchange_ns // 1000 < span.from_us
        written = self._writer.write(
            gap,
            inside,
            source=source,
            archived=frozenset(),
            choose=lambda ticks: self._not_stored(gap, span, ticks),
            state="filled" if is_whole else None,
        )
        found.stored += written.stored
        if is_whole:
            return Verdict(state="filled", quality="trades", source=source)
        why = f"the exchange tells of its latest {len(told)} trades only"
        return self._settled(gap, self._with_candles(gap, why, found))

    def _settled(self, gap: LedgerGap, verdict: Verdict) -> Verdict:
        self._ledger.finish(gap, None, verdict)
        return verdict

    def _span(self, gap: LedgerGap, told: Sequence[Trade]) -> "Span | None":
        """Return between which of the exchange's times the gap lies, None while that cannot be told.

        It ends at the first trade that the feed brought after it, once a later one shows that all of that moment have
        been stored; or where the exchange's last trade is older than the end.
        """
        values = {"symbol_id": gap.symbol_id, "from": _time(gap.from_us), "to": _time(gap.to_us)}
        with translated():
            row = self._connection.execute(statement("backfill_around"), values).fetchone()
        assert row is not None  # noqa: S101  a SELECT of two values has one row
        before_us, after_us = row[0] or gap.from_us, row[1] or []
        if not told or told[-1].exchange_ns // 1000 <= gap.to_us:
            return Span(from_us=before_us, to_us=gap.to_us)
        return Span(from_us=before_us, to_us=after_us[0]) if len(after_us) > 1 else None

    def _not_stored(
        self, gap: LedgerGap, span: "Span", ticks: Sequence[Trade | AggTrade]
    ) -> Sequence[Trade | AggTrade]:
        """Leave out as many equal trades as are stored: without ids nothing else tells them apart."""
        values = {"symbol_id": gap.symbol_id, "from_us": span.from_us, "to_us": span.to_us}
        stored = Counter(self._connection.execute(statement("backfill_stored"), values).fetchall())
        chosen = []
        for one in ticks:
            same = (one.exchange_ns // 1000, one.price, one.size, int(one.side))
            if stored[same]:
                stored[same] -= 1
            else:
                chosen.append(one)
        return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of the exchange's own time, both ends inclusive, Unix microseconds."""

    from_us: int
    to_us: int


def tick_id(tick: Trade | AggTrade) -> int:
    """Return what identifies a tick."""
    return tick.trade_id if isinstance(tick, Trade) else tick.agg_id


def _time(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1e6, UTC)
