"""The spool: every closed frame on disk until the store has committed it.

One feed, one folder. Frames of all shards are appended to numbered segments in the order in which they were closed.
There is no fsync: a process killed with ``kill -9`` leaves its writes in the page cache. A segment begins with a head
that carries each shard's highest entry id so far, so that ids keep rising after old segments are deleted. Format::

    head:   "NDSG" | u16 version | u16 shards | shards x (u64 ms, u64 sequence) | u32 CRC-32 of all before it
    record: "NDSR" | u32 CRC-32 of the rest
            u32 payload bytes | u16 shard | u16 ticks | u64 ms | u64 sequence | payload

A record torn by a crash is cut off when the spool is opened; a damaged one is passed over; both are counted. The ids of
a damaged one are missing from the stream then, and the store's gap ledger names them.
"""

import errno
import fcntl
import os
import secrets
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import msgspec

from nightdesk.errors import ConfigurationError, SpoolError
from services.collector import entry_ids
from services.collector.entry_ids import ZERO, EntryId

_HEAD: Final = struct.Struct("<4sHH")
_HEAD_ID: Final = struct.Struct("<QQ")
_CRC: Final = struct.Struct("<I")
_RECORD: Final = struct.Struct("<4sI")
_FIELDS: Final = struct.Struct("<IHHQQ")
_RECORD_BYTES: Final = _RECORD.size + _FIELDS.size
_HEAD_MAGIC: Final = b"NDSG"
_RECORD_MAGIC: Final = b"NDSR"
_VERSION: Final = 1
_DIGITS: Final = 12

SEGMENT_BYTES: Final = 8 * 1024 * 1024
READ_BYTES: Final = 1024 * 1024
_BEGINNING_BYTES: Final = 4096
"""More than the largest head and the first record's magic."""


class SpoolFullError(SpoolError):
    """The disk or the spool's own limit has no room for these frames now."""

    retryable = True


class Place(NamedTuple):
    """Where a record starts: segment number and byte offset; orders as the spool does."""

    segment: int
    offset: int


class Record(NamedTuple):
    """One closed frame with the entry id it will always have."""

    shard: int
    entry_id: EntryId
    ticks: int
    payload: bytes


class _Meta(msgspec.Struct):
    """``spool.json``: what must outlive every segment."""

    shards: Annotated[int, msgspec.Meta(ge=1, le=65_535)]
    writer: Annotated[str, msgspec.Meta(min_length=1)]
    adopted: list[str] = []


@dataclass(slots=True)
class _Segment:
    path: Path
    start: int
    size: int = 0
    highest: dict[int, EntryId] = field(default_factory=dict)
    frames: int = 0


class Spool:
    """The frames of one feed that the store has not committed yet."""

    def __init__(self, directory: Path, *, shards: int, max_bytes: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._directory = directory
        self._shards = shards
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes
        self._segments: dict[int, _Segment] = {}
        self._highest = [ZERO] * shards
        self._lock_fd = -1
        self._fd = -1
        self._sealed = False
        self._adopted = [ZERO] * shards
        self.writer = ""
        self.torn_bytes = 0
        self._damage: set[Place] = set()

    @property
    def damaged_records(self) -> int:
        """Stretches of damage that were passed over; each cost a record or more."""
        return len(self._damage)

    @property
    def size_bytes(self) -> int:
        """Bytes on disk in all segments."""
        return sum(segment.size for segment in self._segments.values())

    @property
    def max_bytes(self) -> int:
        """The limit on ``size_bytes``."""
        return self._max_bytes

    @property
    def frames(self) -> int:
        """Frames on disk, those of a partly committed segment included."""
        return sum(segment.frames for segment in self._segments.values())

    @property
    def fresh(self) -> bool:
        """Whether no frame was ever spooled here, so that only Redis can know the highest ids."""
        return all(entry_id == ZERO for entry_id in self._highest)

    @property
    def end(self) -> Place:
        """The place where the next record will start."""
        number = max(self._segments)
        return Place(number, self._segments[number].size)

    def highest(self, shard: int) -> EntryId:
        """Return the highest id ever given to a frame of this shard."""
        return self._highest[shard]

    def raise_highest(self, shard: int, entry_id: EntryId) -> None:
        """Let no later frame of this shard have an id at or below this one."""
        self._highest[shard] = max(self._highest[shard], entry_id)

    def adopted(self, shard: int) -> EntryId:
        """Return the stream's highest id from before this spool began: who wrote it is no concern."""
        return self._adopted[shard]

    def adopt(self, tops: Sequence[EntryId]) -> None:
        """Begin above what the streams hold already, and remember that across restarts."""
        self._adopted = list(tops)
        for shard, entry_id in enumerate(tops):
            self.raise_highest(shard, entry_id)
        self._write_meta()

    def lock(self) -> bool:
        """Try to become the feed's one writer; False while another process is. Raises SpoolError without access."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            fd = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise SpoolError(f"{self._directory}: {error.strerror}; SPOOL_DIR must be writable") from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._lock_fd = fd
        return True

    def open(self) -> None:
        """Read what is there and make ready to append. Raises ConfigurationError when the shards were changed.

        Call ``lock`` first.
        """
        meta, adopted = self._read_meta()
        paths = {_number(path): path for path in sorted(self._directory.glob("*.seg"))}
        for number, path in paths.items():
            self._load(number, path, newest=max(paths))
        for before, after in pairwise(paths):
            if before + 1 < after:
                self._damage.add(Place(before + 1, 0))
        before = max(meta.shards, 1 + max((max(one.highest, default=0) for one in self._segments.values()), default=0))
        if before > self._shards or meta.shards != self._shards:
            self._refuse_unless_drained(before)
        self.writer = meta.writer
        for shard, entry_id in enumerate(adopted[: self._shards]):
            self._adopted[shard] = entry_id
            self.raise_highest(shard, entry_id)
        self._write_meta()
        self._start_segment()

    def close(self) -> None:
        """Release the files and the lock."""
        for fd in (self._fd, self._lock_fd):
            if fd >= 0:
                os.close(fd)
        self._fd = self._lock_fd = -1

    def append(self, records: Sequence[Record]) -> Place:
        """Write the records and return where the first one starts. All or none.

        Raises SpoolFullError when there is no room, and SpoolError for any other failure of the disk.
        """
        data = b"".join(map(_packed, records))
        if self.size_bytes + len(data) > self._max_bytes:
            raise SpoolFullError(f"the spool holds its limit of {self._max_bytes} bytes")
        if self._sealed or self._segments[max(self._segments)].size >= self._segment_bytes:
            self._start_segment()
        place = self.end
        self._write(data)
        segment = self._segments[place.segment]
        segment.size += len(data)
        for record in records:
            segment.highest[record.shard] = self._highest[record.shard] = record.entry_id
        segment.frames += len(records)
        return place

    def read(self, place: Place, max_bytes: int = READ_BYTES) -> tuple[list[Record], Place]:
        """Return the records from ``place`` on, about ``max_bytes`` of them, and the place after the last one."""
        place = self._existing(place)
        segment = self._segments[place.segment]
        try:
            with segment.path.open("rb") as file:
                file.seek(place.offset)
                data = file.read(min(max_bytes, segment.size - place.offset))
                records, used = self._records(data, place, to_end=place.offset + len(data) >= segment.size)
                if not records and data:
                    data += file.read(segment.size - place.offset - len(data))
                    records, used = self._records(data, place, to_end=True)
        except OSError as error:
            raise _translated(segment.path, error) from error
        if not records:
            if place.offset < segment.size:
                self._damage.add(place)
            return self._after_segment(place)
        return records, Place(place.segment, place.offset + used)

    def _records(self, data: bytes, place: Place, *, to_end: bool) -> tuple[list[Record], int]:
        records, used = [], 0
        for record, at in _walk(data, 0, to_end=to_end):
            if at > used:
                self._damage.add(Place(place.segment, place.offset + used))
            records.append(record)
            used = at + _RECORD_BYTES + len(record.payload)
        return records, used

    def start_after(self, tops: Sequence[EntryId]) -> Place:
        """Return a place from which reading meets every record whose id is above its shard's entry in ``tops``."""
        for number, segment in sorted(self._segments.items()):
            if any(entry_id > tops[shard] for shard, entry_id in segment.highest.items()):
                return Place(number, segment.start)
        return self.end

    def trim(self, committed: Sequence[EntryId]) -> None:
        """Delete the segments in which every frame is at or below its shard's committed position.

        The segment being written goes too, for a new one that carries its highest ids on.
        """
        for number, segment in sorted(self._segments.items()):
            if any(entry_id > committed[shard] for shard, entry_id in segment.highest.items()):
                return
            if number == max(self._segments):
                if not segment.frames:
                    return
                self._start_segment()
            segment.path.unlink(missing_ok=True)
            del self._segments[number]

    def _existing(self, place: Place) -> Place:
        """Trimming may have deleted the segment a reader was about to enter."""
        if place.segment in self._segments:
            return place
        return self._start_of(min(number for number in self._segments if number > place.segment))

    def _after_segment(self, place: Place) -> tuple[list[Record], Place]:
        later = [number for number in self._segments if number > place.segment]
        if not later:
            return [], self.end
        return self.read(self._start_of(min(later)))

    def _start_of(self, number: int) -> Place:
        return Place(number, self._segments[number].start)

    def _read_meta(self) -> tuple["_Meta", list[EntryId]]:
        path = self._directory / "spool.json"
        try:
            meta = msgspec.json.decode(path.read_bytes(), type=_Meta)
            return meta, list(map(entry_ids.parse, meta.adopted))
        except FileNotFoundError:
            return _Meta(shards=self._shards, writer=f"{os.uname().nodename}-{secrets.token_hex(8)}"), []
        except (OSError, ValueError, RecursionError, msgspec.MsgspecError) as error:
            raise _unreadable(path, error) from error

    def _write_meta(self) -> None:
        meta = _Meta(shards=self._shards, writer=self.writer, adopted=[str(one) for one in self._adopted])
        temporary = self._directory / "spool.json.new"
        try:
            temporary.write_bytes(msgspec.json.encode(meta))
            temporary.replace(self._directory / "spool.json")
        except OSError as error:
            raise _translated(self._directory, error) from error

    def _refuse_unless_drained(self, before: int) -> None:
        if self.frames:
            raise ConfigurationError(
                f"shards: feed {self._directory.name} was started with {before} shards and {self.frames} of "
                f"their frames are not committed yet; set shards back to {before} and wait until the spool is empty"
            )
        for segment in self._segments.values():
            segment.path.unlink()
        self._segments.clear()

    def _load(self, number: int, path: Path, *, newest: int) -> None:
        try:
            data = path.read_bytes()
            self._take(number, path, data)
            if not data and number < newest:
                self._damage.add(Place(number, 0))
            if number not in self._segments:
                path.unlink()
            elif self._segments[number].size < len(data):
                os.truncate(path, self._segments[number].size)
        except OSError as error:
            raise SpoolError(f"{path}: {error.strerror}") from error

    def _take(self, number: int, path: Path, data: bytes) -> None:
        """Keep a segment up to its last whole record, and note what is not whole."""
        head = _read_head(data)
        self._raise_to(head or [])
        end = 0 if head is None else _head_bytes(len(head))
        segment = _Segment(path, start=end)
        for record, at in _walk(data, end):
            if at > end:
                self._damage.add(Place(number, end))
            end = at + _RECORD_BYTES + len(record.payload)
            segment.highest[record.shard] = record.entry_id
            segment.frames += 1
        if _is_torn(data[end:]):
            self.torn_bytes += len(data) - end
        elif end < len(data):
            self._damage.add(Place(number, end))
        if head is not None or segment.frames:
            self._segments[number] = segment
            self._raise_to_records(segment)
            segment.size = end

    def _raise_to(self, head: list[EntryId]) -> None:
        for shard, entry_id in enumerate(head[: self._shards]):
            self.raise_highest(shard, entry_id)

    def _raise_to_records(self, segment: _Segment) -> None:
        for shard, entry_id in segment.highest.items():
            if shard < self._shards:
                self.raise_highest(shard, entry_id)

    def _start_segment(self) -> None:
        number = max(self._segments, default=0) + 1
        path = self._directory / f"{number:0{_DIGITS}d}.seg"
        head = _packed_head(self._highest)
        fd = -1
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
            _write_all(fd, head)
        except OSError as error:
            if fd >= 0:
                os.close(fd)
                path.unlink()
            raise _translated(self._directory, error) from error
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = fd
        self._sealed = False
        self._segments[number] = _Segment(path, start=len(head), size=len(head))

    def _write(self, data: bytes) -> None:
        try:
            _write_all(self._fd, data)
        except OSError as error:
            try:
                os.ftruncate(self._fd, self.end.offset)
            except OSError:
                # What was written in part stays there: nothing may follow it in this segment.
                self._sealed = True
            raise _translated(self._directory, error) from error


def holds_frames(directory: Path) -> bool:
    """Return whether there are frames in a spool that nobody has open; they may be committed or not."""
    return any(_RECORD_MAGIC in _beginning(path) for path in directory.glob("*.seg"))


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_BEGINNING_BYTES)


def _number(path: Path) -> int:
    if len(path.stem) == _DIGITS and path.stem.isascii() and path.stem.isdigit():
        return int(path.stem)
    raise SpoolError(f"{path}: is no segment of the spool's; move it out of the folder")


def _is_torn(rest: bytes) -> bool:
    """Return whether this is the beginning of one record: what a crash in the middle of a write leaves."""
    if len(rest) < _RECORD_BYTES:
        return bool(rest) and _RECORD_MAGIC.startswith(rest[:4])
    (length, *_) = _FIELDS.unpack_from(rest, _RECORD.size)
    return rest.startswith(_RECORD_MAGIC) and _RECORD_BYTES + length > len(rest)


def _unreadable(path: Path, error: Exception) -> SpoolError:
    return SpoolError(f"{path}: {error}; restore the file, or move the folder away to start afresh")


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _translated(directory: Path, error: OSError) -> SpoolError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return SpoolFullError(f"{directory}: no space left on the disk")
    return SpoolError(f"{directory}: {error.strerror}")


def _packed(record: Record) -> bytes:
    rest = _FIELDS.pack(len(record.payload), record.shard, record.ticks, *record.entry_id) + record.payload
    return _RECORD.pack(_RECORD_MAGIC, zlib.crc32(rest)) + rest


def _head_bytes(shards: int) -> int:
    return _HEAD.size + shards * _HEAD_ID.size + _CRC.size


def _packed_head(highest: Sequence[EntryId]) -> bytes:
    body = _HEAD.pack(_HEAD_MAGIC, _VERSION, len(highest)) + b"".join(_HEAD_ID.pack(*one) for one in highest)
    return body + _CRC.pack(zlib.crc32(body))


def _read_head(data: bytes) -> list[EntryId] | None:
    if len(data) < _HEAD.size:
        return None
    magic, version, shards = _HEAD.unpack_from(data)
    end = _head_bytes(shards)
    if magic != _HEAD_MAGIC or version != _VERSION or len(data) < end:
        return None
    if _CRC.unpack_from(data, end - _CRC.size)[0] != zlib.crc32(data[: end - _CRC.size]):
        return None
    return [EntryId(*_HEAD_ID.unpack_from(data, _HEAD.size + shard * _HEAD_ID.size)) for shard in range(shards)]


def _walk(data: bytes, at: int, *, to_end: bool = True) -> Iterator[tuple[Record, int]]:
    """Yield every whole record with its offset; damage is passed over to the next record that checks.

    Where ``data`` is not all there is, a record that runs past its end may go on: nothing within it is looked at.
    """
    while True:
        at = data.find(_RECORD_MAGIC, at)
        if at < 0 or at + _RECORD_BYTES > len(data):
            return
        record = _record_at(data, at)
        if record is None:
            if not to_end and _end_of(data, at) > len(data):
                return
            at += 1
            continue
        yield record, at
        at += _RECORD_BYTES + len(record.payload)


def _end_of(data: bytes, at: int) -> int:
    (length, *_) = _FIELDS.unpack_from(data, at + _RECORD.size)
    return at + _RECORD_BYTES + int(length)


def _record_at(data: bytes, at: int) -> Record | None:
    _, crc = _RECORD.unpack_from(data, at)
    length, shard, ticks, ms, sequence = _FIELDS.unpack_from(data, at + _RECORD.size)
    end = at + _RECORD_BYTES + length
    if end > len(data) or zlib.crc32(memoryview(data)[at + _RECORD.size : end]) != crc:
        return None
    return Record(shard, EntryId(ms, sequence), ticks, data[at + _RECORD_BYTES : end])
