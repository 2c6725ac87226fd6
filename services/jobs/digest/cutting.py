"""Cut what is read of a file into pieces of whole lines, wherever the reads happened to end. Pure."""

from dataclasses import dataclass
from typing import Final

LONGEST_LINE_BYTES: Final = 64 * 1024
"""A longer line is no line of a log: it is counted as not understood, and never held whole."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines, or the beginning of one that is too long; where they begin in the file, and their bytes there."""

    offset: int
    data: bytes
    length: int
    is_overlong: bool = False


class Cutter:
    """Takes blocks in their order; what has no end yet is kept until it has."""

    def __init__(self, offset: int) -> None:
        """``offset`` is where in the file the first block begins, in bytes: at the beginning of a line."""
        self._offset = offset
        self._rest = b""
        self._overlong_bytes = 0

    def feed(self, block: bytes) -> list[Piece]:
        """Take the next block; return the pieces that it completes."""
        pieces = []
        if self._overlong_bytes:
            cut = block.find(b"\n") + 1
            self._overlong_bytes += cut or len(block)
            if not cut:
                return []
            pieces.append(self._overlong())
            block = block[cut:]
        data = self._rest + block
        cut = data.rfind(b"\n") + 1
        if cut:
            pieces.append(self._piece(data[:cut], cut))
        self._rest = data[cut:]
        if len(self._rest) > LONGEST_LINE_BYTES:
            self._overlong_bytes = len(self._rest)
            self._rest = self._rest[:LONGEST_LINE_BYTES]
        return pieces

    def end(self) -> list[Piece]:
        """Return the last line, if it has no end: for a file that nobody will write to any more."""
        if self._overlong_bytes:
            return [self._overlong()]
        return [self._piece(self._rest, len(self._rest))] if self._rest else []

    def _overlong(self) -> Piece:
        piece = self._piece(self._rest, self._overlong_bytes, is_overlong=True)
        self._overlong_bytes, self._rest = 0, b""
        return piece

    def _piece(self, data: bytes, length: int, *, is_overlong: bool = False) -> Piece:
        piece = Piece(self._offset, data, length, is_overlong)
        self._offset += length
        return piece
