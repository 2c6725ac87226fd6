import re

import pytest

from services.api.routes.pages import ASSETS
from services.api.templates import fill
from tests.unit.services.api.desk import TOKEN, a_client


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
