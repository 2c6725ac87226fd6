"""Every panel of every dashboard is drawn with data, a minute after the first start."""

import time

import pytest
from playwright.sync_api import Page

from tests.e2e.browser import dashboards, look_at, panels_of
from tests.e2e.stack import Desk

pytestmark = pytest.mark.e2e
FIRST_MINUTE_S = 60.0


def test_every_panel_of_every_dashboard_is_drawn_with_data(desk: Desk, page: Page) -> None:
    grafana = desk.url("grafana")
    time.sleep(max(0.0, desk.started_s + FIRST_MINUTE_S - time.monotonic()))
    found = dashboards(grafana)
    assert "desk" in found

    for uid, model in found.items():
        wanted = panels_of(model)
        seen = look_at(page, f"{grafana}/d/{uid}?kiosk", panels=len(wanted))

        assert seen.errors == []
        assert len(seen.panels) == len(wanted)
        assert [panel for panel in seen.panels if not panel.drawn] == []
        assert [panel["title"] for panel in wanted if not seen.rows.get(str(panel["id"]))] == []


def test_the_desk_is_what_an_anonymous_viewer_sees_first(desk: Desk, page: Page) -> None:
    page.goto(desk.url("grafana"))

    page.get_by_test_id("data-testid Panel header Data flowing").wait_for(timeout=60_000)
    assert page.get_by_text("BTCUSDT").first.is_visible()


def test_another_symbol_can_be_chosen(desk: Desk, page: Page) -> None:
    grafana = desk.url("grafana")
    wanted = panels_of(dashboards(grafana)["desk"])

    seen = look_at(page, f"{grafana}/d/desk?kiosk&var-symbol=simulator%20ETHUSDT", panels=len(wanted))

    titles = {panel.title for panel in seen.panels}
    assert "Candles and volume: ETHUSDT" in titles
    assert all(panel.drawn for panel in seen.panels)


@pytest.mark.parametrize(
    ("uid", "jobs", "since"),
    [("trades", ["demo_trades"], "now-60d"), ("logs", ["demo_logs", "log_digest"], "now-3d")],
)
def test_what_the_demos_made_is_drawn(desk: Desk, page: Page, uid: str, jobs: list[str], since: str) -> None:
    for job in jobs:
        desk.compose("exec", "-T", "jobs", "python", "-m", "services.jobs.hand", job)
    grafana = desk.url("grafana")
    wanted = panels_of(dashboards(grafana)[uid])

    seen = look_at(page, f"{grafana}/d/{uid}?kiosk&from={since}&to=now", panels=len(wanted))

    assert seen.errors == []
    assert [panel for panel in seen.panels if not panel.drawn or "none yet" in panel.words] == []
