"""The flood and its bare receiver, as processes."""

from pathlib import Path

import pytest

from bench.place import Machine
from bench.rows import limit
from bench.workbench import Workbench, two_cores

pytestmark = pytest.mark.integration


def test_everything_the_flood_sends_is_received(tmp_path: Path) -> None:
    first, second = two_cores()
    bench = Workbench(place=Machine(), scratch=tmp_path, seconds=0.2, first=first, second=second)

    assert limit.measure(bench) > 0
