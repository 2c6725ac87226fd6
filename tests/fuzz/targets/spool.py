"""The spool on a damaged disk: what is whole is read back in order, what is not is counted, and nothing is invented.

Three inputs: one segment's bytes; a plan of records and of what happens to them; a folder with files that are none of
the spool's.
"""

import tempfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

from nightdesk.errors import ConfigurationError, SpoolError
from services.collector import spool as subject
from services.collector.entry_ids import ZERO, EntryId
from services.collector.spool import Place, Record, Spool
from tests.fuzz.choices import Choices
from tests.fuzz.mutation import Bytes, columns
from tests.fuzz.target import Target, claim

SHARDS: Final = 2
LAST: Final = EntryId(2**63, 7)
"""Above every id of a plan."""


@cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="nightdesk-fuzz-")


def _empty() -> Path:
    folder = Path(_folder().name) / "feed"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.rmdir() if path.is_dir() else path.unlink()
    return folder


def _new(folder: Path, *, shards: int = SHARDS, segment_bytes: int = 10**6) -> Spool:
    spool = Spool(folder, shards=shards, max_bytes=10**6, segment_bytes=segment_bytes)
    claim(spool.lock(), "the spool is locked by nobody and cannot be had")
    return spool


def _opened(folder: Path, **options: int) -> Spool | None:
    """Return the spool as the collector opens it; None when it is refused with a reason."""
    spool = _new(folder, **options)
    try:
        spool.open()
    except (SpoolError, ConfigurationError) as error:
        claim(str(error).strip(), "refused without a word")
        spool.close()
        return None
    return spool


def _read(spool: Spool, *, max_bytes: int) -> list[Record]:
    first = min(spool._segments)
    place, found = Place(first, spool._segments[first].start), []
    for _ in range(10_000):
        records, after = spool.read(place, max_bytes)
        claim(records or after != place or after == spool.end, "reading does not move on")
        found += records
        place = after
        if not records and place == spool.end:
            return found
    raise AssertionError("reading has no end")


def _whole(data: bytes) -> Iterator[Record]:
    """Yield the records in a segment, slowly and obviously: whatever has the magic and the right checksum."""
    head = subject._read_head(data)
    at = 0 if head is None else subject._head_bytes(len(head))
    while (at := data.find(b"NDSR", at)) >= 0:
        record = subject._record_at(data, at) if at + subject._RECORD_BYTES <= len(data) else None
        if record is None:
            at += 1
            continue
        yield record
        at += subject._RECORD_BYTES + len(record.payload)


def check_segment(data: bytes) -> None:
    """Claim that a segment of any bytes gives its whole records, is written on, and says what it lost."""
    folder = _empty()
    (folder / "000000000007.seg").write_bytes(data)
    spool = _opened(folder)
    if spool is None:
        return
    expected = list(_whole(data))
    claim(_read(spool, max_bytes=10**6) == expected, "other records than there are")
    claim(_read(spool, max_bytes=64) == expected, "read in small pieces, there are others")
    covered = sum(map(len, map(subject._packed, expected)))
    head = subject._read_head(data)
    covered += 0 if head is None else subject._head_bytes(len(head))
    claim(covered >= len(data) or spool.damaged_records or spool.torn_bytes, "bytes were dropped in silence")
    _use(spool, expected)
    spool.close()


def _use(spool: Spool, before: list[Record]) -> None:
    """Append, read and trim as the publisher does."""
    top = spool.highest(0)
    record = Record(0, EntryId(min(top.ms + 1, 2**64 - 1), 0), 1, b"new")
    place = spool.append([record])
    claim(spool.read(place)[0] == [record], "what was appended cannot be read")
    claim(_read(spool, max_bytes=10**6) == [*before, record], "appending changed what was there")
    spool.trim([EntryId(2**64 - 1, 2**64 - 1)] * SHARDS)
    claim(_read(spool, max_bytes=10**6) == [] and spool.frames == 0, "what is committed stays")


def check_damage(data: bytes) -> None:
    """Claim that whatever happens to some bytes, every other record is read, and that a lost one is counted."""
    choices = Choices(data)
    folder = _empty()
    spool = _new(folder, segment_bytes=(200, 600, 10**6)[choices.below(3)])
    spool.open()
    written = [_record(choices, number) for number in range(1, 2 + choices.below(12))]
    for record in written:
        spool.append([record])
    is_running = choices.below(4) == 0
    if not is_running:
        spool.close()
    before = {path: path.read_bytes() for path in sorted(folder.glob("*.seg"))}
    after = dict(before)
    for _ in range(choices.below(6)):
        path = list(after)[choices.below(len(after))]
        after[path] = _harmed(after[path], choices)[: len(before[path]) if is_running else None]
    for path, content in after.items():
        path.write_bytes(content)
    if not is_running and len(after) > 2 and choices.below(8) == 7:
        after.pop(list(after)[1])
        list(before)[1].unlink()
    left = [record for record in written if any(subject._packed(record) in content for content in after.values())]
    spool = _look(spool if is_running else _opened(folder), written, left)
    is_told = spool.damaged_records or spool.torn_bytes or len(left) == len(written)
    claim(is_told or (not is_running and _clean_cuts(before, after)), "a record vanished in silence")


def _look(spool: Spool | None, written: list[Record], left: list[Record]) -> Spool:
    if spool is None:
        raise AssertionError("damage keeps the spool from opening")
    found = _read(spool, max_bytes=10**6)
    again = [record for record in written if record in found]
    claim(found == again, "records were invented, doubled or put out of order")
    claim(found == left, f"{len(left) - len(found)} whole records were not read")
    spool.close()
    return spool


def _clean_cuts(before: dict[Path, bytes], after: dict[Path, bytes]) -> bool:
    """Return whether every segment merely ends earlier, at a record's end: no reader can know of what followed."""
    newest = max(before)
    return before.keys() == after.keys() and all(
        content == before[path] or (before[path].startswith(content) and _ends_whole(content, is_newest=path == newest))
        for path, content in after.items()
    )


def _ends_whole(content: bytes, *, is_newest: bool) -> bool:
    head = subject._head_bytes(SHARDS)
    records = sum(len(subject._packed(record)) for record in _whole(content))
    return len(content) == head + records or (is_newest and not content)


def _record(choices: Choices, number: int) -> Record:
    size = choices.below(160)
    filling = (b"\0", b"NDSR", b"\xff", b"NDSG")[choices.below(4)]
    payload = (b"%d" % number + filling * size)[:size]
    return Record(choices.below(SHARDS), EntryId(number, choices.below(3)), 1 + choices.below(500), payload)


def _harmed(data: bytes, choices: Choices) -> bytes:
    at = choices.below(65_536) % (len(data) + 1)
    match choices.below(5):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + bytes(len(data[at : at + 64])) + data[at + 64 :]
        case 2:
            return data[:at] + b"NDSR" * 4 + data[at + 16 :]
        case 3:
            return data[:at] + b"\xff" * 8 + data[at:]
    harm = 1 + choices.below(255)
    return data[:at] + bytes([byte ^ harm for byte in data[at : at + 1]]) + data[at + 1 :]


def check_folder(data: bytes) -> None:
    """Claim that a folder with anything in it is used or refused by name, and nothing else happens."""
    choices = Choices(data)
    folder = _empty()
    old_shards, new_shards = 1 + choices.below(SHARDS), 1 + choices.below(SHARDS)
    old = _new(folder, shards=old_shards)
    old.open()
    for number in range(choices.below(3)):
        old.append([Record(old_shards - 1, EntryId(number + 1, 0), 1, b"frame")])
    old.close()
    _stray(folder, choices)
    spool = _opened(folder, shards=new_shards)
    if spool is None:
        return
    place = spool.append([Record(0, LAST, 1, b"new")])
    claim(spool.read(place)[0], "what was appended cannot be read")
    spool.start_after([LAST] * new_shards)
    spool.trim([LAST] * new_shards)
    spool.close()


def _stray(folder: Path, choices: Choices) -> None:
    meta = folder / "spool.json"
    match choices.below(6):
        case 0:
            meta.unlink()
        case 1 | 2 | 3:
            meta.write_bytes(choices.rest())
        case 4:
            name = choices.take(24).decode(errors="replace").replace("/", "_").replace("\0", "_")
            (folder / f"{name}.seg").write_bytes(choices.rest())
        case _:
            (folder / "000000000009.seg").mkdir()


def _segment(*records: Record) -> bytes:
    return subject._packed_head([EntryId(3, 1), ZERO]) + b"".join(map(subject._packed, records))


def segment_seeds() -> list[bytes]:
    """Return segments as they are written, torn, and with records that claim too much."""
    one, two = Record(0, EntryId(5, 0), 3, b"first"), Record(1, EntryId(6, 2), 500, b"second" * 9)
    whole = _segment(one, two)
    foreign = Record(9, EntryId(7, 0), 1, b"of a shard that is not")
    return [whole, whole[:-7], _segment(), b"", whole[60:], _segment(one, foreign), whole + bytes(64), b"NDSR" * 30]


def mended(data: bytes, random: Random, change: Bytes) -> bytes:
    """Change a segment and, mostly, make its checksums right again: else nothing behind them would be seen."""
    changed = bytearray(columns(data, random, change))
    if random.random() < 0.3:
        return bytes(changed)
    if changed[:4] == b"NDSG" and len(changed) >= subject._HEAD.size:
        end = subject._head_bytes(subject._HEAD.unpack_from(changed)[2])
        if end <= len(changed):
            subject._CRC.pack_into(changed, end - 4, zlib.crc32(changed[: end - 4]))
    at = 0
    while (at := changed.find(b"NDSR", at)) >= 0 and at + subject._RECORD_BYTES <= len(changed):
        (length, *_) = subject._FIELDS.unpack_from(changed, at + subject._RECORD.size)
        end = at + subject._RECORD_BYTES + length
        if end <= len(changed) and random.random() < 0.9:
            subject._CRC.pack_into(changed, at + 4, zlib.crc32(changed[at + subject._RECORD.size : end]))
        at += 4
    return bytes(changed)


SEGMENT: Final = Target(check=check_segment, seeds=segment_seeds, mutate=mended)
DAMAGE: Final = Target(
    check=check_damage,
    seeds=lambda: [bytes(Random(seed).randbytes(40 + seed)) for seed in range(12)],
    max_bytes=400,
)
FOLDER: Final = Target(
    check=check_folder,
    seeds=lambda: [
        b"\x01\x00\x02\x00",
        b"\x01\x01\x02\x01" + b'{"shards":2,"writer":"desk-1","adopted":["5-1","0-0"]}',
        b"\x00\x01\x01\x01" + b'{"shards":1,"writer":"","adopted":["x"]}',
        b"\x01\x00\x00\x04" + b"000000000001" * 3,
        b"\x01\x00\x00\x04" + b"copy of 1               ",
        b"\x01\x00\x00\x05",
    ],
    max_bytes=600,
)
