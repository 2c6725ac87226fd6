"""``kill -9`` at random and at the worst moments, in a storm; ``make alerter-kills`` does the same for longer."""

import shutil
from pathlib import Path

import pytest

from tests.alerting.kills import COUNTED, run, totals

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]


def test_whenever_it_is_killed_each_transition_is_told_in_order_and_little_twice(tmp_path: Path) -> None:
    if shutil.which("prometheus") is None:
        pytest.skip("needs prometheus on PATH (on Debian: apt-get install prometheus)")
    outcomes = run(tmp_path, kills=12, alerters=4, seed="1")

    assert [line for one in outcomes for line in one.findings] == []
    sums = totals(outcomes)
    assert sums["kills"] == 12
    assert sums["delivered"] == sums["transitions"] > 0
    assert sums["duplicates"] <= len(COUNTED) * sums["kills"]
