"""The spool keeps every frame until it is committed, through crashes and damage."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightdesk.errors import ConfigurationError, SpoolError
from services.collector.entry_ids import ZERO, EntryId
from services.collector.spool import Place, Record, Spool, SpoolFullError, holds_frames

SHARDS = 2


def a_spool(directory: Path, *, shards: int = SHARDS, max_bytes: int = 10**6, segment_bytes: int = 500) -> Spool:
    spool = Spool(directory, shards=shards, max_bytes=max_bytes, segment_bytes=segment_bytes)
    assert spool.lock()
    spool.open()
    return spool


def a_record(ms: int, *, shard: int = 0, payload: bytes = b"p" * 100) -> Record:
    return Record(shard, EntryId(ms, 0), 3, payload)


def everything(spool: Spool, place: Place) -> list[Record]:
    found: list[Record] = []
    while True:
        records, place = spool.read(place)
        if not records and place == spool.end:
            return found
        found += records


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    return tmp_path / "simulator"


def test_frames_are_read_back_in_order_across_segments(directory: Path) -> None:
    spool = a_spool(directory)
    records = [a_record(ms, shard=ms % 2) for ms in range(1, 40)]
    for record in records:
        spool.append([record])

    assert len(list(directory.glob("*.seg"))) > 3
    assert everything(spool, spool.start_after([ZERO, ZERO])) == records


def test_frames_survive_the_process(directory: Path) -> None:
    spool = a_spool(directory)
    spool.append([a_record(1), a_record(2, shard=1)])
    spool.close()

    again = a_spool(directory)
    assert everything(again, again.start_after([ZERO, ZERO])) == [a_record(1), a_record(2, shard=1)]
    assert again.highest(1) == EntryId(2, 0)
    assert again.writer == spool.writer


def test_a_second_process_waits_as_standby(directory: Path) -> None:
    first = a_spool(directory)
    second = Spool(directory, shards=SHARDS, max_bytes=10**6)

    assert not second.lock()
    first.close()
    assert second.lock()


def test_reading_starts_where_a_stream_ended(directory: Path) -> None:
    spool = a_spool(directory)
    for ms in range(1, 40):
        spool.append([a_record(ms, shard=ms % 2)])

    found = everything(spool, spool.start_after([EntryId(30, 0), EntryId(35, 0)]))

    assert {record.entry_id.ms for record in found} >= {32, 34, 36, 37, 38, 39}
    assert len(found) < 39


def test_committed_segments_are_deleted_and_ids_keep_rising(directory: Path) -> None:
    spool = a_spool(directory)
    for ms in range(1, 40):
        spool.append([a_record(ms)])
    spool.trim([EntryId(39, 0), ZERO])

    assert spool.frames == 0
    assert len(list(directory.glob("*.seg"))) == 1
    spool.close()
    assert a_spool(directory).highest(0) == EntryId(39, 0)


def test_a_frame_that_one_shard_has_not_committed_stays(directory: Path) -> None:
    spool = a_spool(directory)
    spool.append([a_record(1), a_record(5, shard=1)])
    spool.trim([EntryId(9, 0), EntryId(4, 0)])

    assert spool.frames == 2


def test_a_record_torn_by_a_crash_is_cut_off(directory: Path) -> None:
    spool = a_spool(directory)
    spool.append([a_record(1)])
    spool.append([a_record(2)])
    spool.close()
    segment = sorted(directory.glob("*.seg"))[0]
    segment.write_bytes(segment.read_bytes()[:-7])

    again = a_spool(directory)
    assert everything(again, again.start_after([ZERO, ZERO])) == [a_record(1)]
    again.append([a_record(3)])
    assert everything(again, again.start_after([ZERO, ZERO])) == [a_record(1), a_record(3)]


def test_a_damaged_record_in_the_middle_is_passed_over_and_counted(directory: Path) -> None:
    spool = a_spool(directory, segment_bytes=10**6)
    spool.append([a_record(1)])
    middle = spool.append([a_record(2)])
    spool.append([a_record(3)])
    spool.close()
    segment = sorted(directory.glob("*.seg"))[0]
    data = bytearray(segment.read_bytes())
    data[middle.offset + 60] ^= 0xFF
    segment.write_bytes(data)

    again = a_spool(directory)
    assert everything(again, again.start_after([ZERO, ZERO])) == [a_record(1), a_record(3)]
    assert again.damaged_records == 1


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_flipped_and_torn_segments_never_raise_and_never_invent(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("spool") / "simulator"
    spool = a_spool(directory)
    written = [a_record(ms, shard=ms % 2, payload=bytes([ms]) * 40) for ms in range(1, 12)]
    for record in written:
        spool.append([record])
    spool.close()
    segment = data.draw(st.sampled_from(sorted(directory.glob("*.seg"))))
    content = bytearray(segment.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    segment.write_bytes(content[: data.draw(st.integers(0, len(content)))])

    again = a_spool(directory)
    found = everything(again, again.start_after([ZERO, ZERO]))
    assert [record for record in written if record in found] == found


def test_a_damaged_last_record_is_counted_and_a_torn_one_apart_from_it(directory: Path) -> None:
    spool = a_spool(directory, segment_bytes=10**6)
    spool.append([a_record(1), a_record(2)])
    spool.close()
    (path,) = directory.glob("*.seg")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"?")

    damaged = a_spool(directory)
    assert (damaged.damaged_records, damaged.torn_bytes) == (1, 0)
    damaged.close()
    for newer in sorted(directory.glob("*.seg"))[1:]:
        newer.unlink()
    path.write_bytes(whole[:-1])

    torn = a_spool(directory)
    assert (torn.damaged_records, torn.torn_bytes) == (0, 131)


def test_damage_done_while_it_runs_is_counted_once_however_often_it_is_read(directory: Path) -> None:
    spool = a_spool(directory, segment_bytes=10**6)
    spool.append([a_record(1)])
    middle = spool.append([a_record(2)])
    last = spool.append([a_record(3)])
    (path,) = directory.glob("*.seg")
    data = bytearray(path.read_bytes())
    data[middle.offset + 60] ^= 0xFF
    data[last.offset + 60] ^= 0xFF
    path.write_bytes(data)

    for _ in range(3):
        assert everything(spool, spool.start_after([ZERO, ZERO])) == [a_record(1)]
    assert spool.damaged_records == 1


def test_a_segment_far_ahead_of_the_others_costs_no_time(directory: Path) -> None:
    spool = a_spool(directory)
    spool.append([a_record(1)])
    spool.close()
    (path,) = directory.glob("*.seg")
    path.with_stem("999999999998").write_bytes(path.read_bytes())

    again = a_spool(directory)
    assert again.frames == 2
    assert again.damaged_records == 1


def test_a_segment_that_is_gone_or_emptied_is_counted(directory: Path) -> None:
    spool = a_spool(directory, segment_bytes=1)
    for ms in (1, 2, 3, 4):
        spool.append([a_record(ms)])
    spool.close()
    paths = sorted(directory.glob("*.seg"))
    paths[2].unlink()
    paths[3].write_bytes(b"")

    again = a_spool(directory)
    assert everything(again, again.start_after([ZERO, ZERO])) == [a_record(1), a_record(4)]
    assert again.damaged_records == 2


def test_a_record_within_a_frame_is_no_record_wherever_reading_pauses(directory: Path) -> None:
    donor = a_spool(directory / "donor")
    place = donor.append([a_record(9)])
    (written,) = (directory / "donor").glob("*.seg")
    inner = written.read_bytes()[place.offset :]
    spool = a_spool(directory / "spool", segment_bytes=10**6)
    outer = a_record(1, payload=b"p" * 50 + inner + b"p" * 50)
    start = spool.append([outer, a_record(2)])

    for max_bytes in (40, 100, 200, 220, 10**6):
        assert spool.read(start, max_bytes)[0][0] == outer


def test_records_are_found_where_the_head_was_cut_out(directory: Path) -> None:
    spool = a_spool(directory)
    spool.append([a_record(1, payload=b"")])
    spool.close()
    (path,) = directory.glob("*.seg")
    path.write_bytes(path.read_bytes()[44:])

    again = a_spool(directory)
    assert everything(again, again.start_after([ZERO, ZERO])) == [a_record(1, payload=b"")]


def test_frames_of_more_shards_than_there_are_keep_the_spool_closed_even_without_its_spool_json(
    directory: Path,
) -> None:
    spool = a_spool(directory)
    spool.append([a_record(1, shard=1)])
    spool.close()
    (directory / "spool.json").unlink()

    narrower = Spool(directory, shards=1, max_bytes=10**6)
    assert narrower.lock()
    with pytest.raises(ConfigurationError, match="started with 2 shards"):
        narrower.open()


@pytest.mark.parametrize("name", ["copy of 1.seg", "1.seg", "²00000000001.seg"])
def test_a_file_that_is_no_segment_is_named(directory: Path, name: str) -> None:
    a_spool(directory).close()
    (directory / name).write_bytes(b"")

    again = Spool(directory, shards=SHARDS, max_bytes=10**6)
    assert again.lock()
    with pytest.raises(SpoolError, match="no segment"):
        again.open()


def test_a_segment_that_cannot_be_read_is_named(directory: Path) -> None:
    a_spool(directory).close()
    (directory / "000000000009.seg").mkdir()

    again = Spool(directory, shards=SHARDS, max_bytes=10**6)
    assert again.lock()
    with pytest.raises(SpoolError, match=r"000000000009\.seg"):
        again.open()


def test_a_damaged_head_costs_no_record(directory: Path) -> None:
    spool = a_spool(directory)
    records = [a_record(number) for number in range(1, 4)]
    spool.append(records)
    spool.close()
    (path,) = directory.glob("*.seg")
    data = bytearray(path.read_bytes())
    data[5] ^= 0xFF
    path.write_bytes(data)

    again = a_spool(directory)

    assert everything(again, again.start_after([ZERO] * SHARDS)) == records
    assert again.damaged_records == 1
    assert again.highest(0) == EntryId(3, 0)


def test_an_empty_spool_holds_no_frames_and_one_with_a_record_does(directory: Path) -> None:
    spool = a_spool(directory)
    assert not holds_frames(directory)

    spool.append([a_record(1)])

    assert holds_frames(directory)


def test_a_full_spool_refuses_the_frame_and_keeps_what_it_has(directory: Path) -> None:
    spool = a_spool(directory, max_bytes=400)
    spool.append([a_record(1)])
    with pytest.raises(SpoolFullError, match="limit"):
        spool.append([a_record(2), a_record(3)])

    assert everything(spool, spool.start_after([ZERO, ZERO])) == [a_record(1)]
    assert spool.highest(0) == EntryId(1, 0)


def test_a_full_disk_leaves_no_half_record(directory: Path) -> None:
    spool = a_spool(directory, segment_bytes=10**6)
    spool.append([a_record(1)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (spool.end.offset + 50, hard))
    try:
        with pytest.raises(SpoolError):
            spool.append([a_record(2)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    spool.append([a_record(3)])
    assert everything(spool, spool.start_after([ZERO, ZERO])) == [a_record(1), a_record(3)]


def test_a_disk_that_takes_nothing_and_gives_nothing_back_ends_the_segment(directory: Path) -> None:
    spool = a_spool(directory)
    start = spool.end
    spool.append([a_record(1)])
    unwritable = os.open(next(directory.glob("*.seg")), os.O_RDONLY)
    os.dup2(unwritable, spool._fd)
    os.close(unwritable)

    with pytest.raises(SpoolError):
        spool.append([a_record(2)])
    spool.append([a_record(3)])

    assert everything(spool, start) == [a_record(1), a_record(3)]
    assert len(list(directory.glob("*.seg"))) == 2


def test_changing_the_shards_is_refused_until_the_spool_is_drained(directory: Path) -> None:
    spool = a_spool(directory)
    spool.append([a_record(1)])
    spool.close()

    wider = Spool(directory, shards=4, max_bytes=10**6)
    assert wider.lock()
    with pytest.raises(ConfigurationError, match="started with 2 shards"):
        wider.open()
    wider.close()

    drained = a_spool(directory)
    drained.trim([EntryId(1, 0), ZERO])
    drained.close()
    wider = a_spool(directory, shards=4)
    wider.append([a_record(7, shard=3)])
    assert everything(wider, wider.start_after([ZERO] * 4)) == [a_record(7, shard=3)]


def test_what_the_streams_held_before_is_remembered_across_restarts(directory: Path) -> None:
    spool = a_spool(directory)
    assert spool.fresh
    spool.adopt([EntryId(8, 1), ZERO])
    spool.close()

    again = a_spool(directory)
    assert again.adopted(0) == EntryId(8, 1)
    assert not again.fresh
    assert again.highest(0) == EntryId(8, 1)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError, match="SPOOL_DIR"):
        Spool(tmp_path / "file" / "simulator", shards=2, max_bytes=10).lock()


@pytest.mark.parametrize(
    "content",
    [
        "{", "[" * 100_000, "\0",
        '{"shards":0,"writer":"desk"}', '{"shards":2,"writer":""}', '{"shards":2,"writer":"desk","adopted":["x"]}',
        '{"shards":2,"writer":"desk","adopted":["99999999999999999999-0"]}',
    ],
)  # fmt: skip
def test_a_broken_spool_json_is_named_with_its_mend(directory: Path, content: str) -> None:
    spool = a_spool(directory)
    spool.close()
    (directory / "spool.json").write_text(content)

    again = Spool(directory, shards=2, max_bytes=10)
    assert again.lock()
    with pytest.raises(SpoolError, match=r"spool\.json.*move the folder away"):
        again.open()
