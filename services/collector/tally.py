"""What a feed's session counts.

The hot path adds to plain numbers; once in a while they are added to the metrics.
"""

from collections import Counter as Count
from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from nightdesk.exchanges.rest import Outcome
from nightdesk.ticks import KIND_OF, NO_TIME, AggTrade, Event, EventName, Kind, Quote, Tick, Trade
from services.collector.codec import Reason

CODEC_FAILURE: Final = "codec_failure"
"""The codec raised something it should not: a defect of ours, counted like any other rejection."""

OTHER: Final = "other"
REASONS: Final = frozenset({*(reason.value for reason in Reason), CODEC_FAILURE, OTHER})


class SessionMetrics:
    """The metrics of every feed's session; one instance a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"nightdesk_{name}", text, ("feed", *labels), registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"nightdesk_{name}", text, ("feed", *labels), registry=registry)

        self.connected = gauge("feed_connected", "1 while the feed's socket is open.")
        self.messages = counter("feed_messages", "Messages received.")
        self.bytes = counter("feed_bytes", "Bytes of messages received.")
        self.ticks = counter("feed_ticks", "Ticks read.", "kind")
        self.rejected = counter("feed_rejected", "Messages that could not be read.", "reason")
        self.disconnects = counter("feed_disconnects", "Connections that ended or failed to open.", "cause")
        self.connects = counter("feed_connects", "Connections opened.")
        self.last_message = gauge("feed_last_message_timestamp_seconds", "When the feed was last heard, Unix time.")
        self.symbol_last_tick = gauge(
            "symbol_last_tick_timestamp_seconds", "When a symbol's last tick came, Unix time.", "symbol"
        )
        self.symbol_silent = gauge(
            "symbol_silent",
            "1 while a symbol is silent for longer than it usually is and its market is open.",
            "symbol",
        )
        self.symbol_info = gauge("symbol_info", "1; which calendar the symbol's market keeps.", "symbol", "calendar")
        self.symbol_heard = gauge(
            "symbol_heard", "1 once the symbol was heard, or proved alive, since the start.", "symbol"
        )
        self.symbol_last_price = gauge("symbol_last_price", "Price of a symbol's last trade.", "symbol")
        self.symbol_spread = gauge("symbol_spread", "Ask less bid of a symbol's last quote with both sides.", "symbol")
        self.answers = counter("exchange_answers", "Answers of the exchange's REST interface.", "outcome")
        self.conflated = counter("feed_conflated", "Quotes and depths left out because a newer one came.", "kind")
        self.breaks = counter("feed_sequence_breaks", "Breaks in a sequence that the codec saw.", "kind")
        self.paused = gauge("feed_paused", "1 while the socket is paused because nothing more can be kept.")


class Tally:
    """One feed's numbers between two looks at them; ``calendars`` has the calendar of each of its symbols."""

    def __init__(self, feed: str, calendars: Mapping[str, str], causes: Iterable[str], metrics: SessionMetrics) -> None:
        self._feed = feed
        self._metrics = metrics
        self.messages = 0
        self.bytes = 0
        self.heard_ns = 0
        self.ticks: dict[type, int] = dict.fromkeys(KIND_OF, 0)
        self.rejected: Count[str] = Count()
        self.breaks: Count[str] = Count()
        self.conflated: Count[str] = Count()
        self._last: dict[type, dict[str, Any]] = {kind: {} for kind in KIND_OF if kind is not Event}
        self._show_zeros(calendars, causes)

    def count(self, ticks: Sequence[Tick]) -> None:
        """Count ticks that came together and keep the last of each symbol and kind."""
        present = set(map(type, ticks))
        for kind in present:
            some = ticks if len(present) == 1 else [tick for tick in ticks if type(tick) is kind]
            self.ticks[kind] += len(some)
            if kind is Event:
                self._count_breaks(some)
                continue
            last = self._last[kind]
            for tick in some:  # faster than any call that does without the loop (measured)
                last[tick.symbol] = tick

    def last_tick_ns(self, symbol: str) -> int:
        """Return when a symbol's last tick was received, ``NO_TIME`` before its first; an event is no sign of life."""
        return max((last[symbol].received_ns for last in self._last.values() if symbol in last), default=NO_TIME)

    def reject(self, reason: str) -> None:
        """Count a message that could not be read; an unforeseen reason counts as ``other``."""
        self.rejected[reason if reason in REASONS else OTHER] += 1

    def opened(self) -> None:
        """Count a connection that opened."""
        self._metrics.connects.labels(self._feed).inc()
        self._metrics.connected.labels(self._feed).set(1)

    def ended(self, cause: str) -> None:
        """Count a connection that ended or did not open."""
        self._metrics.disconnects.labels(self._feed, cause).inc()
        self._metrics.connected.labels(self._feed).set(0)

    def silent(self, symbol: str, *, silent: bool) -> None:
        """Show whether a symbol is silent."""
        self._metrics.symbol_silent.labels(self._feed, symbol).set(silent)

    def heard(self, symbol: str) -> None:
        """Show that a symbol was heard, if only by a sign of life that is no tick."""
        self._metrics.symbol_heard.labels(self._feed, symbol).set(1)

    def answered(self, outcome: Outcome) -> None:
        """Count an answer of the exchange's REST interface."""
        self._metrics.answers.labels(self._feed, outcome).inc()

    def paused(self, *, paused: bool) -> None:
        """Show whether the socket is paused."""
        self._metrics.paused.labels(self._feed).set(paused)

    def flush(self) -> None:
        """Add what was counted since the last time to the metrics."""
        feed, metrics = self._feed, self._metrics
        metrics.messages.labels(feed).inc(self.messages)
        metrics.bytes.labels(feed).inc(self.bytes)
        self.messages = self.bytes = 0
        for kind, ticks in self.ticks.items():
            if ticks:
                metrics.ticks.labels(feed, KIND_OF[kind].label).inc(ticks)
                self.ticks[kind] = 0
        for counted, counter in (
            (self.rejected, metrics.rejected),
            (self.breaks, metrics.breaks),
            (self.conflated, metrics.conflated),
        ):
            for label, number in counted.items():
                counter.labels(feed, label).inc(number)
            counted.clear()
        if self.heard_ns:
            metrics.last_message.labels(feed).set(self.heard_ns / 1e9)
        self._flush_last()

    def _flush_last(self) -> None:
        feed, metrics = self._feed, self._metrics
        for symbol in set().union(*self._last.values()):
            metrics.symbol_last_tick.labels(feed, symbol).set(self.last_tick_ns(symbol) / 1e9)
        for kind in (AggTrade, Trade):  # where a feed has both, its trades are the finer ones
            for symbol, trade in self._last[kind].items():
                metrics.symbol_last_price.labels(feed, symbol).set(trade.price)
        for symbol, quote in self._last[Quote].items():
            spread = quote.ask_price - quote.bid_price
            if not isnan(spread):  # a side may be empty
                metrics.symbol_spread.labels(feed, symbol).set(spread)

    def _count_breaks(self, events: Sequence[Tick]) -> None:
        for one in events:
            if isinstance(one, Event) and one.name == EventName.SEQUENCE_BREAK:
                self.breaks[Kind(one.kind).label if one.kind else OTHER] += 1

    def _show_zeros(self, calendars: Mapping[str, str], causes: Iterable[str]) -> None:
        """Make the children now, so that a rate sees the first of each."""
        feed, metrics = self._feed, self._metrics
        metrics.connected.labels(feed).set(0)
        metrics.connects.labels(feed)
        metrics.paused.labels(feed).set(0)
        for cause in causes:
            metrics.disconnects.labels(feed, cause)
        for reason in REASONS:
            metrics.rejected.labels(feed, reason)
        for kind in Kind:
            metrics.ticks.labels(feed, kind.label)
            metrics.breaks.labels(feed, kind.label)
        for kind in (Kind.QUOTE, Kind.DEPTH):
            metrics.conflated.labels(feed, kind.label)
        for outcome in Outcome:
            metrics.answers.labels(feed, outcome)
        for symbol, calendar in calendars.items():
            metrics.symbol_info.labels(feed, symbol, calendar).set(1)
            metrics.symbol_heard.labels(feed, symbol).set(0)
            metrics.symbol_silent.labels(feed, symbol).set(0)
