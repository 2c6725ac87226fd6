import math
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.api import written

AT = datetime(2026, 11, 19, 2, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (67000.5, 9, "67,000.5"),
        (0.00012345, 3, "0.000123"),
        (1_234_567_890.0, 9, "1,234,567,890"),
        (1e15, 6, "1,000,000,000,000,000"),
        (-2.5, 9, "-2.5"),
        (0.0, 9, "0"),
        (100.0, 9, "100"),
        (Decimal("12.340"), 9, "12.34"),
        (None, 9, ""),
        (math.inf, 9, "inf"),
        (math.nan, 9, "nan"),
        (0.1 + 0.2, 9, "0.3"),
    ],
)
def test_a_number_is_written_for_people(value: float | Decimal | None, digits: int, text: str) -> None:
    assert written.number(value, digits) == text


@given(some.floats(allow_nan=False, allow_infinity=False, min_value=1e-12, max_value=1e15))
def test_nine_digits_are_kept_of_any_number(value: float) -> None:
    assert float(written.number(value).replace(",", "")) == pytest.approx(value, rel=1e-8)


@pytest.mark.parametrize(
    ("length_s", "text"), [(0.04, "0.0 s"), (59.94, "59.9 s"), (125.0, "2 min 5 s"), (-3.0, "0.0 s"), (None, "")]
)
def test_an_age_is_exact_while_it_is_short(length_s: float | None, text: str) -> None:
    assert written.age(length_s) == text


def test_a_moment_has_its_day() -> None:
    assert written.moment(AT) == "Thu 19 Nov 02:03:04"
    assert written.clock(AT) == "02:03:04"
    assert written.moment(None) == written.clock(None) == ""


def test_of_a_result_the_plain_facts_make_a_line() -> None:
    assert written.short({"rows": 3, "day": "2026-11-19", "detail": [1, 2], "note": ""}) == "rows 3, day 2026-11-19"
    assert written.short(None) == ""


def test_a_long_text_is_cut_at_its_first_line() -> None:
    assert written.cut("one\ntwo") == "one"
    assert written.cut(None) == ""
    assert len(written.cut("x" * 500)) == written.SHORT_CHARACTERS


def test_words_become_a_sentence() -> None:
    assert written.sentence("limit: is too large") == "Limit: is too large."
    assert written.sentence("Try again!") == "Try again!"


def test_json_is_read_by_people() -> None:
    assert written.plain_json({"a": "ö", "at": AT}) == '{\n  "a": "ö",\n  "at": "2026-11-19 02:03:04+00:00"\n}'


@pytest.mark.parametrize(("text", "piece"), [("BTC/USD", "BTC%2FUSD"), ("^GSPC", "%5EGSPC"), ("A?b#c", "A%3Fb%23c")])
def test_any_symbol_is_one_piece_of_a_path(text: str, piece: str) -> None:
    assert written.piece(text) == piece
