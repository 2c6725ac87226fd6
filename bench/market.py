"""Binance trades as WebSocket frames, faster than any client reads them: a template whose digits are replaced.

Every message has the same length (about 170 bytes), in a frame of its own. The ids of a symbol are contiguous from
chunk to chunk, so that a store that counts them can prove that nothing is missing.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

SYMBOLS: Final = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT")
FIRST_ID: Final = 1_000_000_000
ID_DIGITS: Final = 10
MS_DIGITS: Final = 13
ROUNDS: Final = 200
"""Trades of each symbol in a chunk."""

CHUNK: Final = ROUNDS * len(SYMBOLS)

_ID: Final = "#" * ID_DIGITS
_MS: Final = "@" * MS_DIGITS
_TEXT_FRAME: Final = 0x81
"""FIN and opcode 1 (RFC 6455, 5.2)."""
_LENGTH_IN_16_BITS: Final = 126

_Bytes = npt.NDArray[np.uint8]


class Market:
    """An endless sequence of trades, its symbols in turn.

    Raises ValueError unless their names have one length and a chunk holds as many trades of each.
    """

    def __init__(self, seed: int = 7, symbols: Sequence[str] = SYMBOLS) -> None:
        if CHUNK % len(symbols) or len({len(symbol) for symbol in symbols}) > 1:
            raise ValueError(f"{len(symbols)} symbols: {CHUNK} must be a multiple of it, and the names of one length")
        self._symbols = len(symbols)
        self._frames = _template(np.random.default_rng(seed), symbols)
        line = self._frames[0].tobytes()
        self._id_at = line.index(_ID.encode())
        self._ms_at = [at for at in range(len(line)) if line.startswith(_MS.encode(), at)]
        self._next_id = FIRST_ID

    @property
    def message_bytes(self) -> int:
        """The length of one message without its frame's head."""
        return self.frame_bytes - _HEAD_BYTES

    @property
    def frame_bytes(self) -> int:
        """The length of one frame."""
        return len(self._frames[0])

    def chunk(self, now_ms: int) -> bytes:
        """Return the next ``CHUNK`` frames; their trades happened at ``now_ms``."""
        ids = self._next_id + np.arange(CHUNK, dtype=np.int64) // self._symbols
        self._next_id += CHUNK // self._symbols
        self._frames[:, self._id_at : self._id_at + ID_DIGITS] = _digits(ids, ID_DIGITS)
        now = _digits(np.array([now_ms], dtype=np.int64), MS_DIGITS)
        for at in self._ms_at:
            self._frames[:, at : at + MS_DIGITS] = now
        return self._frames.tobytes()

    def messages(self, now_ms: int) -> list[bytes]:
        """Return the next ``CHUNK`` messages without frames."""
        self.chunk(now_ms)
        return [row.tobytes() for row in self._frames[:, _HEAD_BYTES:]]


_HEAD_BYTES: Final = 4


def _template(random: np.random.Generator, symbols: Sequence[str]) -> _Bytes:
    prices = 50_000 + np.cumsum(random.normal(0, 1, CHUNK))
    sizes = random.uniform(0.001, 9, CHUNK)
    buys = random.random(CHUNK) < 0.5
    texts = [
        _message(symbols[place % len(symbols)], price, size, is_buy=bool(is_buy))
        for place, (price, size, is_buy) in enumerate(zip(prices, sizes, buys, strict=True))
    ]
    return np.array([np.frombuffer(_frame(text.encode()), dtype=np.uint8) for text in texts])


def _message(symbol: str, price: float, size: float, *, is_buy: bool) -> str:
    """Return a trade as Binance writes it; "m" and "M" are opposite here, so that all have one length."""
    maker, ignored = ("false", "true") if is_buy else ("true", "false")
    return (
        f'{{"stream":"{symbol.lower()}@trade","data":{{"e":"trade","E":{_MS},"s":"{symbol}","t":{_ID},'
        f'"p":"{price:.8f}","q":"{size:.8f}","T":{_MS},"m":{maker},"M":{ignored}}}}}'
    )


def _frame(payload: bytes) -> bytes:
    return bytes([_TEXT_FRAME, _LENGTH_IN_16_BITS, *divmod(len(payload), 256)]) + payload


def _digits(values: npt.NDArray[np.int64], count: int) -> _Bytes:
    powers = 10 ** np.arange(count - 1, -1, -1, dtype=np.int64)
    return (values[:, None] // powers % 10 + ord("0")).astype(np.uint8)
