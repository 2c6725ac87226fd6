"""Days ahead exist, old days are gone, old runs are forgotten."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.jobs import archive_ticks, maintain_partitions, restore_day
from services.jobs.runner.job import Desk, FindingError
from tests.conftest import Database
from tests.integration.jobs.ticks import OLD, TODAY, fill, partitions

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Desks = Callable[..., Desk]
ALL = {"trades", "agg_trades", "quotes", "depths"}


def maintain(desk: Desk, **arguments: Any) -> Any:
    return maintain_partitions.run(desk, maintain_partitions.Arguments(**arguments))


def test_the_days_ahead_have_partitions(database: Database, desk: Desks) -> None:
    first = maintain(desk())
    second = maintain(desk())

    assert (first["made"], second["made"]) == (16, 0)
    assert all(partitions(database, TODAY + timedelta(days=ahead)) == ALL for ahead in range(4))
    assert partitions(database, TODAY + timedelta(days=4)) == set()


def test_a_late_run_is_for_its_own_day(database: Database, desk: Desks) -> None:
    maintain(desk(scheduled_for=datetime.now(UTC) - timedelta(days=20)))

    assert partitions(database, TODAY - timedelta(days=20)) == ALL
    assert partitions(database, TODAY) == set()


def test_a_day_that_cannot_be_made_is_found(database: Database, desk: Desks) -> None:
    with database.connect() as connection:
        connection.execute(f"CREATE TABLE trades_{TODAY + timedelta(days=3):%Y%m%d} (a int)")

    with pytest.raises(FindingError, match="no partition for trades of") as raised:
        maintain(desk())

    assert raised.value.result["missing_ahead"] == [f"trades of {TODAY + timedelta(days=3)}"]
    assert raised.value.result["made"] == 15


def test_archived_days_beyond_the_retention_are_dropped(
    database: Database, desk: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.jobs.archive.days.Archive._dropped", lambda *_: False)
    fill(database, rows=100, tables=("trades", "quotes"))
    archive_ticks.run(desk(), archive_ticks.Arguments())

    assert maintain(desk(retention_days=8))["dropped"] == []
    assert maintain(desk(retention_days=7))["dropped"] == [f"trades of {OLD}", f"quotes of {OLD}"]
    assert partitions(database) == set()


def test_a_day_beyond_the_retention_that_is_not_archived_stays_and_is_found(database: Database, desk: Desks) -> None:
    fill(database, rows=100, tables=("trades",))

    with pytest.raises(FindingError, match="not archived"):
        maintain(desk(retention_days=5))

    assert partitions(database) == {"trades"}
    assert maintain(desk(retention_days=0))["not_archived"] == []


def test_a_restored_day_stays(database: Database, desk: Desks) -> None:
    fill(database, rows=100, tables=("trades",))
    archive_ticks.run(desk(), archive_ticks.Arguments())
    restore_day.run(desk(), restore_day.Arguments(day=OLD))

    assert maintain(desk(retention_days=5))["dropped"] == []


def test_ended_runs_are_forgotten_after_a_year_and_a_month(database: Database, desk: Desks) -> None:
    with database.connect() as connection:
        for age, state in ((401, "succeeded"), (401, "running"), (399, "failed")):
            connection.execute(
                "INSERT INTO runs ("
                " job, scheduled_for, task, origin, chain, state, due_at, grace_s, max_age_s, timeout_s)"
                " VALUES (%s, now() - %s * interval '1 day', 'test', 'schedule', '', %s, now(), 1, 1, 1)",
                (f"{state} {age}", age, state),
            )

        assert maintain(desk())["runs_deleted"] == 1
        left = connection.execute("SELECT job FROM runs ORDER BY job").fetchall()
        totals = connection.execute("SELECT sum(runs) FROM run_totals").fetchone()

    assert left == [("failed 399",), ("running 401",)]
    assert totals == (3,)


def test_what_is_in_quarantine_is_counted(database: Database, desk: Desks) -> None:
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO quarantine (feed, shard, entry_id, reason, error, payload)"
            " SELECT 'simulator', 1, '1-1', 'future_time', '', '' FROM generate_series(1, 3)"
        )

    assert maintain(desk())["quarantined"] == {"simulator future_time": 3}
