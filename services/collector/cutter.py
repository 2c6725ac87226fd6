"""Cut a WebSocket's bytes into messages, without a library for those that need none.

A message that came whole, in one unmasked and uncompressed frame, is nearly all that an exchange sends; cutting it out
is a few additions. Everything else (control frames, fragments, compressed ones, whatever is wrong) is somebody
else's: it gets each such frame whole, so that it stands between two frames whenever it is asked.

The layout of a frame's head is RFC 6455, section 5.2.
"""

from collections.abc import Callable
from typing import Final

_WHOLE: Final = frozenset({0x81, 0x82})
"""First bytes of a message in one frame: FIN, no extension, text or binary."""

_SHORT_HEAD: Final = 2
_HEAD_WITH_16_BITS: Final = 4
_HEAD_WITH_64_BITS: Final = 10
_LENGTH_IN_16_BITS: Final = 126
_LENGTH_IN_64_BITS: Final = 127


class Cutter:
    """Cuts one connection's bytes, however they are divided when they arrive."""

    on_message: Callable[[bytes], None]
    """Takes a message that was cut out; set it before ``on_other`` first returns True."""

    def __init__(self, *, on_other: Callable[[bytes], bool], max_bytes: int) -> None:
        """``on_other`` takes bytes for somebody else and returns whether messages may be cut out after them."""
        self._on_other = on_other
        self._max_bytes = max_bytes
        self._rest = b""
        self._may_cut = False
        self._given_up = False

    def take(self, data: bytes) -> None:
        """Take what arrived; hand on what is complete, in order."""
        if self._given_up:
            self._on_other(data)
            return
        data = self._rest + data if self._rest else data
        at, end = 0, len(data)
        while end - at >= _SHORT_HEAD:
            length, start = data[at + 1], at + _SHORT_HEAD
            if length >= _LENGTH_IN_16_BITS:
                length, start = _long(data, at)
            if length > self._max_bytes:
                self._give_up(data[at:])
                return
            stop = start + length
            if stop > end:
                break
            if self._may_cut and data[at] in _WHOLE:
                self.on_message(data[start:stop])
            else:
                self._may_cut = self._on_other(data[at:stop])
            at = stop
        self._rest = data[at:]

    def _give_up(self, data: bytes) -> None:
        """Nothing good can follow: whoever takes the rest will see it too, and end the connection."""
        self._given_up, self._rest = True, b""
        self._on_other(data)


def _long(data: bytes, at: int) -> tuple[int, int]:
    """Return the length and where the payload starts; of a head that is not complete, a length that is not there.

    A server that masks breaks the protocol: the length's highest bit then makes it longer than any limit.
    """
    code = data[at + 1]
    if code == _LENGTH_IN_16_BITS:
        return int.from_bytes(data[at + 2 : at + 4]), at + _HEAD_WITH_16_BITS
    if code == _LENGTH_IN_64_BITS:
        return int.from_bytes(data[at + 2 : at + 10]), at + _HEAD_WITH_64_BITS
    return 1 << 64, at + _SHORT_HEAD
