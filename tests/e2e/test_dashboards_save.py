"""A dashboard that was edited in the real Grafana comes back to its file, and to no other."""

import json
import shutil
from pathlib import Path

import pytest
import requests

from deploy.dashboards import FILES, save
from tests.e2e.stack import Desk

pytestmark = pytest.mark.e2e


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A copy of the dashboards' files."""
    return Path(shutil.copytree(FILES, tmp_path / "dashboards"))


def test_what_nobody_edited_changes_no_file(desk: Desk, files: Path) -> None:
    assert save(desk.url("grafana"), files) == []


def test_an_edit_comes_back_to_its_file(desk: Desk, files: Path) -> None:
    grafana = desk.url("grafana")
    admin = ("admin", desk.compose("exec", "-T", "grafana", "cat", "/run/secrets/admin-password").strip())
    asked = requests.get(f"{grafana}/api/dashboards/uid/trades", timeout=10).json()
    before = json.loads(json.dumps(asked["dashboard"]))
    edited = asked["dashboard"]
    edited["panels"][0]["title"] = "Orders of the month"
    folder = {"folderUid": asked["meta"]["folderUid"], "overwrite": True}
    requests.post(
        f"{grafana}/api/dashboards/db", json={"dashboard": edited, **folder}, auth=admin, timeout=10
    ).raise_for_status()
    try:
        assert save(grafana, files) == [files / "trades.json"]
        now = json.loads((files / "trades.json").read_text(encoding="utf-8"))
        assert now["panels"][0]["title"] == "Orders of the month"
        original = json.loads((FILES / "trades.json").read_text(encoding="utf-8"))
        now["panels"][0]["title"] = original["panels"][0]["title"]
        assert now == original
    finally:
        requests.post(
            f"{grafana}/api/dashboards/db", json={"dashboard": before, **folder}, auth=admin, timeout=10
        ).raise_for_status()
