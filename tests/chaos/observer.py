"""A consumer of the streams beside the store: the order in which any consumer sees the trades of a symbol."""

import threading
from typing import Any, Final, Protocol, cast

import redis

from nightdesk import frames
from nightdesk.errors import NightdeskError
from nightdesk.shards import DEFAULT_SHARDS, stream_key
from nightdesk.ticks import Kind
from tests.chaos.stacks import Address

AT_ONCE: Final = 100
WAIT_MS: Final = 200
RETRY_S: Final = 0.3


class Order:
    """Whether the trade ids of each symbol only rise, in the order in which frames come."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._first_break: dict[str, tuple[int, int]] = {}
        self._breaks: dict[str, int] = {}
        self.trades = 0

    def take(self, frame: frames.Frame) -> None:
        """Look at the trades of the next frame."""
        columns = frame.columns.get(Kind.TRADE)
        if columns is None:
            return
        for place, trade_id in zip(columns["symbol"].tolist(), columns["trade_id"].tolist(), strict=True):
            self._look(frame.names[place], trade_id)

    def findings(self) -> list[str]:
        """Return what was out of order, in words, and forget it."""
        found = [
            f"{symbol}: {self._breaks[symbol]} trades came to a consumer out of order, the first is {late} after {last}"
            for symbol, (last, late) in self._first_break.items()
        ]
        self._first_break.clear()
        self._breaks.clear()
        return found

    def _look(self, symbol: str, trade_id: int) -> None:
        last = self._last.get(symbol, -1)
        self.trades += 1
        if trade_id > last:
            self._last[symbol] = trade_id
            return
        self._first_break.setdefault(symbol, (last, trade_id))
        self._breaks[symbol] = self._breaks.get(symbol, 0) + 1


class HasRedis(Protocol):
    """Whoever knows where Redis is now."""

    def redis(self) -> Address:
        """Return Redis's address."""


class Observer:
    """Reads every stream of a feed from its beginning in a thread of its own, from ``start`` to ``stop``."""

    def __init__(self, stack: HasRedis, feed: str, shards: int = DEFAULT_SHARDS) -> None:
        self._stack = stack
        self._positions = {stream_key(feed, shard).encode(): b"0-0" for shard in range(shards)}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)
        self.order = Order()

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._read()
            except (redis.RedisError, NightdeskError):
                self._ended.wait(RETRY_S)

    def _read(self) -> None:
        at = self._stack.redis()
        with redis.Redis(at.host, at.port, password=at.password, socket_timeout=5, socket_connect_timeout=3) as client:
            while not self._ended.is_set():
                positions = cast("dict[Any, Any]", self._positions)
                answer = cast("list[Any]", client.xread(positions, count=AT_ONCE, block=WAIT_MS))
                for stream, entries in answer:
                    for entry_id, fields in entries:
                        self.order.take(frames.decode(fields[b"f"]))
                        self._positions[stream] = entry_id
