"""What every dashboard keeps to, read from its file."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DASHBOARDS = sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
TICK_TABLES = ("trades", "agg_trades", "quotes", "depths")
COLUMNS = 24


def sources() -> set[str]:
    """Return the uids of the data sources that are provisioned."""
    file = ROOT / "grafana" / "provisioning" / "datasources" / "nightdesk.yaml"
    return {one["uid"] for one in yaml.safe_load(file.read_text(encoding="utf-8"))["datasources"]}


def panels(model: dict[str, Any]) -> list[dict[str, Any]]:
    inside = [panel for row in model["panels"] for panel in row.get("panels", [])]
    return [panel for panel in [*model["panels"], *inside] if panel["type"] != "row"]


@pytest.fixture(params=DASHBOARDS, ids=lambda path: path.stem)
def model(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(json.loads(request.param.read_text(encoding="utf-8")))


def test_there_is_a_desk() -> None:
    assert "desk" in {path.stem for path in DASHBOARDS}


def test_its_address_is_its_file_name(request: pytest.FixtureRequest, model: dict[str, Any]) -> None:
    assert f"{model['uid']}.json" in {path.name for path in DASHBOARDS}


def test_panels_have_ids_of_their_own_and_titles_and_descriptions(model: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in panels(model)]

    assert len(set(ids)) == len(ids)
    assert all(panel["title"] and panel["description"] for panel in panels(model))


def test_panels_neither_overlap_nor_leave_the_page(model: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels(model):
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= COLUMNS, panel["title"]
        taken |= cells


def test_every_query_asks_a_provisioned_data_source(model: dict[str, Any]) -> None:
    asked = {target["datasource"]["uid"] for panel in panels(model) for target in panel["targets"]}

    assert asked <= sources()


def test_queries_of_ticks_are_bounded_in_time(model: dict[str, Any]) -> None:
    for panel in panels(model):
        for target in panel["targets"]:
            sql = target.get("rawSql", "")
            if re.search(rf"FROM ({'|'.join(TICK_TABLES)})\b", sql):
                assert "$__timeFilter(time)" in sql, panel["title"]


def test_the_pressure_ratio_has_its_two_lines() -> None:
    desk = json.loads((ROOT / "grafana" / "dashboards" / "desk.json").read_text(encoding="utf-8"))
    (panel,) = (panel for panel in desk["panels"] if panel["title"].startswith("Pressure ratio"))
    defaults = panel["fieldConfig"]["defaults"]

    assert {step["value"] for step in defaults["thresholds"]["steps"]} == {None, 0.5, 2.0}
    assert defaults["custom"]["thresholdsStyle"]["mode"] == "line"
