"""What is stored of a day, as a verification reads it, and the gaps it opens."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from nightdesk.admission import NO_GAPS, Interval, OpenGaps
from nightdesk.exchanges.history import Candle
from nightdesk.store.database import Connection, translated
from nightdesk.store.effects import Gap
from nightdesk.store.unit import UnitOfWork
from nightdesk.ticks import Kind
from services.jobs.backfill.intervals import joined, left_out, size, within, without
from services.jobs.backfill.ledger import FOUND
from services.jobs.backfill.statements import statement
from services.jobs.verification.comparing import StoredBar, of_klines
from services.jobs.verification.continuity import MinuteIds
from services.jobs.verification.judging import Completeness

MINUTES_A_DAY: Final = 1440


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A symbol with the minutes of its first bar and of its newest."""

    symbol_id: int
    feed: str
    symbol: str
    first_minute: int
    newest_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A UTC day, or as much of it as is over."""

    day: date
    from_minute: int
    to_minute: int
    """The first minute that is not part of it."""

    @classmethod
    def of(cls, day: date, now_minute: int) -> "Period":
        """Return a day up to two minutes ago: what is younger may be on its way."""
        begin = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) // 60
        return cls(day=day, from_minute=begin, to_minute=max(begin, min(begin + MINUTES_A_DAY, now_minute - 2)))

    @property
    def is_over(self) -> bool:
        """Whether it is the whole day."""
        return self.to_minute - self.from_minute == MINUTES_A_DAY

    def bounds(self) -> dict[str, datetime]:
        """Return the times as parameters."""
        return {"from": moment(self.from_minute), "to": moment(self.to_minute)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the ledger says is missing: ids, and minutes of gaps in time alone."""

    ids: Sequence[Interval]
    minutes: frozenset[int]


class StoredDay:
    """Reads one connection; every method raises the store's errors."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def symbols(self, feeds: Iterable[str], symbol: str | None) -> list[Symbol]:
        """Return the symbols that have bars."""
        rows = self._all("verify_symbols", {"feeds": list(feeds), "symbol": symbol})
        return [
            Symbol(symbol_id=one, feed=feed, symbol=name, first_minute=first, newest_minute=newest)
            for one, feed, name, first, newest in rows
        ]

    def ids(self, symbols: Iterable[Symbol], period: Period) -> dict[int, list[MinuteIds]]:
        """Return the ids of each symbol by minute; a minute without ids has none."""
        found: dict[int, list[MinuteIds]] = defaultdict(list)
        values = {"symbol_ids": [one.symbol_id for one in symbols], **period.bounds()}
        for symbol_id, minute, count, low, high, total in self._all("verify_minutes", values):
            if count:
                ids = MinuteIds(minute=minute, count=count, low=low, high=high, total=int(total))
                found[symbol_id].append(ids)
        return found

    def jumps(self, symbol: Symbol, period: Period) -> tuple[list[Interval], int]:
        """Return the holes in a day's ids, and how many ids are stored more than once."""
        rows = self._all("verify_holes", {"symbol_id": symbol.symbol_id, **period.bounds()})
        holes = [(before + 1, one - 1) for before, one in rows if before is not None and one > before + 1]
        return holes, sum(1 for before, one in rows if before == one)

    def neighbours(self, symbol: Symbol, period: Period) -> tuple[int | None, int | None]:
        """Return the highest id before a day and the lowest after it, as bars know them."""
        (row,) = self._all("verify_edges", {"symbol_id": symbol.symbol_id, **period.bounds()})
        return row

    def bars(self, symbol: Symbol, period: Period) -> dict[int, StoredBar]:
        """Return the bars by minute."""
        names = ("open", "high", "low", "close", "volume", "quote_volume", "trades")
        rows = self._all("verify_bars", {"symbol_id": symbol.symbol_id, **period.bounds()})
        return {row[0]: StoredBar(**dict(zip(names, row[1:], strict=True))) for row in rows}

    def klines(self, symbol: Symbol, period: Period) -> dict[int, Candle]:
        """Return the exchange's candles that are stored already, by minute."""
        return of_klines(self._all("verify_klines", {"symbol_id": symbol.symbol_id, **period.bounds()}))

    def known(self, symbol: Symbol, period: Period) -> Known:
        """Return what the ledger knows to be missing."""
        ids: list[Interval] = []
        minutes: set[int] = set()
        for missing, begin, end in self._all("verify_gaps", {"symbol_id": symbol.symbol_id, **period.bounds()}):
            if missing is not None:
                ids += [(one.lower, one.upper - 1) for one in missing]
            elif begin is not None and end is not None:
                minutes |= set(range(max(begin, period.from_minute), min(end, period.to_minute) + 1))
        return Known(ids=joined(ids), minutes=frozenset(minutes))

    def open_gap(self, symbol: Symbol, hole: Interval, first_minute: int, last_minute: int) -> int:
        """Write ids into the ledger that nobody knew were missing; return how many of them are missing indeed.

        Under the lock of the mark: what came in meanwhile, or is known by now, is left out.
        """
        key = (symbol.symbol_id, Kind.TRADE)
        unit = UnitOfWork(self._connection)
        with translated():
            try:
                mark = unit.begin([key])[key].mark
                missing = (
                    [] if mark is None else within(self._missing(symbol, hole, first_minute, last_minute), (0, mark))
                )
                for known in _intervals(unit.open_gaps([key]).get(key, NO_GAPS)):
                    missing = without(missing, known)
                if missing:
                    unit.open([_gap(symbol, missing, first_minute, last_minute)])
                self._connection.execute("COMMIT")
            finally:
                unit.end()
        return size(missing)

    def note(self, symbol: Symbol, day: date, found: Completeness) -> None:
        """Keep what was found."""
        values = {
            "symbol_id": symbol.symbol_id, "day": day, "minutes": found.minutes, "complete": found.complete,
            "missing_ids": found.missing_ids, "differing": found.differing, "unchecked": found.unchecked,
            "percent": found.percent, "detail": json.dumps(list(found.detail)),
        }  # fmt: skip
        with translated():
            self._connection.execute(statement("verify_note"), values)

    def _missing(self, symbol: Symbol, hole: Interval, first_minute: int, last_minute: int) -> list[Interval]:
        values = {
            "symbol_id": symbol.symbol_id, "from": moment(first_minute), "to": moment(last_minute + 1), "low": hole[0],
            "high": hole[1],
        }  # fmt: skip
        return left_out([hole], [row[0] for row in self._all("verify_ids", values)])

    def _all(self, name: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        with translated():
            return self._connection.execute(statement(name), values).fetchall()


def moment(minute: int) -> datetime:
    """Return a minute's time."""
    return datetime.fromtimestamp(0, UTC) + timedelta(minutes=minute)


def _intervals(gaps: OpenGaps) -> list[Interval]:
    return list(zip(gaps.low.tolist(), gaps.high.tolist(), strict=True))


def _gap(symbol: Symbol, missing: Sequence[Interval], first_minute: int, last_minute: int) -> Gap:
    return Gap(
        key=(symbol.symbol_id, Kind.TRADE), from_us=first_minute * 60 * 10**6, to_us=(last_minute + 1) * 60 * 10**6,
        missing=tuple(missing), cause=FOUND,
    )  # fmt: skip
