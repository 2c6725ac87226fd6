"""Recordings: what an exchange sent, one JSON object a line, plain or compressed.

WebSocket frames are ``{"ts", "raw"}`` with the receive time in Unix seconds and the frame's text; REST answers are
``{"ts", "url", "body"}`` in a file beside it, ``x.http.jsonl`` for ``x.ws.jsonl``.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import zstandard

from nightdesk.errors import ConfigurationError

WS_SUFFIX: Final = ".ws.jsonl"
HTTP_SUFFIX: Final = ".http.jsonl"
CHUNK_BYTES: Final = 1 << 18

T = TypeVar("T")


class Recorded(msgspec.Struct):
    """One frame: when it came, Unix seconds, and its text."""

    ts: float
    raw: str


class Answered(msgspec.Struct):
    """One REST answer."""

    ts: float
    url: str
    body: object


def _plain(path: Path) -> Iterator[bytes]:
    with path.open("rb") as lines:
        yield from lines


def _gzip(path: Path) -> Iterator[bytes]:
    with gzip.open(path, "rb") as lines:
        yield from lines


def _zstd(path: Path) -> Iterator[bytes]:
    """Yield lines across frames; a torn frame is an error, which the library's own reader takes for the end."""
    rest = b""
    for piece in _unpacked(path):
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    yield rest


def _unpacked(path: Path) -> Iterator[bytes]:
    with path.open("rb") as packed:
        frame: zstandard.ZstdDecompressionObj | None = None
        while chunk := packed.read(CHUNK_BYTES):
            while chunk:
                frame = frame or zstandard.ZstdDecompressor().decompressobj()
                yield frame.decompress(chunk)
                chunk, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
    if frame is not None:
        raise EOFError("the last zstd frame is torn")


OPENERS: Final[dict[str, Callable[[Path], Iterator[bytes]]]] = {"": _plain, ".gz": _gzip, ".zst": _zstd}


def frames_of(path: Path) -> Iterator[Recorded]:
    """Yield the frames of a recording. Raises ConfigurationError that names the line."""
    return _lines(path, Recorded)


def answers_of(path: Path) -> list[Answered]:
    """Return the REST answers beside a recording, none where there is no such file. Raises ConfigurationError."""
    name = path.name.removesuffix(_compression(path))
    if not name.endswith(WS_SUFFIX):
        return []
    plain = path.with_name(name.removesuffix(WS_SUFFIX) + HTTP_SUFFIX)
    for suffix in OPENERS:
        beside = plain.with_name(plain.name + suffix)
        if beside.exists():
            return list(_lines(beside, Answered))
    return []


def stream_of(raw: str) -> str:
    """Return the stream that a frame of a combined connection names, "" for any other frame."""
    if not raw.startswith('{"stream":"'):
        return ""
    return raw[11 : raw.index('"', 11)]


def _compression(path: Path) -> str:
    return path.suffix if path.suffix in OPENERS else ""


def _lines(path: Path, kind: type[T]) -> Iterator[T]:
    decode = msgspec.json.Decoder(kind).decode
    number = 0
    try:
        for number, line in enumerate(OPENERS[_compression(path)](path), start=1):  # noqa: B007  errors name it
            if line.strip():
                yield decode(line)
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"{path}, line {number}: {error}") from error
    except (OSError, EOFError, zstandard.ZstdError) as error:
        raise ConfigurationError(f"{path}, after line {number}: {error}") from error


def text_of(body: object) -> str:
    """Return a recorded body as JSON text."""
    return json.dumps(body, separators=(",", ":"))
