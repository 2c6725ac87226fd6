"""Recordings: what an exchange sent, one JSON object a line, plain or compressed.

WebSocket frames are ``{"ts", "raw"}`` with the receive time in Unix seconds and the frame's text; REST answers are
``{"ts", "url", "body"}`` in a file beside it, ``x.http.jsonl`` for ``x.ws.jsonl``.
"""

import gzip
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, TypeVar, cast

import msgspec
import zstandard

from nightdesk.errors import ConfigurationError

WS_SUFFIX: Final = ".ws.jsonl"
HTTP_SUFFIX: Final = ".http.jsonl"

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


def _plain(path: Path) -> IO[bytes]:
    return path.open("rb")


def _gzip(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb"))


def _zstd(path: Path) -> IO[bytes]:
    reader = zstandard.ZstdDecompressor().stream_reader(path.open("rb"), read_across_frames=True, closefd=True)
    return io.BufferedReader(reader)


OPENERS: Final[dict[str, Callable[[Path], IO[bytes]]]] = {"": _plain, ".gz": _gzip, ".zst": _zstd}


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
        with OPENERS[_compression(path)](path) as lines:
            for number, line in enumerate(lines, start=1):  # noqa: B007  the errors below name it
                if line.strip():
                    yield decode(line)
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"{path}, line {number}: {error}") from error
    except (OSError, EOFError, zstandard.ZstdError) as error:
        raise ConfigurationError(f"{path}, after line {number}: {error}") from error


def text_of(body: object) -> str:
    """Return a recorded body as JSON text."""
    return json.dumps(body, separators=(",", ":"))
