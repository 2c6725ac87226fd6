import json

import pytest

from bench.app import selected
from bench.report import as_json, as_table, figure, results
from bench.rows import ROWS, Row
from bench.workbench import MeasurementError

NOTHING = Row(measure=lambda _bench: 0.0)
TABLE = {"limit": NOTHING, "collector": NOTHING}


def test_a_ratio_is_taken_round_by_round_so_that_a_slow_round_does_not_bend_it() -> None:
    samples = {"limit": [100.0, 40.0, 110.0], "collector": [70.0, 28.0, 77.0]}

    assert results(TABLE, samples)[1].ratio == 0.7


def test_the_file_lists_value_and_limit_of_every_row() -> None:
    samples = {"limit": [100.0], "collector": [65.0]}

    assert json.loads(as_json(results(TABLE, samples)))[1] == {
        "name": "collector",
        "value": 65.0,
        "unit": "messages/s",
        "limit": "limit",
        "limit_value": 100.0,
        "ratio": 0.65,
    }


def test_the_table_shows_the_spread() -> None:
    samples = {"limit": [100.0, 300.0, 200.0]}

    assert as_table(results(TABLE, samples), samples).splitlines()[1].split()[:4] == [
        "limit",
        "200.00",
        "100.00",
        "300.00",
    ]


def test_a_prefix_selects_rows_and_their_limit() -> None:
    assert selected("coll", ROWS) == ["limit", "collector", "collector-picows"]
    assert selected("latency-p99", ROWS) == ["latency-p99", "limit-turn-p99"]
    assert selected("", ROWS) == list(ROWS)


def test_small_figures_keep_two_decimals() -> None:
    assert [figure(value) for value in (302_929.4, 7.753)] == ["302,929", "7.75"]


def test_a_prefix_of_nothing_is_named() -> None:
    with pytest.raises(MeasurementError, match="no row begins with 'x'"):
        selected("x", ROWS)


def test_every_row_is_compared_with_a_row() -> None:
    assert {row.limit for row in ROWS.values()} <= set(ROWS)
