"""Text within limits."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerter.channels.fitting import clean, cut, length, listed, one_line


def test_what_fits_stays_as_it_is() -> None:
    assert cut("silent", 6) == "silent"


def test_what_does_not_fit_ends_with_an_ellipsis() -> None:
    assert cut("silent for 62 s", 7) == "silent…"


def test_an_ellipsis_does_not_stand_after_a_space() -> None:
    assert cut("silent for", 8) == "silent…"


@pytest.mark.parametrize("limit", [0, -1, -20])
def test_without_room_there_is_no_text(limit: int) -> None:
    assert cut("silent", limit) == ""


def test_what_escapes_a_character_is_whole_or_not_there() -> None:
    assert cut("a&b", 6, html.escape) == "a…"
    assert cut("a&b", 7, html.escape) == "a&amp;b"


def test_a_character_beyond_the_basic_plane_counts_twice() -> None:
    assert length("🔴a") == 3
    assert cut("🔴🔴", 3) == "🔴…"


@given(text=st.text(alphabet="a&<é🔴 \n", max_size=60), limit=st.integers(0, 80))
def test_a_cut_text_is_never_too_long_and_unescapes_to_its_beginning(text: str, limit: int) -> None:
    shown = cut(text, limit, html.escape)

    assert length(shown) <= limit
    assert text.startswith(html.unescape(shown).removesuffix("…"))


def test_control_characters_and_half_characters_are_shown_as_what_they_are() -> None:
    assert clean(" a\0b\ud800c\u2028d\r\ne\n") == "a�b�c�d\ne"


def test_a_line_is_one_line() -> None:
    assert one_line("a\n b\tc") == "a b c"


def test_a_list_that_fits_is_whole() -> None:
    assert listed(["a", "b"], 7) == "• a\n• b"


def test_a_list_that_does_not_fit_says_how_many_more_there_are() -> None:
    assert listed(["one", "two", "three", "four"], 20) == "• one\n• two\n+2 more"
    assert listed(["one", "two", "three", "four"], 7) == "+4 more"
    assert listed(["one", "two", "three", "four"], 6) == ""


@given(items=st.lists(st.text(max_size=12), max_size=30), room=st.integers(-5, 200))
def test_a_list_is_never_too_long_and_accounts_for_every_item(items: list[str], room: int) -> None:
    lines = listed(items, room).split("\n") if listed(items, room) else []

    assert length("\n".join(lines)) <= max(0, room)
    more = int(lines.pop()[1:].split()[0]) if lines and lines[-1].startswith("+") else 0
    assert not lines or len(lines) + more == len(items)
