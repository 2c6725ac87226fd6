"""The same trades further down the path: as frames, and as rows of PostgreSQL's binary COPY."""

import itertools
import struct
from collections.abc import Iterator
from typing import Final

from bench.market import SYMBOLS, Market
from nightdesk import frames
from nightdesk.ticks import Kind, Trade
from services.collector.codec import Subscription
from services.collector.feeds import CODECS

FRAME_TICKS: Final = 500
NOW_MS: Final = 1_700_000_000_000

COPY_HEAD: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_END: Final = b"\xff\xff"
_EPOCH_US: Final = 946_684_800_000_000
"""PostgreSQL counts microseconds from 2000-01-01."""

_ROW: Final = struct.Struct(">hiiihiqiqididiqiq")


def trades() -> Iterator[Trade]:
    """Yield trades without end, as the codec reads them."""
    subscription = Subscription(feed="bench", ws_url="", rest_url="", symbols=SYMBOLS, kinds=frozenset({Kind.TRADE}))
    codec, market = CODECS["binance"](subscription), Market()
    while True:
        for message in market.messages(NOW_MS):
            for tick in codec.receive(message, NOW_MS * 1_000_000)[0]:
                if isinstance(tick, Trade):
                    yield tick


def frames_of_trades(count: int) -> tuple[list[bytes], int]:
    """Return so many frames of one symbol each, and how many ticks are in all of them."""
    source, waiting, made = trades(), {symbol: list[Trade]() for symbol in SYMBOLS}, list[bytes]()
    while len(made) < count:
        trade = next(source)
        waiting[trade.symbol].append(trade)
        if len(waiting[trade.symbol]) == FRAME_TICKS:
            made.append(frames.encode(waiting[trade.symbol]))
            waiting[trade.symbol].clear()
    return made, count * FRAME_TICKS


def copy_of_trades(count: int) -> bytes:
    """Return the binary COPY of so many rows: symbol_id, side, time, trade_id, price, size and two more times.

    https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
    """
    return COPY_HEAD + b"".join(rows_of_trades(count)) + COPY_END


def rows_of_trades(count: int) -> list[bytes]:
    """Return so many rows, without head and tail."""
    return [_row(trade) for trade in itertools.islice(trades(), count)]


def _row(trade: Trade) -> bytes:
    at_us = trade.exchange_ns // 1000 - _EPOCH_US
    received_us = trade.received_ns // 1000 - _EPOCH_US
    return _ROW.pack(
        8, 4, SYMBOLS.index(trade.symbol), 2, trade.side, 8, at_us, 8, trade.trade_id, 8, trade.price, 8, trade.size,
        8, at_us, 8, received_us,
    )  # fmt: skip
