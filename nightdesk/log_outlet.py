"""One place that log lines go to, which never holds up who logs.

A line is put into a queue in memory, and a thread of the outlet's own writes it. A full queue drops the line and counts
it; a place that cannot be written to is told of once, tried again every second, and gets what waited meanwhile. Each
place has its own queue and thread, so that a pipe nobody reads and a full disk do not stand in each other's way.

The thread begins with the first line, and anew in a process that was forked: threads do not survive a fork.
"""

import os
import queue
import select
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol, TextIO

MAX_LINES: Final = 10_000
MAX_BYTES: Final = 8 * 2**20
"""What may wait in one queue."""

BATCH_LINES: Final = 500
AGAIN_S: Final = 1.0
"""Between two attempts at a place that cannot be written to."""


class Sink(Protocol):
    """A place as its outlet sees it."""

    def write(self, lines: Sequence[bytes]) -> None:
        """Write whole lines, or none of them and raise OSError."""


class Tell(Protocol):
    """How an outlet says what happened to it: as a log line of every outlet."""

    def __call__(self, level: str, event: str, **facts: object) -> None:
        """Take a line; must not block."""


class Outlet:
    """The queue of one place and the thread that empties it.

    ``open_sink`` is called in that thread. ``dropped`` counts lines that found the queue full, ``failures`` attempts
    at writing that failed, ``written`` lines; ``written_unix_s`` is when a line was last written, at first when the
    outlet was made.
    """

    def __init__(
        self, name: str, open_sink: Callable[[], Sink], *, tell: Tell, max_lines: int = MAX_LINES,
        max_bytes: int = MAX_BYTES, wall_s: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.name = name
        self._open_sink = open_sink
        self._tell = tell
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._wall_s = wall_s
        self._begin()

    def _begin(self) -> None:
        """Have nothing waiting and no thread, as at first and in a process that was forked."""
        self._pid = os.getpid()
        self._lock = threading.RLock()  # a signal handler may log while its thread is logging
        self._queue: queue.SimpleQueue[str | threading.Event] = queue.SimpleQueue()
        self._waiting_lines = self._waiting_bytes = 0
        self._thread: threading.Thread | None = None
        self._is_failing = False
        self.dropped = self._dropped_told = 0
        self.failures = 0
        self.written = 0
        self.written_unix_s = self._wall_s()

    def put(self, line: str) -> None:
        """Take one line, without its end; never waits."""
        if self._pid != os.getpid():
            self._begin()
        with self._lock:
            if self._waiting_lines >= self._max_lines or self._waiting_bytes + len(line) > self._max_bytes:
                self.dropped += 1
                return
            self._waiting_lines += 1
            self._waiting_bytes += len(line)
            if self._thread is None:
                self._thread = self._started()
        self._queue.put(line)

    def _started(self) -> threading.Thread | None:
        """Start the thread; nothing where the system has no more of them, and the next line tries again."""
        thread = threading.Thread(target=self._run, name=f"log-{self.name}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return None
        return thread

    def mark(self) -> threading.Event:
        """Return what is set once every line put so far is written; at once where that cannot be waited for."""
        mark = threading.Event()
        if self._thread is None or self._is_failing or self._pid != os.getpid():
            mark.set()
        else:
            self._queue.put(mark)
        return mark

    def _run(self) -> None:
        sink = self._open_sink()
        while True:
            lines, marks = self._gathered()
            if lines:
                self._write(sink, lines)
            for mark in marks:
                mark.set()
            self._say_what_was_dropped()

    def _gathered(self) -> tuple[list[str], list[threading.Event]]:
        """Wait for something to do; return what there is, up to a batch."""
        has_to_say = self.dropped > self._dropped_told
        try:
            found = [self._queue.get(timeout=AGAIN_S if has_to_say else None)]
            while len(found) < BATCH_LINES:
                found.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        return [one for one in found if isinstance(one, str)], [one for one in found if not isinstance(one, str)]

    def _write(self, sink: Sink, lines: Sequence[str]) -> None:
        encoded = [line.encode("utf-8", "backslashreplace") + b"\n" for line in lines]
        began_s = time.monotonic()
        while True:
            try:
                sink.write(encoded)
            except Exception as error:  # noqa: BLE001  whatever it is: without this thread nothing is logged any more
                self._failed(error)
                time.sleep(AGAIN_S)
            else:
                break
        if self._is_failing:
            self._is_failing = False
            self._tell("warning", "log.resumed", outlet=self.name, after_s=round(time.monotonic() - began_s, 1))
        self.written += len(lines)
        self.written_unix_s = self._wall_s()
        with self._lock:
            self._waiting_lines -= len(lines)
            self._waiting_bytes -= sum(map(len, lines))

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        if not self._is_failing:
            self._is_failing = True
            self._tell("warning", "log.failed", outlet=self.name, error=str(error) or type(error).__name__)

    def _say_what_was_dropped(self) -> None:
        dropped = self.dropped
        if dropped > self._dropped_told and self._waiting_lines < self._max_lines // 2:
            self._tell("warning", "log.dropped", outlet=self.name, lines=dropped - self._dropped_told)
            self._dropped_told = dropped


class Stream:
    """Standard output, or what stands in for it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._descriptor = descriptor_of(stream)

    def write(self, lines: Sequence[bytes]) -> None:
        """Write the lines; a pipe that is full is waited for."""
        for piece in pieces(lines, select.PIPE_BUF):
            self._write(piece)

    def _write(self, piece: bytes) -> None:
        if self._descriptor is None:
            self._stream.write(piece.decode("utf-8"))
            self._stream.flush()
            return
        left = memoryview(piece)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [], AGAIN_S)


def descriptor_of(stream: TextIO) -> int | None:
    """Return the file descriptor behind a stream, None where there is none."""
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def pieces(lines: Sequence[bytes], size_bytes: int) -> Iterator[bytes]:
    """Yield the lines joined, as many as fit the size: several processes may write to one pipe.

    The kernel keeps up to PIPE_BUF bytes of one write together (POSIX, ``write``); a longer line is a piece of its own.
    """
    piece = b""
    for line in lines:
        if piece and len(piece) + len(line) > size_bytes:
            yield piece
            piece = b""
        piece += line
    if piece:
        yield piece
