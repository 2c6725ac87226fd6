"""Pictures of the running desk for the README: ``python -m tests.e2e.screenshots``, after ``make up``.

The dashboards of Grafana, and the api's pages at a desk and on a phone, the main ones by day and by night.
``REPORT_DAY`` is the day that reports are drawn of, today if not set.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

import requests
from playwright.sync_api import Browser

from tests.e2e.browser import WIDTH_PX, chromium, dashboards, look_at, panels_of
from tests.e2e.site import DESKTOP, PHONE

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
GRID_ROW_PX: Final = 38
"""Grafana's grid: 30 px a row and 8 px between two."""

MAIN: Final = {"desk": "/", "daily": "/reports/daily/{day}"}
OTHERS: Final = {
    "weekly": "/reports/weekly/{day}",
    "logs": "/reports/logs/{day}",
    "trades": "/reports/trades",
    "reports": "/reports",
    "symbol": "/symbols/{feed}/{symbol}",
    "symbols": "/symbols",
    "gaps": "/gaps",
    "runs": "/runs",
    "alerts": "/alerts",
    "api": "/docs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture: of which page, how large, by day or by night."""

    name: str
    path: str
    size: tuple[int, int]
    scheme: Literal["light", "dark"]

    @property
    def file(self) -> Path:
        """Where it is kept: ``page-daily-phone-night.png``."""
        words = ["page", self.name, "phone" if self.size == PHONE else "", "night" if self.scheme == "dark" else ""]
        return IMAGES / f"{'-'.join(filter(None, words))}.png"


def main() -> None:
    """Draw every dashboard and every kind of page; exit with a line when nothing runs."""
    grafana = os.environ.get("GRAFANA_URL", "http://127.0.0.1:3000")
    api = os.environ.get("API_URL", "http://127.0.0.1:8000")
    try:
        models = dashboards(grafana)
        wanted = list(pictures(facts_of(api)))
    except requests.RequestException as error:
        sys.exit(f"nothing to draw: {error}\nstart the desk first: make up")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for uid, model in models.items():
            panels = panels_of(model)
            rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
            page = browser.new_page(viewport={"width": WIDTH_PX, "height": rows * GRID_ROW_PX + 24})
            look_at(page, f"{grafana}/d/{uid}?kiosk", panels=len(panels))
            page.screenshot(path=IMAGES / f"{uid}.png")
            page.close()
        for picture in wanted:
            draw(browser, api, picture)
    print("\n".join(str(image) for image in sorted(IMAGES.glob("*.png"))))


def pictures(facts: dict[str, str]) -> Iterator[Picture]:
    """Yield what is drawn: the main pages in all ways, the others at a desk by day and on a phone by night."""
    for name, path in (MAIN | OTHERS).items():
        at = path.format(**facts)
        yield Picture(name=name, path=at, size=DESKTOP, scheme="light")
        yield Picture(name=name, path=at, size=PHONE, scheme="dark")
        if name in MAIN:
            yield Picture(name=name, path=at, size=DESKTOP, scheme="dark")
            yield Picture(name=name, path=at, size=PHONE, scheme="light")


def facts_of(api: str) -> dict[str, str]:
    """Return the day and the symbol that pages are drawn of; raises RequestException where no api answers."""
    answer = requests.get(f"{api}/symbols", timeout=10)
    answer.raise_for_status()
    first = answer.json()["symbols"][0]
    day = os.environ.get("REPORT_DAY") or datetime.now(UTC).date().isoformat()
    return {"day": day, "feed": first["feed"], "symbol": quote(first["symbol"], safe="")}


def draw(browser: Browser, api: str, picture: Picture) -> None:
    """Draw what a person sees first of a page."""
    width, height = picture.size
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=picture.scheme)
    page.goto(f"{api}{picture.path}", wait_until="load")
    page.screenshot(path=picture.file)
    page.close()


if __name__ == "__main__":
    main()
