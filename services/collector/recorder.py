"""Record raw frames in the recordings' format, for replay: one JSON object a line.

    <feed>-<UTC time>.ws.jsonl.zst    {"ts": 1633998512.06, "raw": "<the frame's text>"}
    <feed>-<UTC time>.http.jsonl.zst  {"ts": 1633998512.32, "url": "<without credentials>", "body": <the answer>}

Nothing here may hold up or end a session: lines are handed to a thread that compresses and writes them; when it cannot
keep up, when the disk is full or the limit is reached, recording stops and says so. A recording with a hole would be
worse than none.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import msgspec
import structlog
import zstandard

from nightdesk.logs import redacted

log = structlog.get_logger()

NS: Final = 1_000_000_000
WAITING_LINES: Final = 100_000
"""Lines that may wait for the disk; about 30 MB of a liquid market."""

_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a file is closed and the next begun, and how much of the disk all recordings of a feed may take."""

    file_bytes: int = 256 * 1024 * 1024
    file_s: int = 3600
    total_bytes: int = 4 * 1024 * 1024 * 1024


class Line(NamedTuple):
    """One line: ``ws`` or ``http``, when it came, and the rest of it."""

    stream: str
    received_ns: int
    raw: bytes
    url: str = ""


def written(line: Line) -> bytes:
    """Return the line as the recordings have it, with the newline."""
    ts = line.received_ns / NS
    if line.stream == "ws":
        return _encode({"ts": ts, "raw": line.raw.decode("utf-8", "replace")}) + b"\n"
    try:
        body = msgspec.json.decode(line.raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = line.raw.decode("utf-8", "replace")
    return _encode({"ts": ts, "url": redacted(line.url), "body": body}) + b"\n"


class File(Protocol):
    """An open recording."""

    def write(self, data: bytes, /) -> int:
        """Append."""

    def close(self) -> None:
        """Finish the file."""


def open_zst(path: Path) -> File:
    """Begin a compressed file; raises OSError."""
    return zstandard.ZstdCompressor(level=3).stream_writer(path.open("xb"), closefd=True)


class Rotation:
    """Writes lines into files that end by size or by age; raises OSError when it cannot."""

    def __init__(
        self, directory: Path, feed: str, *, limits: Limits, open_file: Callable[[Path], File] = open_zst
    ) -> None:
        self._directory = directory
        self._feed = feed
        self._limits = limits
        self._open_file = open_file
        self._files: dict[str, File] = {}
        self._until_ns = 0
        self._bytes = 0

    def write(self, line: Line) -> None:
        """Append one line; both streams change files together, so that a pair belongs together."""
        if line.received_ns >= self._until_ns or self._bytes >= self._limits.file_bytes:
            self._begin(line.received_ns)
        if line.stream not in self._files:
            self._files[line.stream] = self._open_file(self._path(line.stream))
        data = written(line)
        self._bytes += len(data)
        self._files[line.stream].write(data)

    def close(self) -> None:
        """Finish the files."""
        files, self._files = self._files, {}
        for file in files.values():
            file.close()

    def used_bytes(self) -> int:
        """Return what the recordings of this feed take on disk."""
        return sum(path.stat().st_size for path in self._directory.glob(f"{self._feed}-*.jsonl*"))

    def _begin(self, now_ns: int) -> None:
        self.close()
        self._directory.mkdir(parents=True, exist_ok=True)
        used = self.used_bytes()
        if used >= self._limits.total_bytes:
            raise OSError(f"recordings take {used} bytes, the limit is {self._limits.total_bytes}")
        self._stamp = f"{datetime.fromtimestamp(now_ns / NS, UTC):%Y%m%dT%H%M%S.%fZ}"
        self._until_ns = now_ns + self._limits.file_s * NS
        self._bytes = 0

    def _path(self, stream: str) -> Path:
        return self._directory / f"{self._feed}-{self._stamp}.{stream}.jsonl.zst"


class Recorder:
    """Takes frames and answers without ever waiting."""

    def __init__(self, rotation: Rotation, *, feed: str, waiting_lines: int = WAITING_LINES) -> None:
        self._rotation = rotation
        self._feed = feed
        self._lines: queue.Queue[Line | None] = queue.Queue(waiting_lines)
        self._thread = threading.Thread(target=self._write, name=f"recorder/{feed}", daemon=True)
        self.stopped = ""
        """Why recording stopped; empty while it goes on."""

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def message(self, raw: bytes, received_ns: int) -> None:
        """Record one message."""
        self._put(Line("ws", received_ns, raw))

    def answer(self, url: str, body: bytes, received_ns: int) -> None:
        """Record one REST answer."""
        self._put(Line("http", received_ns, body, url))

    def close(self, timeout_s: float = 5.0) -> None:
        """Write what waits, at most so long."""
        try:
            self._lines.put(None, timeout=timeout_s)
        except queue.Full:
            return
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _put(self, line: Line) -> None:
        if self.stopped:
            return
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._stop("the disk is slower than the feed")

    def _write(self) -> None:
        try:
            while (line := self._lines.get()) is not None:
                self._rotation.write(line)
            self._rotation.close()
        except (OSError, zstandard.ZstdError) as error:
            self._stop(str(error))

    def _stop(self, why: str) -> None:
        if not self.stopped:
            self.stopped = why
            log.error("recorder.stopped", feed=self._feed, error=why)
