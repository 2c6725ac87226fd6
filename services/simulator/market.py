"""A seeded random market in one symbol: makers keep a book, takers hit it.

Everything follows from the seed and from what is asked of it, in order: it knows no clock.
"""

from dataclasses import dataclass
from math import log
from random import Random
from typing import Final

from services.simulator.book import Book, Ladder, Window
from services.simulator.candles import Candles
from services.simulator.history import History, Prints
from services.simulator.instruments import Instrument

LEVELS_LEAST: Final = 200
LEVELS_MOST: Final = 260
SAME_ORDER: Final = 0.3
"""How often a trade is a further fill of the order before it: the same taker, the same moment."""
MOMENTUM: Final = 0.15
"""How much likelier the next taker does what the last one did."""
PULL: Final = 2.0
"""How strongly takers lean towards the starting price, per unit of relative distance."""
FOLLOW: Final = 0.9
"""How often the other side follows when a level is emptied."""
LEVEL_TRADES: Final = 8
"""How many typical trades a typical level holds."""


@dataclass(frozen=True, slots=True)
class Top:
    """Best bid and ask, in ticks and lots, as of change ``last_id`` of the book."""

    last_id: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int


class Market:
    """One symbol's book, trades and candles. Ids of trades and of book changes begin after ``first_id``."""

    def __init__(self, instrument: Instrument, *, seed: int, first_id: int, history_trades: int) -> None:
        self.instrument = instrument
        self._random = Random(f"{seed}/{instrument.symbol}")  # noqa: S311  a simulation is to be repeatable
        self._gap = instrument.gap_ticks
        self._mean_lots = instrument.typical_lots
        self.book = self._new_book(first_id)
        self.fast_window = Window(self.book)
        self.slow_window = Window(self.book)
        self.history = History(first_id=first_id, capacity=history_trades)
        self.candles = Candles()
        self._next_agg_id = first_id
        self._buying = True

    def trade(self, count: int, from_ms: int, to_ms: int) -> Prints:
        """Let takers make ``count`` trades, spread evenly from ``from_ms`` until before ``to_ms``."""
        prints = Prints(self.history.next_id)
        span_ms = to_ms - from_ms
        uniform = self._random.random
        lean = self._lean()
        for place in range(count):
            if place and uniform() < SAME_ORDER:
                time_ms = prints.time_ms[-1]
            else:
                time_ms = from_ms + span_ms * place // count
                self._buying = uniform() < (lean + MOMENTUM if self._buying else lean - MOMENTUM)
            self._fill(prints, time_ms)
        if count:
            self.history.add(prints)
            self.candles.add(prints)
        return prints

    def quote(self) -> Top:
        """Let a maker change the top of the book; return it as it then is."""
        uniform = self._random.random
        book = self.book
        choice = uniform()
        if book.asks.best - book.bids.best > self._gap and choice < 0.5:
            self._improve()
        elif choice > 0.97:
            self._cancel_best(book.bids if uniform() < 0.5 else book.asks)
        else:
            ladder = book.bids if uniform() < 0.5 else book.asks
            ladder.put(ladder.best, self._level_lots())
        return self.top()

    def churn(self, changes: int) -> None:
        """Let makers change levels behind the best."""
        for _ in range(changes):
            bidding = self._random.random() < 0.5
            ladder = self.book.bids if bidding else self.book.asks
            away = (1 + int(self._random.expovariate(0.1))) * self._gap
            price = ladder.best - away if bidding else ladder.best + away
            if price > 0:
                ladder.put(price, 0 if self._cancels(ladder, price) else self._level_lots())
        self._keep_size(self.book.bids, -1)
        self._keep_size(self.book.asks, +1)

    def top(self) -> Top:
        """Return best bid and ask."""
        bids, asks = self.book.bids, self.book.asks
        return Top(self.book.last_id, bids.best, bids.levels[bids.best], asks.best, asks.levels[asks.best])

    def collect(self) -> None:
        """Hand the changed prices to the windows that make diffs of them."""
        bids, asks = self.book.bids.changed, self.book.asks.changed
        self.fast_window.note(bids, asks)
        self.slow_window.note(bids, asks)
        bids.clear()
        asks.clear()

    def _fill(self, prints: Prints, time_ms: int) -> None:
        buying = self._buying
        ladder = self.book.asks if buying else self.book.bids
        price = ladder.best
        wanted = 1 - int(self._mean_lots * log(1.0 - self._random.random()))
        price, size = ladder.take(wanted)
        if price != ladder.best:
            self._restock(ladder)
        prints.agg_id.append(self._aggregate(prints, price, time_ms, maker=not buying))
        prints.price.append(price)
        prints.size.append(size)
        prints.maker.append(not buying)
        prints.time_ms.append(time_ms)

    def _aggregate(self, prints: Prints, price: int, time_ms: int, *, maker: bool) -> int:
        if not (
            prints.price and prints.price[-1] == price and prints.time_ms[-1] == time_ms and prints.maker[-1] == maker
        ):
            self._next_agg_id += 1
        return self._next_agg_id - 1

    def _restock(self, emptied: Ladder) -> None:
        """A level is gone: the other side usually follows, and makers add at the far ends."""
        bids, asks = self.book.bids, self.book.asks
        if self._random.random() < FOLLOW:
            gap = self._some_gap()
            if emptied is asks and asks.best - gap > bids.best:
                bids.put(asks.best - gap, self._level_lots())
            elif emptied is bids and bids.best + gap < asks.best:
                asks.put(bids.best + gap, self._level_lots())
        self._keep_size(bids, -1)
        self._keep_size(asks, +1)

    def _keep_size(self, ladder: Ladder, away: int) -> None:
        far = max if away > 0 else min
        if len(ladder.levels) < LEVELS_LEAST:
            price = far(ladder.levels) + away * self._some_gap()
            if price > 0:
                ladder.put(price, self._level_lots())
        while len(ladder.levels) > LEVELS_MOST:
            ladder.put(far(ladder.levels), 0)

    def _improve(self) -> None:
        bids, asks = self.book.bids, self.book.asks
        room = asks.best - bids.best - 1
        step = 1 + int(self._random.random() * room)
        if self._random.random() < 0.5:
            bids.put(bids.best + step, self._level_lots())
        else:
            asks.put(asks.best - step, self._level_lots())

    def _cancel_best(self, ladder: Ladder) -> None:
        ladder.put(ladder.best, 0)
        self._restock(ladder)

    def _cancels(self, ladder: Ladder, price: int) -> bool:
        return price in ladder.levels and len(ladder.levels) > LEVELS_LEAST // 2 and self._random.random() < 0.5

    def _lean(self) -> float:
        away = self.book.bids.best / self.instrument.start_ticks - 1.0
        return min(0.75, max(0.25, 0.5 - PULL * away))

    def _level_lots(self) -> int:
        return 1 + int(2 * LEVEL_TRADES * self._mean_lots * self._random.random())

    def _some_gap(self) -> int:
        return 1 + int((2 * self._gap - 1) * self._random.random())

    def _new_book(self, first_id: int) -> Book:
        middle = self.instrument.start_ticks
        bids, asks = {}, {}
        bid, ask = middle, middle + self._gap
        for _ in range(LEVELS_LEAST):
            if bid > 0:
                bids[bid] = self._level_lots()
            asks[ask] = self._level_lots()
            bid -= self._some_gap()
            ask += self._some_gap()
        return Book(bids=bids, asks=asks, first_id=first_id)
