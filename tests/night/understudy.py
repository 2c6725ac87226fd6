"""Plays what cannot run here, as metrics: feeds of New York's symbols, a disk that fills, a job that was missed.

Its feeds tick only while the fast market is open, as those of a real exchange do, and it says of itself what a
collector and a worker would say of them.
"""

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final

from tests.alerting.exporter import Exporter
from tests.night import week

STOCKS: Final = "stocks"
FUNDS: Final = "funds"
COINS: Final = "coins"
ALWAYS_OPEN: Final = "24/7"
SYMBOLS: Final[Mapping[str, tuple[str, ...]]] = {
    STOCKS: ("AAPL.US", "NVDA.US"),
    FUNDS: ("SPY.US", "QQQ.US"),
    COINS: ("ADAUSDT",),
}
PRICES: Final = {"AAPL.US": 231.5, "NVDA.US": 178.25, "SPY.US": 671.0, "QQQ.US": 604.0, "ADAUSDT": 0.65}
SPREAD: Final = 0.0002
"""Of the price."""

ARCHIVE: Final = "archive"
BACKUP: Final = "backup"
"""Disks of its own, so that the machine's have no part in it."""

SCAN: Final = "pre_market_scan"
TICK_S: Final = 0.5
TERABYTE: Final = 1e12
GIGABYTE: Final = 1e9


class Understudy:
    """Serves its metrics between entering and leaving it; ``simulated_s`` turns real into simulated time."""

    def __init__(self, simulated_s: Callable[[float], float]) -> None:
        self._simulated_s = simulated_s
        self._exporter = Exporter()
        self._mute: set[str] = set()
        self._lock = threading.Lock()
        self._spreads = dict.fromkeys(PRICES, SPREAD)
        self._last_s: dict[str, float] = {}
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="understudy", daemon=True)
        self._enter_scene()

    def __enter__(self) -> "Understudy":
        self._exporter.__enter__()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ends.set()
        self._thread.join()
        self._exporter.__exit__(kind, error, at)

    @property
    def address(self) -> str:
        """Host and port."""
        return self._exporter.address

    # --- feeds ---

    def silence(self, name: str) -> float:
        """Let a feed, or one symbol, say nothing from now on; return when it said something last, Unix seconds."""
        with self._lock:
            self._mute.add(name)
            return self._last_s.get(name, 0.0)

    def resume(self, name: str) -> None:
        """Let it speak again, whenever its market is open."""
        with self._lock:
            self._mute.discard(name)
        for feed, symbols in SYMBOLS.items():
            if name in symbols:
                self._exporter.set("nightdesk_symbol_silent", 0, feed=feed, symbol=name)

    def call_silent(self, feed: str, symbol: str) -> None:
        """Say that a symbol is silent for longer than it usually is, as a collector would."""
        self._exporter.set("nightdesk_symbol_silent", 1, feed=feed, symbol=symbol)

    def widen(self, symbol: str, times: float) -> float:
        """Let a symbol's spread be so many times its usual from now on; return when, Unix seconds."""
        with self._lock:
            self._spreads[symbol] = SPREAD * times
            return time.time()

    # --- the rest ---

    def disk(self, volume: str, free: float) -> float:
        """Let so much of a disk be free, 0 to 1; return when, Unix seconds."""
        self._exporter.set("nightdesk_disk_size_bytes", TERABYTE, volume=volume)
        return self._exporter.set("nightdesk_disk_free_bytes", free * TERABYTE, volume=volume)

    def memory(self, available: float) -> float:
        """Let so much of the machine's memory be available, 0 to 1; return when, Unix seconds."""
        self._exporter.set("nightdesk_host_memory_total_bytes", 8 * GIGABYTE)
        return self._exporter.set("nightdesk_host_memory_available_bytes", available * 8 * GIGABYTE)

    def miss_job(self, name: str) -> float:
        """Say that a run of a job was given up just now; return when, Unix seconds."""
        return self._exporter.set("nightdesk_job_last_missed_timestamp_seconds", time.time(), name=name)

    def errors(self, logged: int) -> float:
        """Say how many errors were logged so far; return when, Unix seconds."""
        return self._exporter.set("nightdesk_log_events_total", logged, level="error")

    # --- its own part ---

    def _enter_scene(self) -> None:
        """Show everything in good order, so that a rate sees the first event."""
        for feed, symbols in SYMBOLS.items():
            self._exporter.set("nightdesk_feed_connected", 1, feed=feed)
            for symbol in symbols:
                calendar = ALWAYS_OPEN if feed == COINS else week.CALENDAR
                self._exporter.set("nightdesk_symbol_info", 1, feed=feed, symbol=symbol, calendar=calendar)
                self._exporter.set("nightdesk_symbol_silent", 0, feed=feed, symbol=symbol)
                self._exporter.set("nightdesk_symbol_heard", 1, feed=feed, symbol=symbol)
            # What came before the week, at the close of the day before.
            self._tick(feed, time.time())
        for volume in (ARCHIVE, BACKUP):
            self.disk(volume, 0.6)
        self.memory(0.5)
        self.errors(0)

    def _run(self) -> None:
        while not self._ends.wait(TICK_S):
            now_s = time.time()
            market_is_open = week.is_open(self._simulated_s(now_s))
            for feed in SYMBOLS:
                if market_is_open or feed == COINS:
                    self._tick(feed, now_s)

    def _tick(self, feed: str, now_s: float) -> None:
        with self._lock:
            speaking = [one for one in SYMBOLS[feed] if one not in self._mute] if feed not in self._mute else []
            self._last_s |= dict.fromkeys([feed, *speaking] if speaking else [], now_s)
            spreads = {one: self._spreads[one] * PRICES[one] for one in speaking}
        for symbol, spread in spreads.items():
            labels = {"feed": feed, "symbol": symbol}
            self._exporter.set("nightdesk_symbol_last_tick_timestamp_seconds", now_s, **labels)
            self._exporter.set("nightdesk_symbol_last_price", PRICES[symbol], **labels)
            self._exporter.set("nightdesk_symbol_spread", spread, **labels)
        if speaking:
            self._exporter.set("nightdesk_feed_last_message_timestamp_seconds", now_s, feed=feed)
            consumer = f"store/{feed}/00"
            self._exporter.set("nightdesk_consumer_position_timestamp_seconds", now_s, consumer=consumer)
