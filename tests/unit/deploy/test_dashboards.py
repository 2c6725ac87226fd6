"""A dashboard as its file has it."""

import json

from deploy.dashboards import FILES, written


def test_a_dashboard_that_nobody_edited_is_its_file() -> None:
    for path in FILES.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        stored = json.loads(text) | {"id": 7, "version": 12}

        assert written(dict(sorted(stored.items())), json.loads(text)) == text


def test_what_is_new_comes_last_and_what_is_gone_is_gone() -> None:
    before = {"uid": "desk", "panels": [{"title": "old", "id": 1}, {"id": 2}], "refresh": "5s", "version": 1}
    model = {"id": 3, "new": True, "panels": [{"id": 1, "title": "new"}], "uid": "desk", "version": 9}

    assert json.loads(written(model, before)) == {
        "uid": "desk",
        "panels": [{"title": "new", "id": 1}],
        "version": 1,
        "new": True,
    }
    assert list(json.loads(written(model, before))) == ["uid", "panels", "version", "new"]
