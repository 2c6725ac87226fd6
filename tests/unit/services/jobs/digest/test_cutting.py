from hypothesis import given
from hypothesis import strategies as st

from services.jobs.digest import cutting
from services.jobs.digest.cutting import LONGEST_LINE_BYTES, Cutter, Piece

BLOCKS = st.lists(st.binary(max_size=40) | st.just(b"\n") | st.just(b"x" * 30), max_size=12)


def cut(blocks: list[bytes], offset: int = 0, *, final: bool = True) -> list[Piece]:
    cutter = Cutter(offset)
    pieces = [piece for block in blocks for piece in cutter.feed(block)]
    return pieces + (cutter.end() if final else [])


def lines_of(pieces: list[Piece]) -> list[bytes]:
    return [line for piece in pieces for line in piece.data.removesuffix(b"\n").split(b"\n")]


def test_a_line_that_two_blocks_share_is_one_line() -> None:
    assert lines_of(cut([b"one\ntw", b"o\nthree\n"])) == [b"one", b"two", b"three"]


def test_a_last_line_without_an_end_waits_until_the_file_is_final() -> None:
    assert lines_of(cut([b"one\ntwo"], final=False)) == [b"one"]
    assert lines_of(cut([b"one\ntwo"])) == [b"one", b"two"]


@given(BLOCKS, st.integers(0, 1000))
def test_however_the_blocks_fall_the_pieces_are_the_file(blocks: list[bytes], offset: int) -> None:
    pieces = cut(blocks, offset)

    assert b"".join(piece.data for piece in pieces) == b"".join(blocks)
    at = offset
    for piece in pieces:
        assert (piece.offset, piece.length) == (at, len(piece.data))
        at += piece.length


@given(BLOCKS)
def test_without_an_end_only_what_is_behind_the_last_newline_is_missing(blocks: list[bytes]) -> None:
    whole = b"".join(blocks)

    assert b"".join(piece.data for piece in cut(blocks, final=False)) == whole[: whole.rfind(b"\n") + 1]


def test_a_line_that_is_too_long_is_told_once_and_never_held_whole() -> None:
    blocks = [b"before\n" + b"x" * LONGEST_LINE_BYTES, *[b"y" * LONGEST_LINE_BYTES] * 5, b"z\nafter\n"]

    before, overlong, after = cut(blocks)

    assert (before.data, after.data) == (b"before\n", b"after\n")
    assert overlong.is_overlong
    assert len(overlong.data) == LONGEST_LINE_BYTES
    assert overlong.length == 6 * LONGEST_LINE_BYTES + 2
    assert after.offset == 7 + overlong.length


def test_a_file_that_ends_within_a_line_that_is_too_long_has_that_line() -> None:
    (overlong,) = cut([b"x" * (LONGEST_LINE_BYTES + 1), b"more"])

    assert (overlong.is_overlong, overlong.length) == (True, LONGEST_LINE_BYTES + 5)
    assert cut([b"x" * (LONGEST_LINE_BYTES + 1), b"more"], final=False) == []


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 7))
def test_every_line_is_there_once_also_beside_those_that_are_too_long(lengths: list[int], block: int) -> None:
    longest = cutting.LONGEST_LINE_BYTES
    text = b"".join(b"x" * (longest + 9 if length == 3 else length) + b"\n" for length in lengths)
    size = block * longest // 3 + 1

    pieces = cut([text[at : at + size] for at in range(0, len(text), size)])

    count = sum(1 if piece.is_overlong else piece.data.count(b"\n") for piece in pieces)
    assert count == len(lengths)
    assert sum(piece.length for piece in pieces) == len(text)
