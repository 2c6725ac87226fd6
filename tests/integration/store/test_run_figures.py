"""What the rows say of a job, for metrics."""

from datetime import UTC, datetime, timedelta

import pytest

from nightdesk.store.database import connect
from nightdesk.store.migrate import WRITER
from nightdesk.store.runs import RunRows
from tests.conftest import Database

pytestmark = pytest.mark.integration

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
RUN = """
INSERT INTO runs (job, scheduled_for, task, origin, chain, state, due_at, grace_s, max_age_s, timeout_s, finished_at)
VALUES ('scan', %s, 'scan', 'schedule', 'scan', %s, now(), 60, 60, 60, %s)
"""


@pytest.mark.parametrize(
    ("newest", "failed_ago_s", "missed_ago_s"),
    [("failed", 30.0, None), ("missed", None, 30.0), ("succeeded", None, 60.0)],
)
def test_the_newest_run_that_did_not_succeed_says_how_and_when(
    database: Database, newest: str, failed_ago_s: float | None, missed_ago_s: float | None
) -> None:
    rows = RunRows(lambda: connect(database.url(WRITER), database.password(WRITER), name="test"))
    with database.connect() as connection:
        for minutes, state, ago_s in ((30, "failed", 90.0), (20, "missed", 60.0), (10, newest, 30.0)):
            ends = NOW - timedelta(seconds=ago_s)
            connection.execute(RUN, (NOW - timedelta(minutes=minutes), state, ends))

    (figures,) = rows.figures(["scan"], NOW)
    rows.close()

    assert figures.failed_at_s == (0.0 if failed_ago_s is None else NOW.timestamp() - failed_ago_s)
    assert figures.missed_at_s == (0.0 if missed_ago_s is None else NOW.timestamp() - missed_ago_s)
    assert figures.failure_for_s == (NOW - timedelta(minutes=20 if newest == "succeeded" else 10)).timestamp()
