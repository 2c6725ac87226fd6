"""An hour of the simulator's market, recorded in the recordings' format without waiting for it.

The market knows no clock: it is moved in steps of ten milliseconds by times that nobody waited for, and what it would
have sent to a subscriber of everything is written down with those times.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from bench.desk.pairs import Pace
from nightdesk.exchanges.binance import DEPTH_LIMIT, depth_url
from services.simulator.binance_rest import BinanceRest
from services.simulator.exchange import Exchange, Listing, Rates
from services.simulator.faults import Board
from services.simulator.hub import Hub
from services.simulator.instruments import instrument_of
from services.simulator.market import Market
from services.simulator.tampering import Sending, Tampering

CHANNELS: Final = ("trade", "bookTicker", "depth@100ms", "kline_1m")
STEP_MS: Final = 10
HISTORY_TRADES: Final = 1000
FIRST_ID: Final = 1_000_000_000
EXCHANGE: Final = "https://simulator"

_encode: Final = msgspec.json.Encoder().encode
Write = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording and how many messages of each kind it holds."""

    path: Path
    messages: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.messages.values())


def record(directory: Path, pairs: Mapping[str, Pace], *, begin_ms: int, seconds: float, seed: int) -> Recorded:
    """Write ``market.ws.jsonl.zst`` and the books' snapshots beside it; the market begins at ``begin_ms``."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)  # a container reads it as another user
    path = directory / "market.ws.jsonl.zst"
    with _compressed(path) as write:
        hub = Tape(write)
        clock = [begin_ms]
        exchange = Exchange(_listings(pairs, seed), hub=hub, board=Board(), wall_ms=lambda: clock[0])
        with _compressed(directory / "market.http.jsonl.zst") as write_answer:
            _snapshots(exchange, write_answer)
        for clock[0] in range(begin_ms + STEP_MS, begin_ms + int(seconds * 1000) + 1, STEP_MS):
            exchange.catch_up(clock[0])
    return Recorded(path, dict(hub.messages))


class Tape(Hub):
    """Everyone's subscription to everything, written down."""

    def __init__(self, write: Write) -> None:
        super().__init__(Tampering(Board()))
        self._write = write
        self.messages: Counter[str] = Counter()

    def wanted(self, topic: str) -> bool:
        """Return whether the collector would listen."""
        return topic.partition("@")[2] in CHANNELS

    def publish(self, sending: Sending, now_ms: int) -> None:
        """Write what a wrapped connection would have been sent."""
        self.messages[sending.kind] += len(sending.texts)
        for text in sending.texts:
            raw = f'{{"stream":"{sending.topic}","data":{text}}}'
            self._write(_encode({"ts": now_ms / 1000, "raw": raw}) + b"\n")


def _listings(pairs: Mapping[str, Pace], seed: int) -> Iterator[Listing]:
    for symbol, pace in pairs.items():
        market = Market(instrument_of(symbol), seed=seed, first_id=FIRST_ID, history_trades=HISTORY_TRADES)
        rates = Rates(
            trades_per_s=pace.trades_per_s, quotes_per_s=pace.quotes_per_s, depth_per_s=pace.depth_per_s, shape="u"
        )
        yield Listing(market=market, rates=rates, is_open=lambda _now_ms: True)


def _snapshots(exchange: Exchange, write: Write) -> None:
    """Write every book as it is before the first change."""
    rest = BinanceRest(exchange, weight_limit=0)
    for symbol in exchange.listings:
        body = rest.depth({"symbol": symbol, "limit": str(DEPTH_LIMIT)})
        answer = {"ts": exchange.now_ms / 1000, "url": depth_url(EXCHANGE, symbol), "body": body}
        write(_encode(answer) + b"\n")


@contextmanager
def _compressed(path: Path) -> Iterator[Write]:
    with path.open("wb") as file, zstandard.ZstdCompressor(level=3).stream_writer(file) as packed:
        yield packed.write
