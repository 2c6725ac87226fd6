import numpy as np
import pytest

from bench.rows.latency import joined, percentile
from bench.workbench import MeasurementError

MS = 10**6
SECOND = 1000 * MS


def test_a_rows_latency_runs_from_its_own_receipt_to_its_own_turn() -> None:
    rows = np.array([(0, 7, 0), (1, 5, 2 * SECOND + MS), (1, 4, 2 * SECOND)])
    commits = np.array([(0, 7, 0, 9 * MS), (1, 4, 1, 2 * SECOND + 5 * MS), (1, 5, 1, 2 * SECOND + 5 * MS)])

    trades_ms, sizes = joined(rows, commits)

    assert trades_ms.tolist() == [5.0, 4.0]
    assert sizes == [2]


def test_a_row_that_no_turn_committed_is_noticed() -> None:
    rows = np.array([(0, 1, 0), (0, 2, 0)])

    with pytest.raises(MeasurementError, match="2 rows, 1 commits"):
        joined(rows, np.array([(0, 1, 0, MS)]))
    with pytest.raises(MeasurementError, match="not the same trades"):
        joined(rows, np.array([(0, 1, 0, MS), (0, 3, 0, MS)]))


def test_a_commit_before_the_receipt_is_noticed() -> None:
    with pytest.raises(MeasurementError, match=r"2\.000 ms before its receipt"):
        joined(np.array([(0, 1, 3 * MS)]), np.array([(0, 1, 0, MS)]))


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile(np.arange(1.0, 101.0), 99) == 99.0
