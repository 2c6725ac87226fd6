"""Pictures of the running desk for the README: ``python -m tests.e2e.screenshots``, after ``make up``."""

import os
import sys
from pathlib import Path
from typing import Final

import requests

from tests.e2e.browser import WIDTH_PX, chromium, dashboards, look_at, panels_of

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
GRID_ROW_PX: Final = 38
"""Grafana's grid: 30 px a row and 8 px between two."""


def main() -> None:
    """Draw every dashboard and the index of the api; exit with a line when nothing runs."""
    grafana = os.environ.get("GRAFANA_URL", "http://127.0.0.1:3000")
    api = os.environ.get("API_URL", "http://127.0.0.1:8000")
    try:
        models = dashboards(grafana)
        requests.get(f"{api}/livez", timeout=5).raise_for_status()
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
        page = browser.new_page(viewport={"width": 1080, "height": 900})
        page.goto(api)
        page.locator("#parts tr").first.wait_for()
        page.wait_for_timeout(500)
        page.screenshot(path=IMAGES / "api.png", full_page=True)
    print("\n".join(str(image) for image in sorted(IMAGES.glob("*.png"))))


if __name__ == "__main__":
    main()
