"""Which order book: one event of changes applied and the top ten levels read, by three kinds of book.

    python -m bench.book [recording.ws.jsonl]

The random market has 1,000 levels a side and five changes an event, four of five near the best price. A Coinbase
recording, where given, is the second market: its own snapshots and changes. ``order-book`` and ``sortedcontainers``
are measured where they are installed.
"""

import importlib
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import msgspec

from services.collector.book import Book, Levels

Module: TypeAlias = Any
"""A library without types."""


class Candidate(Protocol):
    """What is measured."""

    def replace(self, bids: Levels, asks: Levels) -> None: ...  # noqa: D102
    def apply(self, bids: Levels, asks: Levels) -> None: ...  # noqa: D102
    def top(self, count: int) -> tuple[list[float], list[float]]: ...  # noqa: D102


class Ours:
    """A dict and a sorted list of prices."""

    def __init__(self) -> None:
        self._book = Book()
        self.replace, self.apply = self._book.replace, self._book.apply

    def top(self, count: int) -> tuple[list[float], list[float]]:
        """Return both sides flat, best first."""
        return self._book.bids.top(count), self._book.asks.top(count)


class Library:
    """``order-book``: C, one sorted dict a side; ``max_depth`` is unset since a cut book cannot take changes."""

    def __init__(self, order_book: Module) -> None:
        self._book = order_book.OrderBook()

    def replace(self, bids: Levels, asks: Levels) -> None:
        """Take a snapshot."""
        self._book.bids, self._book.asks = dict(bids), dict(asks)

    def apply(self, bids: Levels, asks: Levels) -> None:
        """Take changes."""
        self._apply(self._book.bids, bids)
        self._apply(self._book.asks, asks)

    @staticmethod
    def _apply(side: Module, levels: Levels) -> None:
        for price, size in levels:
            if size:
                side[price] = size
            elif price in side:
                del side[price]

    def top(self, count: int) -> tuple[list[float], list[float]]:
        """Return both sides flat, best first, level by level: its other exports copy the whole side."""
        return self._top(self._book.bids, count), self._top(self._book.asks, count)

    @staticmethod
    def _top(side: Module, count: int) -> list[float]:
        flat: list[float] = []
        for at in range(min(count, len(side))):
            flat += side.index(at)
        return flat


class Sorted:
    """``sortedcontainers.SortedDict`` a side, bids under negated prices."""

    def __init__(self, sortedcontainers: Module) -> None:
        self._new = sortedcontainers.SortedDict
        self._bids, self._asks = self._new(), self._new()

    def replace(self, bids: Levels, asks: Levels) -> None:
        """Take a snapshot."""
        self._bids = self._new((-price, size) for price, size in bids)
        self._asks = self._new(asks)

    def apply(self, bids: Levels, asks: Levels) -> None:
        """Take changes."""
        for sign, side, levels in ((-1, self._bids, bids), (1, self._asks, asks)):
            for price, size in levels:
                if size:
                    side[sign * price] = size
                else:
                    side.pop(sign * price, None)

    def top(self, count: int) -> tuple[list[float], list[float]]:
        """Return both sides flat, best first."""
        bids = [x for key in self._bids.keys()[:count] for x in (-key, self._bids[key])]
        asks = [x for key in self._asks.keys()[:count] for x in (key, self._asks[key])]
        return bids, asks


def candidates() -> Iterator[tuple[str, Callable[[], Candidate]]]:
    """Yield every book that is installed."""
    yield "dict and sorted list", Ours
    for name, wrapper in (("order_book", Library), ("sortedcontainers", Sorted)):
        try:
            library = importlib.import_module(name)
        except ImportError:
            print(f"{name}: not installed, left out")
            continue
        yield name, lambda wrapper=wrapper, library=library: wrapper(library)  # type: ignore[misc]


def random_market(events: int, seed: int = 7) -> list[tuple[str, bool, Levels, Levels]]:
    """Return a snapshot of 1,000 levels a side and ``events`` of five changes each."""
    draw = random.Random(seed)
    levels = [[(50_000 + sign * at, 1.0 + at) for at in range(1, 1001)] for sign in (-1, 1)]
    market: list[tuple[str, bool, Levels, Levels]] = [("X", True, levels[0], levels[1])]
    for _ in range(events):
        sides: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
        for _ in range(5):
            distance = draw.randint(1, 20) if draw.random() < 0.8 else draw.randint(1, 1000)
            side = draw.randint(0, 1)
            size = 0.0 if draw.random() < 0.25 else round(draw.uniform(0.001, 9), 3)
            sides[side].append((50_000 + (2 * side - 1) * distance, size))
        market.append(("X", False, *sides))
    return market


def recorded_market(path: Path) -> list[tuple[str, bool, Levels, Levels]]:
    """Return the snapshots and changes of a Coinbase recording."""
    market: list[tuple[str, bool, Levels, Levels]] = []
    with path.open() as lines:
        for line in lines:
            message = msgspec.json.decode(msgspec.json.decode(line)["raw"])
            if message["type"] == "snapshot":
                sides = [[(float(p), float(q)) for p, q in message[side]] for side in ("bids", "asks")]
                market.append((message["product_id"], True, sides[0], sides[1]))
            elif message["type"] == "l2update":
                changes = [(side, float(p), float(q)) for side, p, q in message["changes"]]
                split = [[(p, q) for side, p, q in changes if side == name] for name in ("buy", "sell")]
                market.append((message["product_id"], False, split[0], split[1]))
    return market


def measure(new: Callable[[], Candidate], market: list[tuple[str, bool, Levels, Levels]]) -> float:
    """Return the nanoseconds an event takes, snapshots included in the books and left out of the time."""
    books: dict[str, Candidate] = {}
    spent_ns = events = 0
    for symbol, is_snapshot, bids, asks in market:
        book = books.setdefault(symbol, new())
        if is_snapshot:
            book.replace(bids, asks)
            continue
        begun_ns = time.perf_counter_ns()
        book.apply(bids, asks)
        book.top(10)
        spent_ns += time.perf_counter_ns() - begun_ns
        events += 1
    return spent_ns / events


def main(arguments: list[str]) -> None:
    """Print one line a book and market: the best of five runs."""
    markets = {"random": random_market(20_000)}
    if arguments:
        markets["recorded"] = recorded_market(Path(arguments[0]))
    for market_name, market in markets.items():
        for name, new in candidates():
            best_ns = min(measure(new, market) for _ in range(5))
            print(f"{market_name:<10}{name:<24}{best_ns:8.0f} ns an event")


if __name__ == "__main__":
    main(sys.argv[1:])
