"""Verify what is stored, symbol by symbol and minute by minute: ids contiguous, bars the exchange's own.

A closed UTC day is compared with the exchange's candles, fetched over REST, to the last digit of its steps. What was
found is kept in ``completeness``. Ids that are missing and that the ledger does not know of are written into it, to be
filled.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final

import structlog
from pydantic import BeforeValidator, Field

from nightdesk.admission import Interval
from nightdesk.calendars import Calendars, read_closures, spans_in_child
from nightdesk.errors import ExchangeError
from nightdesk.exchanges.history import Candle
from nightdesk.runs import Json
from nightdesk.store.database import Connection
from nightdesk.store.days import bounds_ns
from nightdesk.ticks import Kind
from services.jobs.backfill.intervals import joined, size, without
from services.jobs.backfill.ledger import GapLedger
from services.jobs.backfill.reaching import Reached, reach, reachable
from services.jobs.runner import job
from services.jobs.runner.job import Desk, FindingError
from services.jobs.verification.comparing import steps_of
from services.jobs.verification.continuity import MinuteIds, Neighbours, are_contiguous, begun, edges, near, touched
from services.jobs.verification.judging import Completeness, Day, summary
from services.jobs.verification.stored import Period, StoredDay, Symbol

log = structlog.get_logger()

MINUTE_NS: Final = 60 * 10**9

MOST_TOLD: Final = 5
"""Minutes of a symbol's day that a result tells of; the table ``completeness`` has more."""


def _day(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


class Arguments(job.Arguments):
    """Which days, and of what."""

    day: Annotated[date | None, BeforeValidator(_day)] = Field(
        None, description="the last day to verify, UTC; empty for the one before the run's"
    )
    so_far: bool = Field(default=False, description="verify the run's own day, as far as it is over and stored")
    days: int = Field(1, ge=1, le=366, description="how many days, back from that one")
    symbol: str = Field("", description="only this symbol; empty for all")
    feed: str = Field("", description="only this feed; empty for all")


def run(desk: Desk, arguments: Arguments) -> Json:
    """Verify each day; raises FindingError when a bar is not the exchange's or ids are missing that nobody knew of."""
    with closing(desk.connect(f"nightdesk-{desk.job}")) as connection:
        return _Verification(desk, arguments, connection).run()


class _Verification:
    """One run."""

    def __init__(self, desk: Desk, arguments: Arguments, connection: Connection) -> None:
        self._desk = desk
        self._arguments = arguments
        self._connection = connection
        self._stored = StoredDay(connection)
        self._reached: dict[str, Reached] = {}
        self._table: list[dict[str, Any]] = []
        self._opened: dict[tuple[str, date], Calendars] = {}
        self._left_out: list[date] = []
        self._unknown_ids = 0
        self._repeated_ids = 0

    def run(self) -> Json:
        """Verify all and return the table."""
        symbols = self._symbols()
        periods = self._periods()
        for number, period in enumerate(periods):
            ids = self._stored.ids(symbols, period)
            for place, symbol in enumerate(symbols):
                self._verify(symbol, period, ids.get(symbol.symbol_id, []))
                done = number * len(symbols) + place + 1
                self._desk.progress(done, len(periods) * len(symbols), f"{symbol.symbol} on {period.day}")
        result = self._result()
        log.info("verification.done", **{name: value for name, value in result.items() if name != "table"})
        if result["differing"] or result["unknown_ids"] or result["repeated_ids"]:
            raise FindingError(_finding(result), result)
        return result

    def _symbols(self) -> list[Symbol]:
        """Return what is collected now; of a symbol that is no longer, nothing is promised."""
        wanted = self._arguments
        feeds = [
            name
            for name in reachable(self._desk)
            if wanted.feed in {"", name} and Kind.TRADE in self._desk.feeds[name].kinds
        ]
        found = self._stored.symbols(feeds, wanted.symbol or None)
        return [one for one in found if wanted.symbol or one.symbol in self._desk.feeds[one.feed].symbols]

    def _periods(self) -> list[Period]:
        back = 0 if self._arguments.so_far else 1
        last = self._arguments.day or self._desk.scheduled_for.date() - timedelta(days=back)
        now_minute = self._desk.clock.wall_ns() // MINUTE_NS
        days = [last - timedelta(days=back) for back in reversed(range(self._arguments.days))]
        archived = GapLedger(self._connection).archived(Kind.TRADE)
        self._left_out = [day for day in days if day in archived or self._is_too_old(day)]
        return [Period.of(day, now_minute) for day in days if day not in self._left_out]

    def _is_too_old(self, day: date) -> bool:
        low_ns, _ = bounds_ns(self._desk.clock.wall_ns(), self._desk.settings.retention_days)
        return day < datetime.fromtimestamp(low_ns // 10**9, UTC).date()

    def _verify(self, symbol: Symbol, period: Period, ids: Sequence[MinuteIds]) -> None:
        known = self._stored.known(symbol, period)
        around = self._around(symbol, period)
        holes = self._holes(symbol, period, ids, around)
        unknown = self._open(symbol, period, _less(holes, known.ids), ids)
        missing = near(joined([*known.ids, *holes]), around)
        candles, known_from = self._candles(symbol, period)
        day = Day(
            bars=self._stored.bars(symbol, period),
            candles=candles,
            known_from=known_from,
            touched=frozenset(touched(missing, ids, period.from_minute, period.to_minute - 1)) | known.minutes,
            steps=steps_of(candles.values()),
        )
        found = summary(self._counted(symbol, period), day, size(begun(missing, ids)))
        self._stored.note(symbol, period.day, found)
        self._tell(symbol, period, found, unknown)

    def _around(self, symbol: Symbol, period: Period) -> Neighbours:
        """Return the neighbours of a day's ids; trades without ids have none."""
        if not self._has_ids(symbol):
            return Neighbours(before=None, after=None)
        before, after = self._stored.neighbours(symbol, period)
        return Neighbours(before=before, after=after)

    def _has_ids(self, symbol: Symbol) -> bool:
        return Kind.TRADE in self._reach(symbol.feed).history.sources

    def _holes(self, symbol: Symbol, period: Period, ids: Sequence[MinuteIds], around: Neighbours) -> list[Interval]:
        """Return the ids that are not stored, though ids on both sides of them are."""
        if not self._has_ids(symbol):
            return []
        inside: list[Interval] = []
        if not are_contiguous(ids):
            inside, repeated = self._stored.jumps(symbol, period)
            self._repeated_ids += repeated
        return joined([*inside, *edges(ids, around)])

    def _open(self, symbol: Symbol, period: Period, holes: Sequence[Interval], ids: Sequence[MinuteIds]) -> int:
        """Let the ledger know of holes that it does not know of; return how many ids they lack."""
        found = 0
        for hole in holes:
            minutes = touched([hole], ids, period.from_minute - 1, period.to_minute)
            found += self._stored.open_gap(symbol, hole, min(minutes), max(minutes))
        self._unknown_ids += found
        return found

    def _candles(self, symbol: Symbol, period: Period) -> tuple[Mapping[int, Candle], int | None]:
        """Return the exchange's candles by minute, and from which minute on it tells of any.

        What it has no more is taken from those that its stream brought.
        """
        try:
            told = self._reach(symbol.feed).candles(
                symbol.symbol, period.from_minute * MINUTE_NS, period.to_minute * MINUTE_NS
            )
        except ExchangeError as error:
            log.warning("verification.refused", feed=symbol.feed, symbol=symbol.symbol, error=str(error))
            told = []
        fetched = {one.open_ns // MINUTE_NS: one for one in told}
        return {**self._stored.klines(symbol, period), **fetched}, min(fetched, default=None)

    def _counted(self, symbol: Symbol, period: Period) -> list[int]:
        """Return the minutes that count: those of an open market, after the one in which the symbol's trades began.

        Of a day that is not over, those before the newest bar: what is younger may be on its way to the database.
        """
        name = self._desk.feeds[symbol.feed].calendar_of(symbol.symbol)
        calendars = self._calendars(name, period)
        first = max(period.from_minute, symbol.first_minute + 1)
        last = period.to_minute if period.is_over else min(period.to_minute, symbol.newest_minute)
        minutes = range(first, last)
        return [minute for minute in minutes if calendars.is_open(name, minute * MINUTE_NS)]

    def _calendars(self, name: str, period: Period) -> Calendars:
        key = (name, period.day)
        if key not in self._opened:
            closures = read_closures(self._desk.settings.calendars_config)
            self._opened[key] = Calendars([name], closures=closures, spans=spans_in_child)
            self._opened[key].rebuild(period.from_minute * MINUTE_NS)
        return self._opened[key]

    def _reach(self, feed: str) -> Reached:
        if feed not in self._reached:
            self._reached[feed] = reach(self._desk, feed, self._connection)
        return self._reached[feed]

    def _tell(self, symbol: Symbol, period: Period, found: Completeness, unknown: int) -> None:
        told = {
            "feed": symbol.feed, "symbol": symbol.symbol, "day": period.day.isoformat(), "minutes": found.minutes,
            "complete": found.complete, "missing_ids": found.missing_ids, "unknown_ids": unknown,
            "differing": found.differing, "unchecked": found.unchecked, "percent": round(found.percent, 4),
        }  # fmt: skip
        self._table.append({**told, "detail": list(found.detail[:MOST_TOLD])})
        log.info("verification.day", **told)

    def _result(self) -> dict[str, Any]:
        spent = [one.rest.spent for one in self._reached.values()]
        minutes = sum(row["minutes"] - row["unchecked"] for row in self._table)
        return {
            "symbol_days": len(self._table),
            "percent": 100.0 * sum(row["complete"] for row in self._table) / minutes if minutes else 100.0,
            "minutes": sum(row["minutes"] for row in self._table),
            "missing_ids": sum(row["missing_ids"] for row in self._table),
            "unknown_ids": self._unknown_ids,
            "repeated_ids": self._repeated_ids,
            "differing": sum(row["differing"] for row in self._table),
            "unchecked": sum(row["unchecked"] for row in self._table),
            "requests": sum(one.requests for one in spent),
            "weight": sum(one.weight for one in spent),
            "not_stored": [day.isoformat() for day in self._left_out],
            "table": self._table,
        }


def _less(holes: Sequence[Interval], known: Sequence[Interval]) -> list[Interval]:
    left = list(holes)
    for one in known:
        left = without(left, one)
    return left


def _finding(result: Mapping[str, Any]) -> str:
    words = {
        "differing": "minutes whose bar is not the exchange's",
        "unknown_ids": "ids that were missing and in no gap",
        "repeated_ids": "ids stored more than once",
    }
    return "; ".join(f"{result[name]} {text}" for name, text in words.items() if result[name])
