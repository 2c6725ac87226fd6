"""The schedule as a person sees it: holes close by themselves, jobs run when asked, workers die and runs do not."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser

from tests.e2e.browser import dashboards, look_at, panels_of
from tests.e2e.stack import Desk, eventually

pytestmark = pytest.mark.e2e

WITHHELD = 25


def runs(desk: Desk, **query: object) -> list[dict[str, Any]]:
    answer = requests.get(f"{desk.url('api')}/runs", params={"limit": 200, **query}, timeout=10)
    answer.raise_for_status()
    return list(answer.json()["runs"])


def run(desk: Desk, run_id: int) -> dict[str, Any]:
    return dict(requests.get(f"{desk.url('api')}/runs/{run_id}", timeout=10).json())


def ask(desk: Desk, job: str, **wanted: object) -> int:
    answer = requests.post(f"{desk.url('api')}/runs", json={"job": job, **wanted}, timeout=10)
    assert answer.status_code == 202, answer.text
    return int(answer.json()["run_id"])


def ended(desk: Desk, run_id: int, within_s: float = 120) -> dict[str, Any]:
    return eventually(
        lambda: run(desk, run_id),
        lambda one: one["state"] in {"succeeded", "failed", "missed", "skipped"},
        within_s=within_s,
        what=f"run {run_id} is over",
    )


@pytest.fixture(scope="module")
def filled(desk: Desk) -> dict[str, Any]:
    """A hole that the exchange's REST has, once it has been filled."""
    desk.wait_until("ok")
    since = desk.query("SELECT now()")[0][0]
    desk.simulator("POST", "faults", fault="gap", symbol="ETHUSDT", count=WITHHELD)

    def hole() -> list[dict[str, Any]]:
        page = requests.get(
            f"{desk.url('api')}/gaps", params={"symbol": "ETHUSDT", "kind": "trade"}, timeout=10
        ).json()["gaps"]
        return [one for one in page if datetime.fromisoformat(one["opened_at"]) > datetime.fromisoformat(since)]

    (gap,) = eventually(
        hole, lambda found: [one["state"] for one in found] == ["filled"], within_s=180, what="the hole is filled"
    )
    return gap


def test_a_hole_is_filled_and_marked_filled_without_a_hand(desk: Desk, filled: dict[str, Any]) -> None:
    stored = desk.query(
        "SELECT count(*), count(DISTINCT trade_id) FROM trades JOIN symbols USING (symbol_id) WHERE symbol = 'ETHUSDT'"
        f" AND trade_id BETWEEN {filled['from_id']} AND {filled['to_id']}"
    )

    assert filled["to_id"] - filled["from_id"] + 1 == WITHHELD
    assert stored == [[str(WITHHELD)] * 2]
    assert desk.query(f"SELECT quality FROM gaps WHERE gap_id = {filled['gap_id']}") == [["trades"]]


def test_verification_follows_in_the_same_chain(desk: Desk, filled: dict[str, Any]) -> None:
    del filled

    def chain() -> dict[str, str]:
        newest = runs(desk, chain="backfill_after_gap")
        return {one["job"]: one["state"] for one in newest if one["scheduled_for"] == newest[0]["scheduled_for"]}

    over = {"backfill_after_gap": "succeeded", "verify_after_gap": "succeeded"}
    eventually(chain, lambda found: found == over, within_s=120, what="both have succeeded")


def test_the_same_key_is_the_same_run(desk: Desk) -> None:
    first = ask(desk, "health_check", idempotency_key="evening-look")
    second = ask(desk, "health_check", idempotency_key="evening-look")

    assert first == second
    assert ended(desk, first)["origin"] == "request"


def test_what_the_schedule_does_not_have_is_refused_in_words(desk: Desk) -> None:
    answer = requests.post(f"{desk.url('api')}/runs", json={"job": "no_such_job"}, timeout=10)

    assert answer.status_code == 422
    assert "no_such_job" in answer.json()["detail"]
    assert "health_check" in answer.json()["detail"]


def test_a_job_by_hand_is_a_run_like_any_other(desk: Desk) -> None:
    said = desk.compose("exec", "-T", "jobs", "python", "-m", "services.jobs.hand", "maintain_partitions")

    assert isinstance(json.loads(said), dict)
    newest = runs(desk, job="maintain_partitions")[0]
    assert (newest["origin"], newest["state"]) == ("hand", "succeeded")


def test_a_run_whose_worker_is_killed_is_taken_back_within_a_minute_and_done(desk: Desk) -> None:
    number = ask(desk, "verify_data", args={"days": 1})
    desk.compose("kill", "--signal", "SIGKILL", "jobs")
    desk.up("--no-deps", "--no-recreate", "jobs")

    over = ended(desk, number, within_s=180)

    assert over["state"] in {"succeeded", "failed"}
    assert over["attempts"] <= over["attempts_allowed"]


def test_two_schedulers_make_each_run_once(desk: Desk) -> None:
    desk.up("--no-deps", "--no-recreate", "--scale", "scheduler=2", "scheduler")
    try:
        numbers = {ask(desk, "maintain_partitions", idempotency_key=f"two-{number}") for number in range(5)}
        done = [ended(desk, number) for number in sorted(numbers)]
    finally:
        desk.up("--no-deps", "--no-recreate", "--scale", "scheduler=1", "scheduler")

    assert {one["state"] for one in done} == {"succeeded"}
    assert {one["attempts"] for one in done} == {1}


def test_runs_of_the_schedule_take_place_by_themselves(desk: Desk) -> None:
    first = [one for one in runs(desk) if one["origin"] == "schedule" and one["state"] == "succeeded"]

    assert {"maintain_partitions", "disk_guard", "health_check"} <= {one["job"] for one in first}
    assert all(datetime.fromisoformat(one["scheduled_for"]) < datetime.now(UTC) for one in first)


@pytest.mark.parametrize("uid", ["schedule", "quality"])
def test_its_dashboards_show_it(desk: Desk, filled: dict[str, Any], browser: Browser, uid: str) -> None:
    del filled
    grafana = desk.url("grafana")
    wanted = panels_of(dashboards(grafana)[uid])
    page = browser.new_page(viewport={"width": 1920, "height": 1800})

    seen = look_at(page, f"{grafana}/d/{uid}?kiosk&from=now-30m&to=now", panels=len(wanted))

    page.close()
    assert seen.errors == []
    assert [panel.title for panel in seen.panels if not panel.drawn] == []
    assert [panel["title"] for panel in wanted if not seen.rows.get(str(panel["id"]))] == []
    words = {panel.title: panel.words for panel in seen.panels}
    if uid == "schedule":
        assert int(words["Workers"]) >= 2  # those that were killed a moment ago may still count
        assert "backfill_after_gap" in words["Last runs"]
    else:
        assert "filled" in words["Gaps"]
        assert "ETHUSDT" in words["Symbols"]
