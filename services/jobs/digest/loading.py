"""Load what is new in the logs: each file from where it was left, a piece at a time.

A piece and the place behind it are committed together: whatever is ended in between is gone on with, and counted once.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from services.jobs.digest.batch import Batch
from services.jobs.digest.config import LogsConfig
from services.jobs.digest.cutting import Cutter, Piece
from services.jobs.digest.files import DAMAGED, OpenFile, find, head_of
from services.jobs.digest.guard import GivenUpError, Guard
from services.jobs.digest.identity import Candidate, Found, Known, Match, matches
from services.jobs.digest.parsing import EPOCH, MICROSECOND, Parse, parser
from services.jobs.digest.rows import LogRows, OvertakenError
from services.jobs.runner.job import Progress

log = structlog.get_logger()

FINAL_AFTER: Final = timedelta(days=1)
"""A last line without an end is taken as it is once nobody has written to its file for so long."""

AHEAD: Final = timedelta(days=1)
"""A line whose time is further ahead of the clock is not believed."""


@dataclass(slots=True)
class Loaded:
    """What a load did."""

    files: int = 0
    read: int = 0
    new: int = 0
    bytes: int = 0
    lines: int = 0
    unparsed: int = 0
    unreadable: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """One file to read on."""

    match: Match
    known: Known

    @property
    def found(self) -> Found:
        return self.match.candidate.found

    @property
    def is_unchanged(self) -> bool:
        """Whether it is as it was when it was read to its end, and no last line waits that has become final since."""
        found, known = self.found, self.known
        same = (found.stored_bytes, found.modified_ns) == (known.stored_bytes, known.modified_ns)
        waits = self.match.candidate.is_final and not found.is_compressed and known.offset < found.stored_bytes
        return same and not waits


class Loader:
    """Reads the logs of a configuration into the tables."""

    def __init__(self, rows: LogRows, config: LogsConfig, *, log_dir: Path, now: datetime, progress: Progress) -> None:
        self._rows = rows
        self._config = config
        self._log_dir = log_dir
        self._now = now
        self._progress = progress
        self._guard = Guard()
        self._parsers = {name: self._parser(name) for name in config.sources}
        self._done_bytes = 0
        self._total_bytes = 0
        self.loaded = Loaded()

    def load(self) -> Loaded:
        """Load everything that is new; raises UnavailableError when PostgreSQL goes away in between."""
        self._rows.mean(self._config.meanings())
        tasks = [task for task in self._tasks() if not task.is_unchanged]
        self._total_bytes = sum(task.found.stored_bytes for task in tasks)
        with self._guard:
            for task in tasks:
                self._read(task)
                self._done_bytes += task.found.stored_bytes
        self.loaded.slow = self._guard.given_up
        return self.loaded

    def _parser(self, name: str) -> Parse:
        source = self._config.sources[name]
        parse = parser(source, name, self._now + AHEAD)
        return parse if source.pattern is None else self._guard.guarded(name, parse)

    def _tasks(self) -> list[_Task]:
        """Say which file is which. Files are looked at under the lock: nobody may know less of one than is known."""
        with self._rows.alone():
            known = self._rows.known()
            found = matches(self._candidates(), known)
            tasks = [_Task(match=one, known=self._kept(one)) for one in found]
        self.loaded.new = sum(one.known is None for one in found)
        return tasks

    def _kept(self, match: Match) -> Known:
        if match.known is None:
            return self._rows.add(match.candidate, self._now)
        return self._rows.see(match.candidate, match.known, self._now)

    def _candidates(self) -> Iterator[Candidate]:
        for found in find(self._config.sources, self._log_dir):
            self.loaded.files += 1
            modified_at = datetime.fromtimestamp(found.modified_ns / 1e9, UTC)
            is_final = found.is_compressed or self._now - modified_at > FINAL_AFTER
            try:
                yield Candidate(found=found, head=head_of(found), is_final=is_final)
            except FileNotFoundError:
                continue  # renamed meanwhile, and found under its new name the next time
            except DAMAGED as error:
                self.loaded.unreadable.append(f"{found.name}: {type(error).__name__}")
                log.warning("log.unreadable", path=found.name, error=f"{type(error).__name__}: {error}")

    def _read(self, task: _Task) -> None:
        try:
            self._read_on(task)
        except FileNotFoundError:
            return
        except OSError as error:
            self.loaded.unreadable.append(f"{task.found.name}: {type(error).__name__}")
            log.warning("log.unreadable", path=task.found.name, error=f"{type(error).__name__}: {error}")
        except OvertakenError:
            log.info("log.overtaken", path=task.found.name)

    def _read_on(self, task: _Task) -> None:
        found, known = task.found, task.known
        offset, last_us = known.offset, known.last_us
        if last_us is None:
            last_us = (datetime.fromtimestamp(found.modified_ns / 1e9, UTC) - EPOCH) // MICROSECOND
        self.loaded.read += 1
        with OpenFile(found, offset) as file:
            for pieces in _pieces(file, offset, is_final=task.match.candidate.is_final):
                if not file.begins(known.head_bytes, known.head_sha256):
                    log.info("log.emptied_in_place", path=found.name)
                    return
                batch = self._batch(task, pieces, last_us)
                following = offset + batch.length
                self._rows.commit(
                    batch, source=found.source, log_file_id=known.log_file_id, previous=offset, following=following
                )
                self._note(batch, following - offset, file.read_stored_bytes())
                offset, last_us = following, batch.last_us
                if found.source in self._guard.given_up:
                    return
        self._rows.read_up(
            known.log_file_id, offset=offset, stored_bytes=found.stored_bytes, modified_ns=found.modified_ns
        )

    def _batch(self, task: _Task, pieces: Sequence[Piece], last_us: int) -> Batch:
        batch = Batch(
            log_file_id=task.known.log_file_id,
            path=task.found.name,
            parse=self._parsers[task.found.source],
            last_us=last_us,
        )
        with suppress(GivenUpError):
            for piece in pieces:
                batch.add(piece)
        return batch

    def _note(self, batch: Batch, length: int, read_bytes: int) -> None:
        self.loaded.bytes += length
        self.loaded.lines += batch.lines
        self.loaded.unparsed += batch.unparsed_lines
        self._progress(self._done_bytes + read_bytes, self._total_bytes, "bytes of logs")


def _pieces(file: OpenFile, offset: int, *, is_final: bool) -> Iterator[list[Piece]]:
    """Yield the whole lines of each block; of a file that is final, the last line as it is."""
    cutter = Cutter(offset)
    for block in file.blocks():
        if pieces := cutter.feed(block):
            yield pieces
    if is_final and file.is_whole and (rest := cutter.end()):
        yield rest
