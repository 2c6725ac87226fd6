"""A file in the making: what PostgreSQL has of a day, and the rows of an earlier file that are not among it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from nightdesk.store.batch import CONTIGUOUS, ID_COLUMN
from nightdesk.ticks import Kind
from services.jobs.archive.checksum import Checksum, checksum
from services.jobs.archive.columns import Array, Mask, Rows, StrangeRowsError, Values, length, select, size_bytes
from services.jobs.archive.parquet import Names, Writer

_NOTHING: Final = np.zeros(0, dtype=np.int64)


class Draft:
    """Write a file and keep count of what went into it."""

    def __init__(self, kind: Kind, names: Names, replaces: str) -> None:
        self._kind = kind
        self._names = names
        self._replaces = replaces
        self.sum = Checksum()
        self.stored_rows = 0
        self.value_bytes = 0
        self.duplicates = 0

    def write(self, sink: Any, stored: Iterable[Rows], earlier: Iterable[Rows] | None) -> None:  # noqa: ANN401  a stream
        """Write what is stored, and then what only the earlier file has, if there is one."""
        writer = Writer(sink, self._kind, self._names, replaces=self._replaces)
        ids = Ids(self._kind)
        for rows in stored:
            self._add(writer, rows)
            if earlier is not None:
                ids.note(rows)
        self.stored_rows = self.sum.rows
        for rows in earlier or ():
            fresh = select(rows, np.flatnonzero(~ids.among(rows)))
            self.duplicates += length(rows) - length(fresh)
            if length(fresh):
                self._add(writer, fresh)
        writer.close()

    def _add(self, writer: Writer, rows: Rows) -> None:
        writer.add(rows)
        self.sum += checksum(rows)
        self.value_bytes += size_bytes(rows)


class Ids:
    """The ids of stored ticks, of kinds that have ids without holes: twelve bytes a row in all."""

    def __init__(self, kind: Kind) -> None:
        self._column = ID_COLUMN[kind] if kind in CONTIGUOUS else ""
        self._parts: dict[int, list[Array]] = defaultdict(list)
        self._sorted: dict[int, Array] = {}

    def note(self, rows: Rows) -> None:
        """Take note of the ids in these rows."""
        if not self._column:
            return
        symbols, ids, present = self._of(rows)
        for symbol in np.unique(symbols[present]).tolist():
            self._parts[symbol].append(ids[present & (symbols == symbol)])

    def among(self, rows: Rows) -> Mask:
        """Return which of these rows have an id that was noted."""
        found = np.zeros(length(rows), dtype=np.bool_)
        if not self._column:
            return found
        symbols, ids, present = self._of(rows)
        for symbol in np.unique(symbols[present]).tolist():
            mine = np.flatnonzero(present & (symbols == symbol))
            found[mine] = np.isin(ids[mine], self._noted(symbol))
        return found

    def _noted(self, symbol: int) -> Array:
        if symbol not in self._sorted:
            self._sorted[symbol] = np.unique(np.concatenate(self._parts.pop(symbol, [_NOTHING])))
        return self._sorted[symbol]

    def _of(self, rows: Rows) -> tuple[Array, Array, Mask]:
        column = rows[self._column]
        if not isinstance(column, Values):
            raise StrangeRowsError(f"{self._column} is a list")
        present = np.ones(len(column.numbers), dtype=np.bool_) if column.null is None else ~column.null
        return rows["symbol_id"].numbers, column.numbers, present


def renumbered(rows: Rows, names: Names, known: Mapping[tuple[str, str], int]) -> Rows:
    """Return rows under the numbers that this database knows their symbols by.

    They are the same unless the file is another database's. Raises StrangeRowsError for a symbol it does not know.
    """
    numbers, places = np.unique(rows["symbol_id"].numbers, return_inverse=True)
    wanted = [known.get(names[number]) if number in names else number for number in numbers.tolist()]
    missing = [names[number] for number, new in zip(numbers.tolist(), wanted, strict=True) if new is None]
    if missing:
        raise StrangeRowsError(f"the file has ticks of {missing[0][1]} ({missing[0][0]}), which no feed here has had")
    return {**rows, "symbol_id": Values(np.array(wanted, dtype=np.int32)[places])}
