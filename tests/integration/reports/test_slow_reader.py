"""The reports' totals, reckoned anew from the rows, one by one, by another way than theirs."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from psycopg.rows import dict_row
from starlette.testclient import TestClient

from tests.conftest import Database
from tests.golden import week

pytestmark = pytest.mark.integration

BEGIN = datetime(2026, 11, 19, tzinfo=UTC)
END = BEGIN + timedelta(days=1)


@pytest.fixture(scope="module")
def said(client: TestClient) -> dict[str, Any]:
    return dict(client.get(f"/reports/daily/{week.DAY}").json())


@pytest.fixture(scope="module")
def review(client: TestClient) -> dict[str, Any]:
    return dict(client.get(f"/reports/weekly/{week.DAY}").json())


@pytest.fixture(scope="module")
def rows(filled: Database) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table that a report reads."""
    tables = (
        "bars",
        "completeness",
        "gaps",
        "runs",
        "alert_history",
        "daily_facts",
        "log_errors",
        "log_counts",
        "orders",
    )
    with filled.connect() as connection, connection.cursor(row_factory=dict_row) as cursor:
        return {table: cursor.execute(f"TABLE {table}").fetchall() for table in tables}


def of_the_day(rows: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    return [row for row in rows if BEGIN <= row[column] < END]


def test_prices_are_those_of_the_minutes(said: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> None:
    minutes: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(of_the_day(rows["bars"], "time"), key=lambda row: row["time"]):
        minutes[row["symbol_id"]].append(row)

    assert {one["symbol_id"] for one in said["prices"]} == set(minutes)
    for one in said["prices"]:
        bars = minutes[one["symbol_id"]]
        assert (one["open"], one["close"]) == (bars[0]["open"], bars[-1]["close"])
        assert one["high"] == max(bar["high"] for bar in bars)
        assert one["low"] == min(bar["low"] for bar in bars)
        assert one["trades"] == sum(bar["trades"] for bar in bars)
        assert one["volume"] == pytest.approx(sum(bar["volume"] for bar in bars))
        assert one["minutes"] == len(bars)
        before = max(
            (row for row in rows["bars"] if row["symbol_id"] == one["symbol_id"] and row["time"] < BEGIN),
            key=lambda row: row["time"],
        )
        assert one["change_percent"] == pytest.approx(100 * (bars[-1]["close"] - before["close"]) / before["close"])


def test_completeness_is_that_of_the_minutes(said: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> None:
    checked = [row for row in rows["completeness"] if row["day"] == week.DAY and row["minutes"] > row["unchecked"]]
    complete = sum(row["complete"] for row in checked)
    minutes = sum(row["minutes"] - row["unchecked"] for row in checked)

    assert said["figures"]["complete_percent"] == pytest.approx(100 * complete / minutes)
    assert said["figures"]["least_percent"] == min(row["percent"] for row in checked)
    assert len(said["completeness"]) == sum(row["day"] == week.DAY for row in rows["completeness"])


def test_gaps_are_counted_one_by_one(said: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> None:
    opened = of_the_day(rows["gaps"], "opened_at")
    states = Counter(row["state"] for row in opened)
    fills = sorted((row["updated_at"] - row["opened_at"]).total_seconds() for row in opened if row["state"] == "filled")

    gaps = said["gaps"]
    assert gaps["opened"] == len(opened) == len(gaps["listed"])
    assert (gaps["filled"], gaps["open"], gaps["unfillable"]) == (
        states["filled"], states["open"] + states["filling"], states["unfillable"],
    )  # fmt: skip
    assert gaps["ids"] == sum(row["to_id"] - row["from_id"] + 1 for row in opened if row["from_id"] is not None)
    assert gaps["missing_ids"] == sum(piece.upper - piece.lower for row in opened for piece in row["missing"] or [])
    assert (gaps["median_fill_s"], gaps["longest_fill_s"]) == ((fills[0] + fills[1]) / 2, fills[-1])


def test_runs_are_counted_one_by_one(said: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> None:
    states = Counter(row["state"] for row in of_the_day(rows["runs"], "scheduled_for"))

    assert {state: said["runs"][state] for state in ("succeeded", "failed", "missed", "skipped")} == {
        state: states[state] for state in ("succeeded", "failed", "missed", "skipped")
    }
    assert len(said["runs"]["bad"]) == states["failed"] + states["missed"]


def test_alerts_are_counted_one_by_one(said: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> None:
    urgent = [row for row in rows["alert_history"] if row["tier"] in {"critical", "warning"}]
    present = [row for row in urgent if row["started_at"] < END and (row["ended_at"] or END) >= BEGIN]
    new = [row for row in present if row["started_at"] >= BEGIN]

    alerts = said["alerts"]
    assert {one["alert_id"] for one in alerts["listed"]} == {row["alert_id"] for row in present}
    assert alerts["fired"] == len(new)
    assert alerts["told"] == said["figures"]["alerts_told"] == sum(row["told_at"] is not None for row in new)
    assert alerts["acknowledged"] == sum(row["acknowledged_at"] is not None for row in new)
    assert alerts["firing"] == sum(row["ended_at"] is None or row["ended_at"] >= END for row in present)


def test_errors_are_counted_one_by_one(said: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> None:
    today = [row for row in rows["log_errors"] if row["day"] == week.DAY]
    earlier = {row["fingerprint"] for row in rows["log_errors"] if row["day"] < week.DAY}

    assert said["figures"]["error_lines"] == sum(row["lines"] for row in today)
    assert said["figures"]["new_errors"] == sum(row["fingerprint"] not in earlier for row in today)
    new = {one["fingerprint"] for one in said["errors"]["errors"] if one["novelty"] == "new"}
    assert new == {row["fingerprint"] for row in today} - earlier


def test_headroom_is_what_was_measured(said: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> None:
    facts = {(row["fact"], row["subject"]): row["value"] for row in rows["daily_facts"] if row["day"] == week.DAY}
    room = said["headroom"]

    assert room["downtime_s"] == facts["downtime_s", ""]
    assert {one["volume"]: one["free_ratio"] for one in room["volumes"]} == {
        "spool": facts["disk_free_ratio_min", "spool"]
    }
    for one in room["services"]:
        assert one["memory_peak_bytes"] == facts["memory_peak_bytes", one["service"]]
        assert one["restarts"] == facts.get(("restarts", one["service"]), 0)
        assert one["down_s"] == facts.get(("down_s", one["service"]), 0)


def test_profit_is_what_pairing_the_orders_by_hand_gives(said: dict[str, Any]) -> None:
    momentum = Decimal("0.2") * (Decimal("65100.5") - Decimal(64_000))
    anna = 4 * (Decimal("3450.25") - Decimal(3461))

    assert {one["trader"]: Decimal(one["profit"]) for one in said["profit"]} == {"momentum": momentum, "anna": anna}


def test_a_week_is_the_sum_of_its_days(
    client: TestClient, review: dict[str, Any], rows: dict[str, list[dict[str, Any]]]
) -> None:
    days = [client.get(f"/reports/daily/{week.MONDAY + timedelta(days=offset)}").json() for offset in range(7)]
    goals = {one["name"]: one["value"] for one in review["goals"]}

    assert goals["unplanned downtime"] == sum(one["figures"]["downtime_s"] or 0 for one in days)
    assert goals["pages"] == sum(one["figures"]["pages"] for one in days)
    assert [one["verdict"] for one in review["days"]] == [one["verdict"] for one in days]
    fired = Counter(
        row["name"]
        for row in rows["alert_history"]
        if row["tier"] != "info" and week.MONDAY <= row["started_at"].date() <= week.MONDAY + timedelta(days=6)
    )
    assert {one["name"]: one["fired"] for one in review["rules"] if one["fired"]} == dict(fired)
    assert {one["name"] for one in review["rules"]} - set(fired) == {"StorageStalled"}  # silent, but known for 90 days


def test_interventions_are_acts_half_an_hour_apart(
    review: dict[str, Any], rows: dict[str, list[dict[str, Any]]]
) -> None:
    begin, end = datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
    moments = [row["acknowledged_at"] for row in rows["alert_history"] if row["acknowledged_at"] is not None]
    moments += [row["created_at"] for row in rows["runs"] if row["origin"] in {"hand", "request"}]
    acted = sorted(moment for moment in moments if begin <= moment < end)
    first = [
        moment for moment in acted if not any(timedelta(0) < moment - one <= timedelta(minutes=30) for one in acted)
    ]

    assert [datetime.fromisoformat(one["begin"]) for one in review["interventions"]] == first
