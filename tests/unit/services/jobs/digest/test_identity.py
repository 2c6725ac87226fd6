from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from services.jobs.digest.identity import HEAD_BYTES, Candidate, Found, Known, Match, digest, matches

LINE = b"2026-11-19 07:00:03 started\n"


def file(path: str, content: bytes, *, final: bool = False) -> Candidate:
    found = Found(source="demo", path=Path(path), stored_bytes=len(content), modified_ns=1)
    return Candidate(found=found, head=content[:HEAD_BYTES], is_final=final or path.endswith(".gz"))


def row(number: int, path: str, content: bytes) -> Known:
    head = content[:HEAD_BYTES]
    return Known(
        log_file_id=number, path=path, head_bytes=len(head), head_sha256=digest(head), offset=len(content),
        last_us=None, stored_bytes=None, modified_ns=None,
    )  # fmt: skip


def told(found: list[Match]) -> dict[str, int | None]:
    return {str(one.candidate.found.path): one.known.log_file_id if one.known else None for one in found}


LONG = b"".join(b"%d " % number + LINE for number in range(100))
OTHER = LONG.replace(b"started", b"stopped")


def test_a_file_that_was_renamed_is_itself() -> None:
    assert told(matches([file("a.log.1", LONG), file("a.log", OTHER)], [row(7, "a.log", LONG)])) == {
        "a.log.1": 7,
        "a.log": None,
    }


def test_a_file_that_was_compressed_is_itself() -> None:
    assert told(matches([file("a.log.1.gz", LONG)], [row(7, "a.log.1", LONG)])) == {"a.log.1.gz": 7}


def test_while_a_file_is_being_compressed_it_is_read_once_from_where_it_is_whole() -> None:
    candidates = [file("a.log.1", LONG), file("a.log.1.gz", LONG[:300])]

    assert told(matches(candidates, [row(7, "a.log", LONG)])) == {"a.log.1": 7}


def test_a_copy_is_not_read_whichever_is_shorter() -> None:
    known = [row(7, "a.log", LONG)]

    assert told(matches([file("a.log", LONG), file("copy.log", LONG)], known)) == {"a.log": 7}
    assert told(matches([file("a.log", LONG), file("copy.log", LONG[:500])], known)) == {"a.log": 7}


def test_a_file_that_was_emptied_and_begun_anew_is_another() -> None:
    assert told(matches([file("a.log", OTHER), file("a.log.1", LONG)], [row(7, "a.log", LONG)])) == {
        "a.log": None,
        "a.log.1": 7,
    }


def test_a_short_file_is_itself_when_it_has_grown_and_when_it_was_renamed() -> None:
    known = [row(7, "a.log", LINE)]

    assert told(matches([file("a.log", LINE + LONG)], known)) == {"a.log": 7}
    assert told(matches([file("a.log.1", LINE + LONG)], known)) == {"a.log.1": 7}


def test_files_that_begin_alike_and_go_on_differently_are_two() -> None:
    known = [row(7, "a.log", LINE)]
    candidates = [file("b.log", LINE + OTHER), file("a.log", LINE + LONG)]

    assert told(matches(candidates, known)) == {"a.log": 7, "b.log": None}


def test_a_file_without_a_whole_line_waits_unless_it_is_final() -> None:
    assert matches([file("a.log", b"2026-11-19 07:0")], []) == []
    assert told(matches([file("a.log", b"2026-11-19 07:0", final=True)], [])) == {"a.log": None}


CONTENTS = st.lists(st.sampled_from([b"a\n", b"b\n", b"c" * 400 + b"\n"]), min_size=1, max_size=6).map(b"".join)


@given(st.dictionaries(st.sampled_from("abcdef"), CONTENTS), st.dictionaries(st.integers(1, 4), CONTENTS))
def test_no_row_is_two_files_and_no_file_has_two_rows(files: dict[str, bytes], rows: dict[int, bytes]) -> None:
    known = list({one.head_sha256: one for one in (row(number, "x", text) for number, text in rows.items())}.values())
    found = matches([file(path, text) for path, text in files.items()], known)

    numbers = [one.known.log_file_id for one in found if one.known is not None]
    paths = [one.candidate.found.path for one in found]
    assert len(numbers) == len(set(numbers))
    assert len(paths) == len(set(paths))
    for one in found:
        if one.known is not None:
            assert digest(one.candidate.head[: one.known.head_bytes]) == one.known.head_sha256


@given(st.lists(CONTENTS, min_size=1, max_size=5, unique=True))
def test_what_was_read_once_is_found_again_under_any_name(contents: list[bytes]) -> None:
    first = matches([file(f"{number}.log", text) for number, text in enumerate(contents)], [])
    known = [row(number, "gone", one.candidate.head) for number, one in enumerate(first)]

    again = matches([file(f"{one.candidate.found.path}.1", one.candidate.head) for one in first], known)

    assert len(again) == len(first)
    assert all(one.known is not None for one in again)
