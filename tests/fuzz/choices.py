"""Bytes read as decisions: a plan that an engine can change byte by byte."""

import struct


class Choices:
    """Numbers out of bytes; 0 once they are used up, so that any bytes are a whole plan."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def below(self, limit: int) -> int:
        """Return a number from 0 up to, not including, ``limit`` (at most 65,536); takes one byte or two."""
        width = 1 if limit <= 256 else 2
        taken = self.take(width).ljust(width, b"\0")
        number: int = struct.unpack("<B" if width == 1 else "<H", taken)[0]
        return number % limit

    def take(self, count: int) -> bytes:
        """Return the next bytes, fewer at the end."""
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken

    def rest(self) -> bytes:
        """Return what was not taken."""
        return self.take(len(self._data))
