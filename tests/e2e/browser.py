"""A headless Chromium, Debian's own, and what it sees of a Grafana dashboard."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import requests
from playwright.sync_api import Browser, Error, Page, Response, sync_playwright

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTH_PX: Final = 1920
TALL_PX: Final = 2600
"""Grafana draws a panel once it is in view: a window as tall as the dashboard sees them all."""

DRAWN_MS: Final = 60_000

# A panel is drawn when it says neither that it has no data nor that something failed, does not load, and shows a
# painted canvas or words beyond its title.
LOOK: Final = """
() => [...document.querySelectorAll('[data-testid^="data-testid Panel header "]')].map((header) => {
  const panel = header.closest('[data-panelid], [data-viz-panel-key]') ?? header;
  const title = header.dataset.testid.replace('data-testid Panel header ', '');
  const words = panel.innerText.replace(title, '').trim();
  const painted = [...panel.querySelectorAll('canvas')].some((canvas) => {
    if (!canvas.width || !canvas.height) return false;
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return pixels.some((value, place) => place % 4 === 3 && value > 0);
  });
  const failed = panel.querySelector('[data-testid*="Panel status error"], [aria-label="Panel status"]') !== null;
  const loading = panel.querySelector('[aria-label="Panel loading bar"]') !== null;
  return { title, words, painted, failed, loading, empty: /no data/i.test(words) };
})
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel as it looks."""

    title: str
    words: str
    painted: bool
    failed: bool
    loading: bool
    empty: bool

    @property
    def drawn(self) -> bool:
        """Whether it shows data and no complaint."""
        return (self.painted or bool(self.words)) and not (self.failed or self.loading or self.empty)


@dataclass(slots=True, kw_only=True)
class Dashboard:
    """A dashboard as it was seen: its panels, the rows behind each panel, and everything that went wrong."""

    panels: list[Panel] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser of this machine; raises LookupError when there is none."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise LookupError(f"no browser here: install one of {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def dashboards(grafana: str) -> dict[str, dict[str, Any]]:
    """Return every dashboard's model by its uid."""
    found = requests.get(f"{grafana}/api/search?type=dash-db", timeout=10).json()
    return {
        one["uid"]: requests.get(f"{grafana}/api/dashboards/uid/{one['uid']}", timeout=10).json()["dashboard"]
        for one in found
    }


def panels_of(model: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the panels of a dashboard's model, those in rows included."""
    inside = [panel for row in model["panels"] for panel in row.get("panels", [])]
    return [panel for panel in [*model["panels"], *inside] if panel["type"] != "row"]


def look_at(page: Page, url: str, *, panels: int) -> Dashboard:
    """Open a dashboard and look until all its panels are drawn and every answer was read, or for a minute."""
    seen = Dashboard()
    page.on("response", lambda response: _note(response, seen))
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.goto(url)
    deadline_ms = DRAWN_MS
    while deadline_ms > 0:
        seen.panels = [Panel(**one) for one in page.evaluate(LOOK)]
        answered = len(seen.rows.keys() - {"variables"})
        if min(len(seen.panels), answered) >= panels and all(panel.drawn for panel in seen.panels):
            break
        page.wait_for_timeout(500)
        deadline_ms -= 500
    return seen


def _note(response: Response, seen: Dashboard) -> None:
    """Keep how many values came for each panel, and every error in an answer of a data source."""
    if "/api/ds/query" not in response.url:
        return
    panel = response.request.headers.get("x-panel-id", "variables")
    if response.status != 200:
        seen.errors.append(f"panel {panel}: {response.status} {response.text()[:300]}")
        return
    try:
        results = response.json()["results"]
    except Error:  # the page asked anew before anybody read this answer
        return
    for name, result in results.items():
        if result.get("error"):
            seen.errors.append(f"panel {panel}, query {name}: {result['error']}")
        values = sum(len(frame["data"]["values"][0]) for frame in result.get("frames", []) if frame["data"]["values"])
        seen.rows[panel] = seen.rows.get(panel, 0) + values
