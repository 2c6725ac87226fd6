"""The comparison of books notices every figure that differs."""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.books import StoredDepth, StoredQuote, check, depth_findings, quote_findings, true_book

ANSWER = {
    "bids": [["100.10", "2.000"], ["100.00", "1.500"], ["99.90", "0.500"]],
    "asks": [["100.20", "1.000"], ["100.30", "1.000"]],
    "last_update_id": 77,
}
TRUTH = true_book(ANSWER)
DEPTH = StoredDepth(
    sequence=77,
    bids=[100.10, 2.0, 100.0, 1.5, 99.9, 0.5],
    asks=[100.20, 1.0, 100.30, 1.0],
    spread=100.20 - 100.10,
    pressure_ratio=2.0,
)
QUOTE = StoredQuote(sequence=77, bid=[100.10, 2.0], ask=[100.20, 1.0])


def test_the_book_as_it_is_has_no_findings() -> None:
    assert depth_findings("BTCUSDT", TRUTH, DEPTH) == []
    assert quote_findings("BTCUSDT", TRUTH, QUOTE) == []


def test_only_the_levels_that_are_stored_are_compared() -> None:
    top = true_book(ANSWER, levels=1)

    assert (top.bids, top.asks) == ([100.10, 2.0], [100.20, 1.0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sequence": 76}, "change 76, the book of 77"),
        ({"bids": [100.10, 2.0, 100.0, 1.5, 99.9, 0.6]}, "bids: level 3 is (99.9, 0.6), the book has (99.9, 0.5)"),
        ({"bids": [100.10, 2.0, 100.0, 1.5]}, "2 bids are stored, the book has 3"),
        ({"asks": [100.25, 1.0, 100.30, 1.0]}, "asks: level 1 is (100.25, 1.0), the book has (100.2, 1.0)"),
        ({"spread": 0.2}, "spread is 0.2"),
        ({"spread": None}, "spread is None"),
        ({"pressure_ratio": 2.1}, "pressure ratio is 2.1, the book makes 2.0"),
    ],
)
def test_each_figure_of_a_depth_that_differs_is_named(change: dict[str, Any], words: str) -> None:
    (found,) = depth_findings("BTCUSDT", TRUTH, replace(DEPTH, **change))

    assert found.startswith("BTCUSDT: ")
    assert words in found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sequence": None}, "change None, the book of 77"),
        ({"bid": [100.10, 2.1]}, "bid: level 1 is (100.1, 2.1)"),
        ({"ask": [100.21, 1.0]}, "ask: level 1 is (100.21, 1.0)"),
    ],
)
def test_each_figure_of_a_quote_that_differs_is_named(change: dict[str, Any], words: str) -> None:
    (found,) = quote_findings("BTCUSDT", TRUTH, replace(QUOTE, **change))

    assert words in found


def test_what_is_not_stored_at_all_is_found() -> None:
    assert depth_findings("BTCUSDT", TRUTH, None) == ["BTCUSDT: no depth is stored"]
    assert quote_findings("BTCUSDT", TRUTH, None) == ["BTCUSDT: no quote is stored"]


class Desk:
    """An exchange whose last depth arrives late, or never."""

    def __init__(self, *rows: StoredDepth) -> None:
        self._rows = list(rows)

    def book(self, symbol: str) -> dict[str, Any]:
        return {**ANSWER, "symbol": symbol}

    def symbols(self) -> list[str]:
        return ["BTCUSDT"]

    def last_depths(self) -> dict[str, StoredDepth]:
        return {"BTCUSDT": self._rows.pop(0) if len(self._rows) > 1 else self._rows[0]}

    def last_quotes(self) -> dict[str, StoredQuote]:
        return {"BTCUSDT": QUOTE}


def test_what_arrives_late_is_waited_for() -> None:
    desk = Desk(replace(DEPTH, sequence=70), DEPTH)

    assert check(desk, desk) == []


def test_what_never_arrives_is_found() -> None:
    desk = Desk(replace(DEPTH, sequence=70))

    assert check(desk, desk, limit_s=0.0) == ["BTCUSDT: the last depth is of change 70, the book of 77"]
