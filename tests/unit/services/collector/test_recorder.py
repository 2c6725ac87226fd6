"""Recordings have the recordings' format, end by size and by age, and never hurt the session."""

import io
import json
import threading
from pathlib import Path

import zstandard

from services.collector.recorder import NS, File, Limits, Line, Recorder, Rotation, open_zst, written


def lines_of(path: Path) -> list[dict[str, object]]:
    with path.open("rb") as file:
        text = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), "utf-8")
        return [json.loads(line) for line in text]


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def a_rotation(directory: Path, **limits: int) -> Rotation:
    return Rotation(directory, "simulator", limits=Limits(**limits))


def a_message(second: int = 0, raw: bytes = b'{"e":1}') -> Line:
    return Line("ws", second * NS, raw)


def test_a_message_is_written_as_it_came() -> None:
    line = Line("ws", 1_633_998_512_063_000_000, '{"e":"trade","s":"Ω"}'.encode())

    assert json.loads(written(line)) == {"ts": 1633998512.063, "raw": '{"e":"trade","s":"Ω"}'}
    assert written(line).endswith(b"\n")


def test_an_answer_is_written_decoded_and_without_its_credential() -> None:
    line = Line("http", NS, b'{"bids":[["1","2"]]}', "https://x/depth?symbol=A&api_key=hush")

    assert json.loads(written(line)) == {
        "ts": 1.0,
        "url": "https://x/depth?symbol=A&api_key=***",
        "body": {"bids": [["1", "2"]]},
    }


def test_what_is_no_text_and_what_is_no_json_is_still_written() -> None:
    assert json.loads(written(Line("ws", 0, b"\xff{")))["raw"] == "\ufffd{"
    assert json.loads(written(Line("http", 0, b"<html>", "u")))["body"] == "<html>"


def test_frames_and_answers_lie_side_by_side(tmp_path: Path) -> None:
    rotation = a_rotation(tmp_path)
    rotation.write(a_message(1))
    rotation.write(Line("http", 2 * NS, b"[]", "u"))
    rotation.close()

    assert names(tmp_path) == [
        "simulator-19700101T000001.000000Z.http.jsonl.zst",
        "simulator-19700101T000001.000000Z.ws.jsonl.zst",
    ]
    assert lines_of(tmp_path / names(tmp_path)[1]) == [{"ts": 1.0, "raw": '{"e":1}'}]


def test_a_file_ends_by_age_and_by_size(tmp_path: Path) -> None:
    rotation = a_rotation(tmp_path, file_s=10, file_bytes=60)
    for second in (1, 2, 11, 12, 13, 14):
        rotation.write(a_message(second, b"x" * 10))
    rotation.close()
    counts = [len(lines_of(tmp_path / name)) for name in names(tmp_path)]

    assert counts == [2, 2, 2]


def test_at_the_disk_limit_recording_stops_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "simulator-before.ws.jsonl.zst").write_bytes(b"x" * 100)
    recorder = Recorder(a_rotation(tmp_path, total_bytes=100), feed="simulator")
    recorder.start()
    recorder.message(b"{}", NS)
    recorder.close()

    assert "limit" in recorder.stopped
    recorder.message(b"{}", NS)  # and takes no more, without a word


def test_a_disk_that_fails_stops_the_recording_only(tmp_path: Path) -> None:
    def full(_path: Path) -> File:
        raise OSError(28, "No space left on device")

    recorder = Recorder(Rotation(tmp_path, "a", limits=Limits(), open_file=full), feed="a")
    recorder.start()
    recorder.message(b"{}", NS)
    recorder.close()

    assert "No space left" in recorder.stopped


def test_a_disk_slower_than_the_feed_stops_the_recording_and_never_waits(tmp_path: Path) -> None:
    hold = threading.Event()

    def slow(path: Path) -> File:
        hold.wait()
        return open_zst(path)

    recorder = Recorder(Rotation(tmp_path, "a", limits=Limits(), open_file=slow), feed="a", waiting_lines=10)
    recorder.start()
    for _ in range(20):
        recorder.message(b"{}", NS)
    hold.set()
    recorder.close()

    assert "slower" in recorder.stopped


def test_everything_recorded_before_the_end_is_on_disk(tmp_path: Path) -> None:
    recorder = Recorder(a_rotation(tmp_path), feed="simulator")
    recorder.start()
    for number in range(1000):
        recorder.message(b"%d" % number, NS + number)
    recorder.close()
    [path] = tmp_path.iterdir()

    assert [line["raw"] for line in lines_of(path)] == [str(number) for number in range(1000)]
    assert recorder.stopped == ""
