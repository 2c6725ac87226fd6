from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from nightdesk.reports import text

WORDS = st.text(max_size=120)


def test_a_table_has_words_on_the_left_and_numbers_on_the_right() -> None:
    assert text.table(["Symbol", "Orders"], [["AAPL", "12"], ["GOOGL", "1,234"]], "lr") == [
        "Symbol  Orders",
        "------  ------",
        "AAPL        12",
        "GOOGL    1,234",
    ]


def test_a_chart_shows_what_is_more_than_nothing_by_one_mark_at_least() -> None:
    lines = text.bars([("risk", 1000, "1,000"), ("auth", 1, "1"), ("feed", 0, "0")])

    assert lines[0] == "risk  1,000  " + "#" * (text.WIDTH - 13)
    assert lines[1:] == ["auth      1  #", "feed      0"]


def test_values_stand_below_each_other() -> None:
    assert text.pairs([("Orders", "12"), ("Volume", "3.00")]) == ["Orders: 12", "Volume: 3.00"]
    assert text.pairs([("A", "1"), ("Long", "2")]) == ["A:    1", "Long: 2"]


def test_numbers_have_their_thousands_apart_and_no_minus_before_nothing() -> None:
    assert text.number(Decimal("1234567.895"), 2) == "1,234,567.90"
    assert text.number(Decimal("-0.001"), 2) == "0.00"
    assert text.number(-5) == "-5"
    assert text.share(0.0425) == "4.2 %"


def test_wide_characters_take_two_columns() -> None:
    assert text.width_of("日本") == 4
    assert text.padded("日本", 5) == "日本 "
    assert text.padded("日本語", 5) == "日.. "


@given(st.lists(st.tuples(WORDS, WORDS, st.integers(-(10**30), 10**30).map(text.number)), max_size=6))
def test_no_line_of_a_table_is_too_wide_or_broken(rows: list[tuple[str, str, str]]) -> None:
    for line in text.table(["a", "b", "c"], rows, "llr"):
        assert text.width_of(line) <= text.WIDTH
        assert line.isprintable()
        assert line == line.rstrip()


@given(st.lists(st.tuples(WORDS, st.integers(0, 10**30)), max_size=6))
def test_no_line_of_a_chart_is_too_wide_or_broken(values: list[tuple[str, int]]) -> None:
    for line in text.bars([(word, amount, text.number(amount)) for word, amount in values]):
        assert text.width_of(line) <= text.WIDTH
        assert line.isprintable()


@given(WORDS, st.integers(2, 60))
def test_what_is_padded_takes_exactly_its_width(word: str, width: int) -> None:
    assert text.width_of(text.padded(word, width)) == width


def test_a_number_is_never_cut() -> None:
    long = text.number(10**90)

    assert text.table(["Symbol", "Volume"], [["A very long name", long]], "lr")[-1].endswith(f"  {long}")
