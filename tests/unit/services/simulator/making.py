"""Small things the simulator's tests are made of."""

from collections.abc import Callable
from dataclasses import dataclass, field

from services.simulator.exchange import Exchange, Listing, Rates
from services.simulator.faults import Board, fault_of
from services.simulator.hub import Hub, Listener
from services.simulator.instruments import Instrument, instrument_of
from services.simulator.market import Market
from services.simulator.tampering import Tampering

START_MS = 1_700_000_000_000 - 1_700_000_000_000 % 60_000
SYMBOLS = frozenset({"BTCUSDT", "AAPL.US"})


def a_market(symbol: str = "BTCUSDT", *, seed: int = 1, first_id: int = 1000, history_trades: int = 20_000) -> Market:
    return Market(instrument_of(symbol), seed=seed, first_id=first_id, history_trades=history_trades)


def an_instrument(*, price_places: int = 2, size_places: int = 3) -> Instrument:
    return Instrument(
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        price_places=price_places,
        size_places=size_places,
        start_price=100.0,
        typical_size=1.0,
        gap_ticks=2,
    )


@dataclass
class FakeLine:
    """Keeps what would go out; ``full`` says that the client does not take it."""

    sent: list[bytes] = field(default_factory=list)
    queued: list[bytes] = field(default_factory=list)
    closed: tuple[int, str] | None = None
    open: bool = True
    full: bool = False
    unread_s: float = 0.0

    @property
    def waiting_bytes(self) -> int:
        return sum(map(len, self.sent)) if self.full else 0

    def queue(self, data: bytes) -> None:
        self.queued.append(data)

    def flush(self) -> bool:
        self.sent += self.queued
        self.queued = []
        return not self.full

    def close(self, code: int, reason: str = "") -> None:
        self.closed = (code, reason)
        self.open = False

    def abort(self) -> None:
        self.open = False

    def stop_reading(self, seconds: float) -> None:
        self.unread_s = seconds

    def texts(self) -> list[str]:
        return [text for data in self.sent for text in unframed(data)]


def unframed(data: bytes) -> list[str]:
    """Return the texts of server frames, read the slow and obvious way."""
    texts = []
    while data:
        assert data[0] == 0x81
        size, at = data[1], 2
        if size == 126:
            size, at = int.from_bytes(data[2:4]), 4
        elif size == 127:
            size, at = int.from_bytes(data[2:10]), 10
        texts.append(data[at : at + size].decode())
        data = data[at + size :]
    return texts


class World:
    """An exchange on a clock of its own."""

    def __init__(self, *symbols: str, rates: Rates | None = None, is_open: Callable[[int], bool] | None = None) -> None:
        self.now_ms = START_MS
        self.board = Board()
        self.hub = Hub(Tampering(self.board))
        usual = Rates(trades_per_s=100.0, quotes_per_s=50.0, depth_per_s=10.0, shape="flat")
        listings = [
            Listing(market=a_market(symbol), rates=rates or usual, is_open=is_open or (lambda _now_ms: True))
            for symbol in symbols or ("BTCUSDT",)
        ]
        self.exchange = Exchange(listings, hub=self.hub, board=self.board, wall_ms=lambda: self.now_ms)

    def pass_s(self, seconds: float, step_ms: int = 10) -> None:
        for _ in range(round(seconds * 1000 / step_ms)):
            self.now_ms += step_ms
            self.exchange.catch_up(self.now_ms)

    def listener(self, *topics: str, wrapped: bool = False, language: str = "binance") -> tuple[Listener, FakeLine]:
        line = FakeLine()
        listener = self.hub.join(line, language=language, now_ms=self.now_ms)
        listener.wrapped = wrapped
        self.hub.subscribe(listener, topics)
        return listener, line

    def fault(self, name: str, **fields: object) -> None:
        symbols = frozenset(self.exchange.listings)
        self.board.add(fault_of({"fault": name, **fields}, symbols), self.now_ms)
