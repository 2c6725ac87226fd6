"""The fixed week gives the same page, JSON and text, each time and for ever."""

import json
import re

import pytest
from starlette.testclient import TestClient

from tests.golden import is_golden, week

pytestmark = pytest.mark.integration

REPORTS = {"daily": f"/reports/daily/{week.DAY}", "weekly": f"/reports/weekly/{week.DAY}"}


def asked(client: TestClient, path: str, form: str) -> str:
    answer = client.get(path, params={"format": form})
    assert answer.status_code == 200, answer.text
    return answer.text


def main_of(page: str) -> str:
    """What is the report's own in a page; what surrounds every page is not."""
    found = re.search(r"<h1>.*(?=</main>)", page, re.DOTALL)
    assert found is not None
    return found[0]


@pytest.mark.parametrize("report", REPORTS)
def test_the_page_is_the_golden_one(client: TestClient, report: str) -> None:
    assert is_golden(f"{report}/{week.DAY}.html", main_of(asked(client, REPORTS[report], "html")) + "\n")


@pytest.mark.parametrize("report", REPORTS)
def test_the_json_is_the_golden_one(client: TestClient, report: str) -> None:
    said = json.loads(asked(client, REPORTS[report], "json"))

    assert is_golden(f"{report}/{week.DAY}.json", json.dumps(said, indent=1, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("report", REPORTS)
def test_the_text_is_the_golden_one(client: TestClient, report: str) -> None:
    assert is_golden(f"{report}/{week.DAY}.txt", asked(client, REPORTS[report], "text"))


@pytest.mark.parametrize("name", ["price-1", "price-3", "errors"])
def test_a_picture_is_the_golden_one(client: TestClient, name: str) -> None:
    answer = client.get(f"{REPORTS['daily']}/charts/{name}.svg")

    assert answer.headers["content-type"] == "image/svg+xml"
    assert is_golden(f"daily/{week.DAY}-{name}.svg", answer.text)


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("form", ["html", "json", "text"])
def test_a_report_that_is_made_again_is_the_same(client: TestClient, report: str, form: str) -> None:
    assert asked(client, REPORTS[report], form) == asked(client, REPORTS[report], form)


def test_no_line_of_the_text_is_wider_than_a_terminal(client: TestClient) -> None:
    for path in REPORTS.values():
        assert max(map(len, asked(client, path, "text").splitlines())) <= 80


def test_a_browser_gets_the_page_a_terminal_the_text_a_program_json(client: TestClient) -> None:
    forms = {"text/html": "text/html", "text/plain": "text/plain", "*/*": "application/json"}

    for accepted, form in forms.items():
        answer = client.get(REPORTS["daily"], headers={"Accept": accepted})
        assert answer.headers["content-type"].startswith(form)


def test_the_days_are_listed_newest_first_with_their_verdicts(client: TestClient) -> None:
    said = client.get("/reports", params={"before": "2026-11-23"}).json()

    assert {one["day"]: one["verdict"]["level"] for one in said["days"]} == {
        "2026-11-22": "look", "2026-11-21": "good", "2026-11-20": "look", "2026-11-19": "look", "2026-11-18": "good",
        "2026-11-17": "look", "2026-11-16": "good",
    }  # fmt: skip
    assert [one["day"] for one in said["days"]] == sorted((one["day"] for one in said["days"]), reverse=True)
    assert [one["monday"] for one in said["weeks"]] == ["2026-11-16"]
    older = client.get("/reports", params={"before": said["next"]}).json()["days"]
    assert [one["day"] for one in older] == ["2026-10-01"]


def test_the_list_judges_as_the_page_does(client: TestClient) -> None:
    for one in client.get("/reports", params={"before": "2026-11-23"}).json()["days"]:
        assert client.get(one["report"]).json()["verdict"] == one["verdict"]


def test_a_day_of_which_nothing_is_known_says_so(client: TestClient) -> None:
    said = client.get("/reports/daily/2025-01-01").json()

    assert said["verdict"]["level"] == "unknown"
    assert "Nothing is known of this day" in client.get("/reports/daily/2025-01-01?format=html").text


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_there_is_no_report_of_a_day_beyond_any_calendar(client: TestClient, day: str) -> None:
    assert client.get(f"/reports/daily/{day}").status_code == 404
    assert client.get(f"/reports/weekly/{day}").status_code == 404


@pytest.mark.parametrize("day", ["0", "1700000000", "2026-11-31", "yesterday"])
def test_what_is_no_day_is_refused(client: TestClient, day: str) -> None:
    assert client.get(f"/reports/daily/{day}").status_code == 422


def test_a_symbol_that_is_not_there_has_no_picture(client: TestClient) -> None:
    assert client.get(f"{REPORTS['daily']}/charts/price-99.svg").status_code == 404
