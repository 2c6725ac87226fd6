"""Bring dashboards that were edited in Grafana back to their files: ``make dashboards-save``.

Grafana shows dashboards to everybody of this machine, so that no password is needed to read them. What it keeps for
itself (its number of the dashboard, the count of its versions) stays out of the files; the rest is written as it is.
"""

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import requests

FILES: Final = Path(__file__).resolve().parents[1] / "grafana" / "dashboards"
TAG: Final = "nightdesk"
PATIENCE_S: Final = (3.05, 15.0)
FILE_VERSION: Final = 1
_UID: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")


def main() -> None:
    """Save every dashboard with the tag ``nightdesk``; ``GRAFANA_URL`` says where, http://127.0.0.1:3000 unless set."""
    address = os.environ.get("GRAFANA_URL", "http://127.0.0.1:3000")
    try:
        changed = save(address, FILES)
    except requests.RequestException as error:
        sys.exit(f"nothing was saved: Grafana at {address} does not answer ({type(error).__name__}); start it: make up")
    print(
        "\n".join(f"saved {path.relative_to(FILES.parents[1])}" for path in changed) or "nothing differs from the files"
    )


def save(address: str, files: Path) -> list[Path]:
    """Write what differs and return those files; raises RequestException when Grafana does not answer."""
    changed = []
    for uid in _uids(address):
        path = files / f"{uid}.json"
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        after = written(_model(address, uid), json.loads(before) if before else {})
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(path)
    return changed


def written(model: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Return a dashboard as its file has it, in the order of the file before, so that a change is a small one."""
    kept = {key: value for key, value in model.items() if key != "id"} | {"version": FILE_VERSION}
    return json.dumps(_ordered(kept, before), indent=2, ensure_ascii=False) + "\n"


def _ordered(value: Any, before: Any) -> Any:  # noqa: ANN401  any JSON
    if isinstance(value, dict):
        known = before if isinstance(before, dict) else {}
        names = [*(name for name in known if name in value), *(name for name in value if name not in known)]
        return {name: _ordered(value[name], known.get(name)) for name in names}
    if isinstance(value, list):
        known_items = before if isinstance(before, list) else []
        return [
            _ordered(one, known_items[place] if place < len(known_items) else None) for place, one in enumerate(value)
        ]
    return value


def _uids(address: str) -> list[str]:
    found = _json(f"{address}/api/search", {"type": "dash-db", "tag": TAG})
    return sorted(one["uid"] for one in found if _UID.fullmatch(one["uid"]))


def _model(address: str, uid: str) -> dict[str, Any]:
    return dict(_json(f"{address}/api/dashboards/uid/{uid}")["dashboard"])


def _json(url: str, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401  any JSON
    answer = requests.get(url, params=query, timeout=PATIENCE_S)
    answer.raise_for_status()
    return answer.json()


if __name__ == "__main__":
    main()
