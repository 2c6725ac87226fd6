"""The numbers of symbols: looked up once, made when new, never changed."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from nightdesk.store.database import Connection, statement


class Symbols:
    """The numbers known so far. A symbol's number never changes within one database."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], int] = {}
        self._places: dict[int, tuple[str, int]] = {}

    def learn(self, connection: Connection, feed: str, shard: int, symbols: Collection[str]) -> None:
        """Make sure that every symbol has a number; new ones are committed at once."""
        unknown = sorted({symbol for symbol in symbols if (feed, symbol) not in self._ids})
        if not unknown:
            return
        values = {"feed": feed, "shard": shard, "symbols": unknown}
        connection.execute(statement("add_symbols"), values)
        for symbol, symbol_id in connection.execute(statement("known_symbols"), values):
            self._ids[feed, symbol] = symbol_id
            self._places[symbol_id] = (feed, shard)

    def note(self, feed: str, shard: int, symbol_ids: Iterable[int]) -> None:
        """Take note of where symbols belong whose ticks may never have come to this process."""
        self._places.update(dict.fromkeys(symbol_ids, (feed, shard)))

    def forget(self) -> None:
        """Believe nothing: the database behind the next connection may be a restored one, with other numbers."""
        self._ids.clear()
        self._places.clear()

    def numbered(self, feed: str, names: Sequence[str]) -> npt.NDArray[np.int32]:
        """Return the number of each name of a frame, 0 for one that is no known symbol."""
        return np.array([self._ids.get((feed, name), 0) for name in names], dtype=np.int32)

    def place_of(self, symbol_id: int) -> tuple[str, int]:
        """Return the feed and the shard of a symbol that was learnt or noted."""
        return self._places[symbol_id]
