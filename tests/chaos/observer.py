"""A consumer of the streams beside the store: the order in which any consumer sees the trades of a symbol."""

import contextlib
import threading
from typing import Any, Final, Protocol, cast

import redis

from nightdesk import frames
from nightdesk.errors import FrameError, NightdeskError
from nightdesk.shards import DEFAULT_SHARDS, stream_key
from nightdesk.store.batch import HIGHEST_ID
from nightdesk.ticks import Kind
from tests.chaos.stacks import Address

AT_ONCE: Final = 100
WAIT_MS: Final = 200
RETRY_S: Final = 0.3


class Rising:
    """Whether a number of each symbol only rises; ``strictly``: never stays either."""

    def __init__(self, *, strictly: bool) -> None:
        self._step = int(strictly)
        self._last: dict[str, int] = {}
        self._first_break: dict[str, tuple[int, int]] = {}
        self._breaks: dict[str, int] = {}

    def look(self, symbol: str, number: int) -> None:
        """Take the next number of a symbol."""
        last = self._last.get(symbol, number - self._step)
        self._last[symbol] = max(last, number)
        if number < last + self._step:
            self._first_break.setdefault(symbol, (last, number))
            self._breaks[symbol] = self._breaks.get(symbol, 0) + 1

    def take_breaks(self) -> list[tuple[str, int, int, int]]:
        """Return symbol, number of breaks, and the first one: what came, and what it came after; forget them."""
        found = [(symbol, self._breaks[symbol], late, last) for symbol, (last, late) in self._first_break.items()]
        self._first_break.clear()
        self._breaks.clear()
        return found

    def forget(self) -> None:
        """Begin anew: the next number of each symbol may be any."""
        self._last.clear()


class Order:
    """The order in which any consumer sees the trades of a symbol: their ids rise, and so do their receive times."""

    def __init__(self) -> None:
        self._ids = Rising(strictly=True)
        self._receipts = Rising(strictly=False)
        self.trades = 0

    def take(self, frame: frames.Frame) -> None:
        """Look at the trades of the next frame."""
        columns = frame.columns.get(Kind.TRADE)
        if columns is None:
            return
        numbers = (columns[name].tolist() for name in ("symbol", "trade_id", "received_ns"))
        for place, trade_id, received_ns in zip(*numbers, strict=True):
            if trade_id > HIGHEST_ID:
                continue  # poison, which any consumer sets aside
            symbol = frame.names[place]
            self._ids.look(symbol, trade_id)
            self._receipts.look(symbol, received_ns)
            self.trades += 1

    def findings(self, *, disordered: int = 0, receipts: bool = True) -> list[str]:
        """Return what was out of order, in words, and forget it.

        So many ``disordered`` trades are as the exchange sent them; receive times are looked at if they may be.
        """
        by_id, by_receipt = self._ids.take_breaks(), self._receipts.take_breaks()
        excused = sum(count for _, count, _, _ in by_id) <= disordered
        if not receipts:
            self._receipts.forget()
        return [
            *(
                f"{symbol}: {count} trades came to a consumer out of order, the first is {late} after {last}"
                for symbol, count, late, last in (() if excused else by_id)
            ),
            *(
                f"{symbol}: {count} trades came to a consumer later than their receipt says, the first by"
                f" {(last - late) / 1e9:.3f} s"
                for symbol, count, late, last in (by_receipt if receipts else ())
            ),
        ]


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
                        self._positions[stream] = entry_id
                        self._take(fields)

    def _take(self, fields: dict[bytes, bytes]) -> None:
        """What is no frame has no order; the quarantine is counted elsewhere."""
        with contextlib.suppress(FrameError):
            self.order.take(frames.decode(fields.get(b"f", b"")))
