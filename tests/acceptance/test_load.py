"""Thousands of alerts at once: a few messages, each alert told once, no growth; ``make alerter-load`` for longer."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alerting.load import Scene, calm, findings, policy, standing

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

ALERTS = 5000
STORM = 5
EVERY = "5s"
"""Evaluating so many takes seconds where others work as well; later than its turn it would look like an end."""

QUICK = policy(watch={"every": "1s", "resolve_after": "15s", "settle_after": "0s"}, storm=STORM)
MESSAGES = 2 * (STORM + 1)
"""Over both channels: so many groups by themselves, and all others in one."""

FILE_LIMIT_MB = 40.0
"""Several times what their rows take."""

KEPT_LIMIT_MB = 80.0
"""Of memory that a storm may leave behind; it has held ten times as much in messages and rows meanwhile."""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    if shutil.which("prometheus") is None:
        pytest.skip("needs prometheus on PATH (on Debian: apt-get install prometheus)")
    with Scene(tmp_path, ALERTS, QUICK, every=EVERY) as running:
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
    assert ALERTS + 1 <= during.told <= during.fired
    assert during.messages <= MESSAGES * (2 * during.fired_most - 1)  # once, but where Prometheus let them begin anew
    assert after.messages <= MESSAGES
    assert after.mb_end - during.mb_begin < KEPT_LIMIT_MB
    assert after.file_mb < FILE_LIMIT_MB
