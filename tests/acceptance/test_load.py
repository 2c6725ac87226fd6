"""Thousands of alerts at once: a few messages, each alert told once, no growth; ``make alerter-load`` for longer."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alerting.load import Scene, calm, findings, policy, standing

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

ALERTS = 5000
STORM = 5
QUICK = policy(watch={"every": "1s", "resolve_after": "3s", "settle_after": "0s"}, storm=STORM)
FILE_LIMIT_MB = 40.0
"""Several times what their rows take."""

KEPT_LIMIT_MB = 80.0
"""Of memory that a storm may leave behind; it has held ten times as much in messages and rows meanwhile."""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    if shutil.which("prometheus") is None:
        pytest.skip("needs prometheus on PATH (on Debian: apt-get install prometheus)")
    with Scene(tmp_path, ALERTS, QUICK, every="2s") as running:
        yield running


@pytest.mark.parametrize(
    ("metric", "word"),
    [("many_broken", "ManyBroken"), ("each_broken", "EachBroken")],
    ids=["one group", "a group each"],
)
def test_thousands_at_once_are_a_few_messages_and_do_not_hide_what_else_breaks(
    scene: Scene, metric: str, word: str
) -> None:
    during = standing(scene, "during", metric, word, 20.0)
    after = calm(scene, "after", 5.0)

    assert findings([during, after]) == []
    assert during.told == ALERTS + 1
    assert during.messages <= 2 * (STORM + 1)
    assert after.messages <= 2 * (STORM + 1)
    assert after.mb_end - during.mb_begin < KEPT_LIMIT_MB
    assert after.file_mb < FILE_LIMIT_MB
