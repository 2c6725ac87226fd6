import numpy as np
import pytest

from bench.scale.cell import latencies_ms
from bench.scale.flood import symbols
from bench.workbench import MeasurementError

MS = 1_000_000


def test_latency_is_of_what_was_received_at_the_steady_rate_whichever_worker_had_it() -> None:
    first = np.array([(1000 * MS, 1010 * MS), (5000 * MS, 5900 * MS)], dtype=np.int64)
    second = np.array([(1001 * MS, 1041 * MS)], dtype=np.int64)

    assert latencies_ms([first, second], 1000 * MS, 2000 * MS) == (10.0, 40.0)


def test_nothing_committed_is_no_latency() -> None:
    with pytest.raises(MeasurementError):
        latencies_ms([np.empty((0, 2), dtype=np.int64)], 0, 1)


def test_symbols_have_names_of_one_length() -> None:
    assert symbols(2) == ("S000USDT", "S001USDT")
    assert len({len(name) for name in symbols(500)}) == 1
