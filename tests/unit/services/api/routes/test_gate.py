import pytest

from tests.unit.services.api.desk import OUTSIDE, TOKEN, a_client

HTML = {"Accept": "text/html,*/*;q=0.8"}


def asked_for(uri: str, method: str = "GET") -> dict[str, str]:
    return OUTSIDE | {"X-Forwarded-Uri": uri, "X-Forwarded-Method": method}


@pytest.mark.parametrize("token", [None, TOKEN])
def test_who_brings_the_token_is_let_through(token: str | None) -> None:
    client = a_client(token=token, login_token=TOKEN)

    answer = client.get("/gate", headers=asked_for("/grafana/") | {"Authorization": f"Bearer {TOKEN}"})

    assert answer.status_code == 204


def test_who_is_logged_in_is_let_through() -> None:
    client = a_client(login_token=TOKEN)
    client.base_url = client.base_url.copy_with(scheme="https")
    client.post("/login", data={"token": TOKEN}, headers=OUTSIDE)

    assert client.get("/gate", headers=asked_for("/grafana/")).status_code == 204


@pytest.mark.parametrize(
    ("uri", "location"),
    [
        ("/grafana/d/desk?orgId=1", "/login?next=%2Fgrafana%2Fd%2Fdesk"),
        ("/grafana/a%20b", "/login?next=%2Fgrafana%2Fa%2520b"),
        ("//evil.example.com", "/login?next=%2F"),
        ("https://evil.example.com/", "/login?next=%2F"),
    ],
)
def test_a_browser_is_sent_to_the_login_and_from_there_to_where_it_wanted(uri: str, location: str) -> None:
    answer = a_client(login_token=TOKEN).get("/gate", headers=asked_for(uri) | HTML)

    assert (answer.status_code, answer.headers["location"]) == (303, location)


@pytest.mark.parametrize(
    "headers",
    [
        asked_for("/grafana/api/search"),
        asked_for("/grafana/api/search") | {"Accept": "application/json"},
        asked_for("/silences", "POST") | HTML,
        asked_for("/grafana/") | {"Authorization": "Bearer guess"},
    ],
)
def test_everything_else_is_refused(headers: dict[str, str]) -> None:
    assert a_client(login_token=TOKEN).get("/gate", headers=headers).status_code == 401


def test_on_this_machine_without_a_token_it_is_open() -> None:
    assert a_client(login_token=TOKEN).get("/gate").status_code == 204
