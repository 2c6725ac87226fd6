import re

import pytest

from services.api.routes.pages import ASSETS
from services.api.templates import fill
from tests.unit.services.api.alerts import an_alert
from tests.unit.services.api.desk import OUTSIDE, QUIET, TOKEN, FakeNeighbour, FakeStore, a_client, a_survey, away


@pytest.mark.parametrize("path", ["/", "/docs", "/login?next=/docs"])
def test_a_page_loads_nothing_from_elsewhere(path: str) -> None:
    answer = a_client(token=TOKEN if "login" in path else None).get(path)

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert all(source.startswith("/") for source in re.findall(r'(?:src|rel="stylesheet" href)="([^"]*)"', answer.text))
    assert "<style" not in answer.text
    assert "style=" not in answer.text


@pytest.mark.parametrize("name", sorted(ASSETS))
def test_assets_are_served_with_their_types(name: str) -> None:
    answer = a_client().get(f"/assets/{name}")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == ASSETS[name]
    assert not re.search(r"https?://(?!www\.w3\.org/)", answer.text)


@pytest.mark.parametrize("name", ["index.html", "..%2fapp.py", "nothing.js"])
def test_only_assets_are_served_as_such(name: str) -> None:
    assert a_client().get(f"/assets/{name}").status_code == 404


def test_the_index_links_to_what_runs_beside_it() -> None:
    text = a_client().get("/").text

    assert 'href="http://localhost:3000"' in text
    assert 'href="http://localhost:9090"' in text
    assert "Log out" not in text


def test_who_is_logged_in_can_log_out() -> None:
    client = a_client(token=TOKEN)
    client.post("/login", data={"token": TOKEN})

    assert '<form method="post" action="/logout">' in client.get("/").text


def test_values_in_a_page_are_escaped() -> None:
    assert '"><script>' not in fill("login.html", next='"><script>', complaint="", label="", hint="")


def test_who_is_logged_in_is_not_asked_again() -> None:
    assert a_client().get("/login?next=/docs").headers["location"] == "/docs"


# --- the first page ---


def test_whatever_is_down_the_first_page_comes_and_says_so() -> None:
    client = a_client(
        store=away(), alerter=FakeNeighbour(away=True), survey=a_survey(database_problem="the database does not answer")
    )

    answer = client.get("/")

    assert answer.status_code == 200
    assert answer.text.count("Not known: the database does not answer.") == 2
    assert "Not known: the alerter does not answer: no answer within 2 s." in answer.text
    assert '<strong role="status">down</strong>' in answer.text
    assert 'href="/reports/daily/' in answer.text


def test_the_first_page_names_what_fires_and_what_failed() -> None:
    bad = QUIET | {
        "bad_runs": 1, "open_gaps": 2,
        "worst": [{"run_id": 7, "job": "backup", "state": "failed", "why": "no room\nat all"}],
    }  # fmt: skip
    alerter = FakeNeighbour({("GET", "/alerts"): {"alerts": [an_alert(13)], "next": None}})

    text = a_client(store=FakeStore(answers={"last_day": [bad]}), alerter=alerter).get("/").text

    assert an_alert(13)["summary"] in text
    assert '<a href="/runs/7">backup failed</a> <span class="quiet">no room</span>' in text
    assert 'href="/runs?state=failed"' in text
    assert 'href="/gaps?state=open"' in text


def test_the_first_page_leads_everywhere() -> None:
    text = a_client().get("/").text

    for place in ("/reports", "/alerts", "/symbols", "/gaps", "/runs", "/runbooks", "/docs", "/health?text=true"):
        assert f'href="{place}"' in text


# --- the API's documentation ---


def test_the_documentation_needs_no_script() -> None:
    text = a_client().get("/docs").text

    assert "<script" not in text
    assert "curl http://desk/health" in text


def test_from_outside_its_examples_are_for_outside() -> None:
    headers = OUTSIDE | {"Authorization": f"Bearer {TOKEN}", "Host": "desk.example.com"}

    assert "https://desk.example.com/bars" in a_client(login_token=TOKEN).get("/docs", headers=headers).text


# --- the icon beside what is no page ---


def test_browsers_find_the_icon_where_they_look_for_it() -> None:
    assert a_client(token=TOKEN).get("/favicon.ico").headers["content-type"] == "image/svg+xml"
