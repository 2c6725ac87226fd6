"""What PostgreSQL holds, read directly: the store's own counters are only shown, never believed."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, cast

import psycopg

from nightdesk.errors import UnavailableError
from nightdesk.ticks import Kind
from tests.chaos.books import StoredDepth, StoredQuote
from tests.chaos.ids import Ids, Interval, ids_of
from tests.chaos.stacks import DATABASE, SUPERUSER, Address
from tests.chaos.verification import Bar, BarKey, Unordered

FEED: Final = "simulator"
CONNECT_TIMEOUT_S: Final = 3
OPTIONS: Final = "-c statement_timeout=600000 -c timezone=UTC -c work_mem=16MB -c max_parallel_workers_per_gather=0"

SQL: Final = {file.stem: file.read_text(encoding="utf-8") for file in (Path(__file__).parent / "sql").glob("*.sql")}


@dataclass(slots=True)
class Rows:
    """The stored trades of one symbol: ids, rows, and rows that repeat an id above the floor; rows up to the floor.

    ``strays`` are rows above the floor that say they are older than what was looked at.
    """

    ids: Ids = ()
    duplicates: int = 0
    rows: int = 0
    rows_before: int = 0
    strays: int = 0

    def add(self, low: int, high: int, rows: int) -> None:
        """Take one run of consecutive ids above the floor."""
        self.ids = ids_of([*self.ids, (low, high)])
        self.duplicates += rows - (high - low + 1)
        self.rows += rows


class HasPostgres(Protocol):
    """Whoever knows where PostgreSQL is now."""

    def postgres(self) -> Address:
        """Return PostgreSQL's address."""


class Evidence:
    """Questions to the stack's database; every one raises UnavailableError while it does not answer."""

    def __init__(self, stack: HasPostgres, database: str = DATABASE) -> None:
        self._stack = stack
        self._database = database
        self._address: Address | None = None

    def newest_s(self) -> float:
        """Return when the newest committed trade was received, Unix seconds, for the symbol where that is longest ago.

        0 when there is none yet.
        """
        query = "SELECT extract(epoch FROM min(received_at))::float8 FROM latest WHERE kind = %(kind)s"
        ((newest,),) = self._ask(query, kind=Kind.TRADE)
        return float(newest or 0.0)

    def marks(self) -> dict[str, int]:
        """Return the highest committed trade id of every symbol."""
        query = (
            "SELECT symbol, mark FROM marks JOIN symbols USING (symbol_id) WHERE feed = %(feed)s AND kind = %(kind)s"
        )
        return {symbol: int(mark or 0) for symbol, mark in self._ask(query, feed=FEED, kind=Kind.TRADE)}

    def latest(self, kind: Kind) -> dict[str, int]:
        """Return the number of the newest tick of every symbol, as the table of the newest has it."""
        query = "SELECT symbol, sequence FROM latest JOIN symbols USING (symbol_id) WHERE feed = %(feed)s AND kind = "
        return {symbol: int(number or 0) for symbol, number in self._ask(query + "%(kind)s", feed=FEED, kind=kind)}

    def admitted(self, kind: Kind) -> int:
        """Return how many ticks of a kind came to the store, repeats included, since the beginning."""
        ((taken,),) = self._ask(
            "SELECT coalesce(sum(stored + duplicates), 0) FROM marks WHERE kind = %(kind)s", kind=kind
        )
        return int(taken)

    def dropped(self) -> int:
        """Return how many trades admission dropped as duplicates, since the beginning."""
        ((dropped,),) = self._ask(
            "SELECT coalesce(sum(duplicates), 0) FROM marks WHERE kind = %(kind)s", kind=Kind.TRADE
        )
        return int(dropped)

    def quarantined(self) -> dict[str, int]:
        """Return how many rows the quarantine holds, by reason and the first error of each."""
        query = "SELECT reason || ': ' || min(error), count(*) FROM quarantine GROUP BY reason"
        return {why: int(count) for why, count in self._ask(query)}

    def stored(self, floors: Mapping[str, int], since_s: float = 0.0) -> dict[str, Rows]:
        """Return the stored trades by symbol; ids up to a symbol's floor, all from before then, are only counted."""
        found: dict[str, Rows] = {}
        given = {"feed": FEED, "symbols": list(floors), "floors": list(floors.values())}
        for symbol, low, high, rows in self._ask(SQL["runs"], **given, since=since_s):
            found.setdefault(symbol, Rows()).add(low, high, rows)
        for symbol, before, above in self._ask(SQL["rows"], **given):
            one = found.setdefault(symbol, Rows())
            one.rows_before, one.strays = before, above - one.rows
        return found

    def ledgered(self) -> dict[str, Ids]:
        """Return the missing trade ids of every symbol, as the gap ledger has them."""
        found: dict[str, list[Interval]] = {}
        for symbol, low, high in self._ask(SQL["ledger"], feed=FEED, kind=Kind.TRADE):
            found.setdefault(symbol, []).append((low, high))
        return {symbol: ids_of(intervals) for symbol, intervals in found.items()}

    def unordered(self, floors: Mapping[str, int], since_s: float = 0.0) -> list[Unordered]:
        """Return for which symbols ids above the floor were received before the next lower one."""
        given = {"symbols": list(floors), "floors": list(floors.values())}
        answer = self._ask(SQL["unordered"], feed=FEED, since=since_s, **given)
        return [Unordered(symbol, first, count) for symbol, first, count in answer]

    def last_depths(self) -> dict[str, StoredDepth]:
        """Return the depth with the highest number of every symbol."""
        return {
            symbol: StoredDepth(sequence=sequence, bids=bids, asks=asks, spread=spread, pressure_ratio=ratio)
            for symbol, sequence, bids, asks, spread, ratio in self._ask(SQL["last_depths"], feed=FEED)
        }

    def last_quotes(self) -> dict[str, StoredQuote]:
        """Return the quote with the highest number of every symbol."""
        return {
            symbol: StoredQuote(sequence=sequence, bid=(bid, bid_size), ask=(ask, ask_size))
            for symbol, sequence, bid, bid_size, ask, ask_size in self._ask(SQL["last_quotes"], feed=FEED)
        }

    def folded_bars(self, since_s: float = 0.0) -> dict[BarKey, Bar]:
        """Return the bars that the stored trades make, from a minute on."""
        return self._bars("folded", since_s)

    def stored_bars(self, since_s: float = 0.0) -> dict[BarKey, Bar]:
        """Return the bars that are stored, from a minute on."""
        return self._bars("bars", since_s)

    def _bars(self, name: str, since_s: float) -> dict[BarKey, Bar]:
        answer = self._ask(SQL[name], feed=FEED, since=since_s)
        return {BarKey(symbol, int(minute)): Bar(*figures) for symbol, minute, *figures in answer}

    def _ask(self, query: str, **values: object) -> list[Any]:
        with self._connection() as connection:
            return connection.execute(cast("Any", query), values).fetchall()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        at = self._address = self._address or self._stack.postgres()
        try:
            with psycopg.connect(
                host=at.host, port=at.port, password=at.password, user=SUPERUSER, dbname=self._database,
                connect_timeout=CONNECT_TIMEOUT_S, options=OPTIONS,
            ) as connection:  # fmt: skip
                yield connection
        except psycopg.OperationalError as error:
            # Asked again next time: a restarted container may have another address.
            self._address = None
            raise UnavailableError(f"PostgreSQL does not answer: {error}") from error
