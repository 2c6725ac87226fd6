"""The running exchange: markets moved by the clock, their events published."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from services.simulator.binance import DEPTHS, Writer
from services.simulator.book import Diff
from services.simulator.candles import INTERVALS_MS, Candle
from services.simulator.faults import Board
from services.simulator.history import Prints, aggregates
from services.simulator.hub import Hub
from services.simulator.intensity import SHAPES, flat
from services.simulator.market import Market, Top
from services.simulator.pace import Due, multiples_between, steps
from services.simulator.tampering import Sending

STEP_S: Final = 0.01
LONGEST_STEP_MS: Final = 50
SLOW_MS: Final = 1000
KLINE_MS: Final = 2000
CATCH_UP_MS: Final = 2000
"""A market that fell further behind than this lets the rest go."""
FASTEST_BATCH: Final = 1000
"""Trades of one symbol made at a time when the rate is "as fast as it can"."""
FASTEST_WAITING_BYTES: Final = 2_000_000
"""At that rate the market waits while its slowest client is further behind than this."""
CHURN_A_DIFF: Final = 5
CHURN_A_BATCH: Final = 50
"""What makers change for each batch: without them takers hollow the book out until a price reaches 0."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What one symbol does in a second; ``trades_per_s`` None is as fast as the clients take it."""

    trades_per_s: float | None = 40.0
    quotes_per_s: float = 100.0
    depth_per_s: float = 10.0
    shape: str = "u"

    @property
    def depth_every_ms(self) -> int:
        """The time between two fast diffs; 0 when there are none."""
        return max(1, round(1000 / self.depth_per_s)) if self.depth_per_s > 0 else 0


@dataclass(slots=True)
class Listing:
    """One symbol as the exchange runs it."""

    market: Market
    rates: Rates
    is_open: Callable[[int], bool]
    writer: Writer = field(init=False)
    trades_due: Due = field(default_factory=Due)
    quotes_due: Due = field(default_factory=Due)
    trades_sent: int = 0

    def __post_init__(self) -> None:
        self.writer = Writer(self.market.instrument)

    @property
    def symbol(self) -> str:
        """The symbol's name."""
        return self.market.instrument.symbol


@dataclass(frozen=True, slots=True)
class Moment:
    """What one symbol did in one step of the market."""

    listing: Listing
    from_ms: int
    to_ms: int
    prints: Prints
    tops: list[Top]
    fast: Diff | None
    slow: Diff | None


class Exchange:
    """All symbols, moved forward together; ``publishers`` tell the world in one language each."""

    def __init__(self, listings: Iterable[Listing], *, hub: Hub, board: Board, wall_ms: Callable[[], int]) -> None:
        self.listings = {listing.symbol: listing for listing in listings}
        self.hub = hub
        self.board = board
        self.publishers: list[Callable[[Moment], None]] = [BinancePublisher(hub).publish]
        self.wall_ms = wall_ms
        self.opened_ms = self.now_ms = wall_ms()
        self.running = True
        self.skipped_ms = 0
        self.before_step: list[Callable[[int], None]] = [hub.close_due]
        """What is done with the time before the markets move, in order."""

    def set_rates(self, symbols: Iterable[str], **changes: float | str | None) -> None:
        """Change the rates of symbols, each as given for one symbol."""
        for symbol in symbols:
            listing = self.listings[symbol]
            listing.rates = replace(listing.rates, **changes)  # type: ignore[arg-type]

    async def run(self) -> None:
        """Move with the clock until cancelled."""
        while True:
            self.catch_up(self.wall_ms())
            if self._flat_out():
                await self._room()
            else:
                await asyncio.sleep(STEP_S)

    async def _room(self) -> None:
        """Wait while the slowest client is far behind."""
        await asyncio.sleep(0)
        while self.hub.most_waiting_bytes() > FASTEST_WAITING_BYTES:  # noqa: ASYNC110  no event tells of many sockets
            await asyncio.sleep(0.0005)

    def stop(self) -> None:
        """Freeze the market and tell how every book stands, so that nothing is pending while it stands still."""
        self.catch_up(self.wall_ms())
        self.running = False
        for listing in self.listings.values():
            if listing.is_open(self.now_ms):
                self._publish(self._standing(listing))
        self.hub.flush()

    def catch_up(self, to_ms: int) -> None:
        """Move every market up to a moment and send what happened."""
        for act in self.before_step:
            act(to_ms)
        if to_ms - self.now_ms > CATCH_UP_MS:
            self.skipped_ms += to_ms - self.now_ms - CATCH_UP_MS
            self.now_ms = to_ms - CATCH_UP_MS
        if self.running:
            for from_ms, until_ms in steps(self.now_ms, to_ms, LONGEST_STEP_MS):
                self._step(from_ms, until_ms)
                self.hub.flush()
            if self._flat_out():
                self._step_flat_out(to_ms)
        self.now_ms = max(self.now_ms, to_ms)
        self.board.sweep(self.now_ms)
        self.hub.flush()

    def _step(self, from_ms: int, to_ms: int) -> None:
        for listing in self.listings.values():
            if listing.is_open(from_ms):
                self._publish(self._advance(listing, from_ms, to_ms))

    def _advance(self, listing: Listing, from_ms: int, to_ms: int) -> Moment:
        market, rates, span_ms = listing.market, listing.rates, to_ms - from_ms
        factor = SHAPES.get(rates.shape, flat)((from_ms - self.opened_ms) / 1000)
        factor *= self.board.factor(listing.symbol, from_ms)
        trades = 0 if rates.trades_per_s is None else listing.trades_due.take(rates.trades_per_s * factor, span_ms)
        prints = market.trade(trades, from_ms, to_ms)
        tops = [market.quote() for _ in range(listing.quotes_due.take(rates.quotes_per_s * factor, span_ms))]
        fast = slow = None
        if rates.depth_every_ms and multiples_between(from_ms, to_ms, rates.depth_every_ms):
            market.churn(CHURN_A_DIFF)
            market.collect()
            fast = market.fast_window.take()
        if multiples_between(from_ms, to_ms, SLOW_MS):
            market.collect()
            slow = market.slow_window.take()
        return Moment(listing, from_ms, to_ms, prints, tops, fast, slow)

    def _standing(self, listing: Listing) -> Moment:
        """What an exchange would still push if nothing happened any more."""
        market, rates, now_ms = listing.market, listing.rates, self.now_ms
        market.collect()
        tops = [market.top()] if rates.quotes_per_s else []
        fast = market.fast_window.take() if rates.depth_every_ms else None
        return Moment(listing, now_ms, now_ms, Prints(market.history.next_id), tops, fast, market.slow_window.take())

    def _step_flat_out(self, now_ms: int) -> None:
        for listing in self.listings.values():
            if listing.rates.trades_per_s is None and self.hub.wanted(f"{listing.symbol.lower()}@trade"):
                listing.market.churn(CHURN_A_BATCH)
                prints = listing.market.trade(FASTEST_BATCH, now_ms - 1, now_ms)
                self._publish(Moment(listing, now_ms, now_ms, prints, [], None, None))
                self.hub.flush()

    def _flat_out(self) -> bool:
        return self.running and any(listing.rates.trades_per_s is None for listing in self.listings.values())

    def _publish(self, moment: Moment) -> None:
        moment.listing.trades_sent += len(moment.prints)
        for publish in self.publishers:
            publish(moment)


class BinancePublisher:
    """Tells Binance's listeners what happened."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def publish(self, moment: Moment) -> None:
        """Publish one symbol's step on every stream somebody listens to."""
        self._trades(moment)
        self._tops(moment)
        if moment.fast is not None:
            self._depth(moment, moment.fast, "@100ms")
        if moment.slow is not None:
            self._depth(moment, moment.slow, "")
        if multiples_between(moment.from_ms, moment.to_ms, KLINE_MS):
            self._klines(moment)

    def _trades(self, moment: Moment) -> None:
        if not moment.prints:
            return
        writer = moment.listing.writer
        if self._wanted(moment, "trade"):
            self._send(moment, "trade", "trade", writer.trades(moment.prints), moment.prints.first_id)
        if self._wanted(moment, "aggTrade"):
            self._send(moment, "aggTrade", "agg_trade", writer.aggregates(aggregates(moment.prints)))

    def _tops(self, moment: Moment) -> None:
        if moment.tops and self._wanted(moment, "bookTicker"):
            self._send(moment, "bookTicker", "quote", moment.listing.writer.book_tickers(moment.tops))

    def _depth(self, moment: Moment, diff: Diff, speed: str) -> None:
        writer, book = moment.listing.writer, moment.listing.market.book
        if self._wanted(moment, f"depth{speed}"):
            self._send(moment, f"depth{speed}", "depth", [writer.diff(diff, moment.to_ms)])
        for levels in DEPTHS:
            if self._wanted(moment, f"depth{levels}{speed}"):
                self._send(moment, f"depth{levels}{speed}", "depth", [writer.partial(book.snapshot(levels))])

    def _klines(self, moment: Moment) -> None:
        for interval, length_ms in INTERVALS_MS.items():
            if self._wanted(moment, f"kline_{interval}"):
                texts = [self._kline(moment, candle, interval) for candle in _candles_due(moment, length_ms)]
                self._send(moment, f"kline_{interval}", "kline", texts)

    def _kline(self, moment: Moment, candle: Candle, interval: str) -> str:
        closed = candle.close_ms < moment.to_ms
        return moment.listing.writer.kline(candle, interval, moment.to_ms, closed=closed)

    def _wanted(self, moment: Moment, stream: str) -> bool:
        return self._hub.wanted(f"{moment.listing.symbol.lower()}@{stream}")

    def _send(self, moment: Moment, stream: str, kind: str, texts: list[str], first_id: int | None = None) -> None:
        symbol = moment.listing.symbol
        self._hub.publish(Sending(f"{symbol.lower()}@{stream}", symbol, kind, texts, first_id), moment.to_ms)


def _candles_due(moment: Moment, length_ms: int) -> list[Candle]:
    """Return the candle under way, or the one that ends with this step."""
    open_ms = (moment.to_ms - 1) - (moment.to_ms - 1) % length_ms
    return moment.listing.market.candles.between(open_ms, open_ms, length_ms)
