"""WebSocket frames as a server sends them: unmasked text, many in one string of bytes (RFC 6455, section 5.2)."""

from collections.abc import Iterable
from typing import Final

TEXT: Final = 0x81
_COMMON: Final = 4096


def header(length: int) -> str:
    """Return the head of a final text frame of ``length`` bytes, one character a byte."""
    if length < 126:
        return f"{chr(TEXT)}{chr(length)}"
    if length < 65536:
        return f"{chr(TEXT)}~" + length.to_bytes(2).decode("latin-1")
    return f"{chr(TEXT)}\x7f" + length.to_bytes(8).decode("latin-1")


_HEADERS: Final = [header(length) for length in range(_COMMON)]


def frames(texts: Iterable[str], head: str = "", tail: str = "") -> bytes:
    """Return one text frame for each of the ASCII texts, each between ``head`` and ``tail``."""
    around = len(head) + len(tail)
    parts: list[str] = []
    for text in texts:
        length = len(text) + around
        parts += (_HEADERS[length] if length < _COMMON else header(length), head, text, tail)
    return "".join(parts).encode("latin-1")


def frame(data: bytes) -> bytes:
    """Return one text frame of UTF-8 bytes."""
    return header(len(data)).encode("latin-1") + data
