"""The verifier finds each way in which a trade can go wrong: a check that cannot fail proves nothing."""

from dataclasses import replace

import pytest

from tests.chaos.verification import (
    Account,
    Bar,
    BarKey,
    Unordered,
    bar_findings,
    findings,
    quarantine_findings,
    repeat_findings,
    totals,
    unordered_findings,
)

RIGHT = Account(
    symbol="BTCUSDT",
    sent=((1, 100),),
    stored=((1, 60), (71, 100)),
    ledgered=((61, 70),),
    losable=((55, 70),),
)
NOTHING_LOST = Account(symbol="BTCUSDT", sent=((1, 100),), stored=((1, 100),))

BAR = Bar(open=1.0, high=3.0, low=0.5, close=2.0, volume=10.0, buy_volume=4.0, quote_volume=20.0, trades=7)
KEY = BarKey("BTCUSDT", 28_000_000)


def test_every_id_stored_once_or_ledgered_in_its_window_is_right() -> None:
    assert findings(RIGHT) == []
    assert findings(NOTHING_LOST) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (replace(NOTHING_LOST, stored=((1, 41), (43, 100))), "neither stored nor ledgered: 42 (1 id)"),
        (replace(NOTHING_LOST, stored=((1, 99),)), "neither stored nor ledgered: 100 (1 id)"),
        (replace(NOTHING_LOST, stored=((2, 100),)), "neither stored nor ledgered: 1 (1 id)"),
        (replace(NOTHING_LOST, stored=()), "neither stored nor ledgered: 1-100 (100 ids)"),
        (replace(NOTHING_LOST, duplicates=1), "1 rows repeat an id"),
        (replace(NOTHING_LOST, disturbed=2), "2 rows came or went"),
        (replace(NOTHING_LOST, stored=((1, 101),)), "stored, never sent: 101 (1 id)"),
        (replace(NOTHING_LOST, ledgered=((0, 0),), losable=((0, 0),)), "ledgered, never sent: 0 (1 id)"),
        (replace(RIGHT, ledgered=((60, 70),)), "stored and ledgered: 60 (1 id)"),
        (replace(RIGHT, losable=((62, 70),)), "ledgered where nothing may be lost: 61 (1 id)"),
        (replace(RIGHT, losable=((55, 69),)), "ledgered where nothing may be lost: 70 (1 id)"),
        (replace(RIGHT, losable=()), "ledgered where nothing may be lost: 61-70 (10 ids)"),
    ],
)
def test_each_wrong_is_found_and_named(wrong: Account, words: str) -> None:
    found = findings(wrong)

    assert len(found) == 1
    assert words in found[0]
    assert found[0].startswith("BTCUSDT: ")


def test_totals_add_up_all_symbols() -> None:
    wrong = replace(NOTHING_LOST, symbol="ETHUSDT", stored=((1, 90),), duplicates=3)

    sums = totals([RIGHT, wrong])

    assert (sums.sent, sums.stored, sums.ledgered, sums.lost, sums.duplicates) == (200, 180, 10, 10, 3)


def test_a_bar_equal_to_the_fold_of_its_trades_is_right() -> None:
    assert bar_findings({KEY: BAR}, {KEY: BAR}) == []


def test_sums_may_differ_in_their_last_digits_only() -> None:
    assert bar_findings({KEY: BAR}, {KEY: BAR._replace(volume=10.000_000_000_1)}) == []
    assert bar_findings({KEY: BAR}, {KEY: BAR._replace(volume=10.000_001)}) != []


@pytest.mark.parametrize(
    "change",
    [
        {"open": 1.1}, {"high": 3.1}, {"low": 0.4}, {"close": 2.1}, {"buy_volume": 4.1}, {"quote_volume": 21.0},
        {"trades": 8},
    ],
)  # fmt: skip
def test_each_figure_of_a_bar_that_differs_is_named(change: dict[str, float]) -> None:
    (found,) = bar_findings({KEY: BAR}, {KEY: BAR._replace(**change)})  # type: ignore[arg-type]

    ((name, value),) = change.items()
    assert found.startswith(f"BTCUSDT: bar of minute 28000000: {name} is {value}")


def test_a_missing_and_a_surplus_bar_are_found() -> None:
    assert bar_findings({KEY: BAR}, {}) == ["BTCUSDT: bar of minute 28000000: not stored"]
    assert bar_findings({}, {KEY: BAR}) == ["BTCUSDT: bar of minute 28000000: no trades"]


def test_admission_drops_exactly_what_the_exchange_repeated_where_that_is_known() -> None:
    assert repeat_findings(None, 17) == []
    assert repeat_findings(17, 17) == []
    assert repeat_findings(17, 16) == ["16 trades were dropped as repeats, the exchange repeated 17"]


def test_the_quarantine_gets_exactly_what_a_fault_puts_there() -> None:
    assert quarantine_findings(0, 0, []) == []
    assert quarantine_findings(2, 2, ["codec: ..."]) == []
    assert quarantine_findings(1, 0, ["decode: short"]) == ["1 rows came into the quarantine, not 0: decode: short"]
    assert quarantine_findings(0, 1, []) != []


def test_more_disorder_than_the_fault_explains_is_found() -> None:
    found = [Unordered("BTCUSDT", 7, 3), Unordered("ETHUSDT", 9, 1)]

    assert unordered_findings(found, expected=4) == []
    assert len(unordered_findings(found, expected=3)) == 2
    assert "the first 7" in unordered_findings(found, expected=0)[0]
