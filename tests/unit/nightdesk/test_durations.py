"""Lengths of time as people write them, and as they read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightdesk.durations import seconds, written


@pytest.mark.parametrize(
    ("text", "length_s"),
    [("90s", 90), ("0s", 0), ("0.5s", 0.5), ("15m", 900), ("4h", 14_400), ("2d", 172_800), (" 7d ", 604_800), (5, 5)],
)
def test_a_number_and_a_unit_are_a_length(text: object, length_s: float) -> None:
    assert seconds(text) == length_s


@pytest.mark.parametrize(
    "text", ["", "15", "m", "15 m", "-1s", "1e3s", "1h30m", "15min", "15M", "\u0661s", "1_0s", ".5s", None, True, [1]]
)
def test_anything_else_is_none_and_says_how_to_write_it(text: object) -> None:
    with pytest.raises(ValueError, match="write 90s, 15m, 4h or 2d"):
        seconds(text)


@pytest.mark.parametrize("text", ["367d", "999999h"])
def test_a_length_beyond_a_year_is_a_mistake(text: str) -> None:
    with pytest.raises(ValueError, match="longer than a year"):
        seconds(text)


@pytest.mark.parametrize(
    ("length_s", "text"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (0.4, "0 s"),
        (0.6, "1 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3601, "1 h 1 s"),
        (3661, "1 h 1 min"),
        (90_061, "1 d 1 h"),
        (10 * 86_400, "10 d"),
    ],
)
def test_a_length_is_read_in_its_two_largest_units(length_s: float, text: str) -> None:
    assert written(length_s) == text


@given(st.floats(0, 1e9))
def test_what_is_read_is_within_its_smaller_unit_of_what_it_was(length_s: float) -> None:
    units = {"d": 86_400, "h": 3600, "min": 60, "s": 1}
    words = written(length_s).split()
    parts = [(int(number), units[unit]) for number, unit in zip(words[::2], words[1::2], strict=True)]

    assert len(parts) <= 2
    assert 0 <= round(length_s) - sum(number * unit for number, unit in parts) < (parts[-1][1] if parts[-1][0] else 1)
