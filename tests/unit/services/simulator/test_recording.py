import gzip
import json
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from nightdesk.errors import ConfigurationError
from services.simulator.recording import answers_of, frames_of, stream_of

LINES = [{"ts": 1.5, "raw": '{"stream":"a@trade","data":{}}'}, {"ts": 2.0, "raw": "für €"}]
TEXT = "".join(json.dumps(line) + "\n" for line in LINES).encode()
PACKED = {"": TEXT, ".gz": gzip.compress(TEXT), ".zst": zstandard.compress(TEXT)}


@pytest.mark.parametrize("suffix", list(PACKED))
def test_a_recording_may_be_packed(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.ws.jsonl{suffix}"
    path.write_bytes(PACKED[suffix])

    assert [(one.ts, one.raw) for one in frames_of(path)] == [(line["ts"], line["raw"]) for line in LINES]


def test_zstd_frames_may_follow_one_another(tmp_path: Path) -> None:
    path = tmp_path / "x.ws.jsonl.zst"
    path.write_bytes(zstandard.compress(TEXT) + zstandard.compress(TEXT))

    assert len(list(frames_of(path))) == 4


@pytest.mark.parametrize("suffix", list(PACKED))
def test_rest_answers_lie_beside(tmp_path: Path, suffix: str) -> None:
    answers = json.dumps({"ts": 1, "url": "https://x/y?a=1", "body": {"b": [1]}}).encode()
    (tmp_path / "x.http.jsonl").write_bytes(answers)

    (answer,) = answers_of(tmp_path / f"x.ws.jsonl{suffix}")
    assert (answer.url, answer.body) == ("https://x/y?a=1", {"b": [1]})


def test_a_recording_needs_no_rest_answers(tmp_path: Path) -> None:
    assert answers_of(tmp_path / "x.ws.jsonl") == []
    assert answers_of(tmp_path / "other.txt") == []


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.ws.jsonl"
    path.write_bytes(TEXT + b'{"ts": "soon"}\n')

    with pytest.raises(ConfigurationError, match="line 3"):
        list(frames_of(path))


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_torn_file_is_an_error_and_not_an_end(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.ws.jsonl{suffix}"
    path.write_bytes(PACKED[suffix][:-6])

    with pytest.raises(ConfigurationError, match=r"x\.ws\.jsonl"):
        list(frames_of(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.ws\.jsonl"):
        list(frames_of(tmp_path / "none.ws.jsonl"))


@given(st.text(st.characters(exclude_characters='"\\', min_codepoint=32), min_size=1))
def test_the_stream_of_a_wrapped_frame_is_its_name(name: str) -> None:
    assert stream_of(f'{{"stream":"{name}","data":{{}}}}') == name


@pytest.mark.parametrize("raw", ['{"type":"match"}', "[]", "", "not json"])
def test_other_frames_name_no_stream(raw: str) -> None:
    assert stream_of(raw) == ""
