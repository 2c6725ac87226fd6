"""Entry ids rise whatever the clock does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.collector.entry_ids import ZERO, EntryId, following, parse
from services.collector.redis_streams import position

IDS = st.builds(EntryId, st.integers(0, 2**48), st.integers(0, 2**48))


@given(IDS, st.integers(0, 2**48))
def test_the_next_id_is_above_the_highest_whatever_the_clock_says(highest: EntryId, now_ms: int) -> None:
    assert following(highest, now_ms) > highest


def test_the_next_id_carries_the_clock_when_it_can() -> None:
    assert following(EntryId(5, 3), 9) == EntryId(9, 0)
    assert following(EntryId(9, 3), 9) == EntryId(9, 4)


@given(IDS)
def test_an_id_is_read_back_from_its_text(entry_id: EntryId) -> None:
    assert parse(str(entry_id)) == parse(str(entry_id).encode()) == entry_id


def test_a_missing_key_is_the_lowest_id() -> None:
    assert parse(None) == ZERO


@pytest.mark.parametrize("text", ["soon", "", "-5", "5--3", f"{2**64}-0", f"0-{2**64}"])
def test_text_that_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|no entry id"):
        parse(text)


@pytest.mark.parametrize("value", [None, b"", b"soon", b"\xff", b"99999999999999999999-0"])
def test_a_position_that_is_lost_or_spoilt_only_keeps_more(value: bytes | None) -> None:
    assert position(value) == ZERO
