"""A collector that is killed, as the person reads of it: in Slack, on the page behind the link, in Grafana."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import dashboards, look_at, panels_of
from tests.e2e.stack import Desk, eventually

pytestmark = pytest.mark.e2e

SLACK: Final = "/services/T0/B0/secret"
DEADMAN: Final = "/deadman"
PUBLIC_URL: Final = "https://desk.example.com"
TOLD_WITHIN_S: Final = 30.0


class Said(NamedTuple):
    """One message as Slack took it."""

    wall_s: float
    title: str
    body: str


@pytest.fixture(scope="module")
def reachable(desk: Desk) -> Iterator[Desk]:
    """The same stack, whose alerter has a Slack and somebody who watches its dead-man's switch."""
    told = Desk(
        SLACK_WEBHOOK_URL=f"http://slack:8080{SLACK}",
        DEADMAN_URL=f"http://slack:8080{DEADMAN}",
        PUBLIC_URL=PUBLIC_URL,
        COMPOSE_PROFILES="channels",
    )
    try:
        told.up("--no-deps", "slack", "alerter")
        yield told
    finally:
        told.compose("rm", "--stop", "--force", "slack")
        desk.up("--no-deps", "alerter")


def taken(desk: Desk, path: str) -> list[dict[str, Any]]:
    """Return what the stand-in for the world outside took at a path."""
    printed = desk.compose("logs", "--no-color", "--no-log-prefix", "slack")
    # Compose may put a terminal's control characters before a line.
    lines = [json.loads(line[line.index("{") :]) for line in printed.splitlines() if "{" in line]
    return [line for line in lines if line["path"] == path]


def in_slack(desk: Desk) -> list[Said]:
    bodies = [(one["wall_s"], json.loads(one["body"])) for one in taken(desk, SLACK)]
    return [Said(wall_s, body["text"], json.dumps(body, ensure_ascii=False)) for wall_s, body in bodies]


def began_s(desk: Desk, name: str) -> float:
    """Return since when Prometheus says that a rule's condition holds, Unix seconds."""
    alerts = requests.get(f"{desk.url('prometheus')}/api/v1/alerts", timeout=10).json()["data"]["alerts"]
    (active,) = {one["activeAt"] for one in alerts if one["labels"]["alertname"] == name}
    return datetime.fromisoformat(active[:26].rstrip("Z") + "+00:00").timestamp()


@pytest.fixture(scope="module")
def killed(reachable: Desk) -> Iterator[list[Said]]:
    """What was said after the collector was killed; until the tests are over it stays away."""
    eventually(lambda: taken(reachable, DEADMAN), bool, within_s=90, what="the dead-man's switch is pinged")
    reachable.compose("kill", "collector")
    try:
        yield eventually(lambda: in_slack(reachable), bool, within_s=120, what="a message in Slack")
    finally:
        reachable.up("--no-deps", "collector")


def test_slack_says_what_broke_and_what_to_do_soon_after_the_condition(reachable: Desk, killed: list[Said]) -> None:
    (said,) = killed

    assert said.wall_s - began_s(reachable, "ServiceDown") < TOLD_WITHIN_S
    assert "The collector has not answered" in said.title
    assert "Last good value" in said.body
    assert " of simulator at " in said.body
    assert f"{PUBLIC_URL}/runbooks/ServiceDown" in said.body
    assert f"{PUBLIC_URL}/ack/" in said.body
    assert "secret" not in reachable.compose("logs", "--no-color", "alerter")


def test_the_link_acknowledges_at_its_button_and_the_end_is_told_once(
    reachable: Desk, killed: list[Said], page: Page
) -> None:
    token = killed[0].body.partition(f"{PUBLIC_URL}/ack/")[2].partition("|")[0]
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{reachable.url('api')}/ack/{token}")
    expect(page.get_by_text("The collector has not answered").first).to_be_visible()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("Nobody is called about it any more.")).to_be_visible()

    reachable.up("--no-deps", "collector")

    over = eventually(lambda: in_slack(reachable), lambda all_: "Over" in all_[-1].title, within_s=120, what="an end")
    assert ["Over after" in one.title for one in over] == [False, True]
    assert "The collector has not answered" in over[-1].title


def test_the_dashboard_shows_all_of_it(reachable: Desk, killed: list[Said], browser: Browser) -> None:
    grafana = reachable.url("grafana")
    wanted = panels_of(dashboards(grafana)["alerts"])
    page = browser.new_page(viewport={"width": 1920, "height": 1500})

    seen = look_at(page, f"{grafana}/d/alerts?kiosk&from=now-15m&to=now", panels=len(wanted))

    page.close()
    assert seen.errors == []
    assert [panel.title for panel in seen.panels if not panel.drawn] == []
    assert [panel["title"] for panel in wanted if not seen.rows.get(str(panel["id"]))] == []
    words = {panel.title: panel.words for panel in seen.panels}
    assert words["Channels"] == "1"
    assert words["Pages this week"] == "1"
    assert words["Time to acknowledge, median"] not in {"", "none yet"}
    assert "slack-desk" in words["Deliveries by channel"]
