import pytest
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as some
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from services.api.access import COOKIE, SESSION_S, Gate, own_path
from services.api.app import compose
from services.api.attempts import Attempts
from services.api.settings import ApiSettings
from tests.unit.services.api.desk import OUTSIDE, TOKEN, FakeNeighbour, a_client

OPEN_TO_ALL = {
    "/health", "/livez", "/readyz", "/metrics", "/login", "/logout", "/assets/{name}", "/ack/{token}", "/gate",
    "/favicon.ico",
}  # fmt: skip
PAGES = {
    "/", "/docs", "/alerts", "/symbols", "/symbols/simulator/BTC/USD", "/gaps", "/runs", "/runs/7", "/runbooks",
    "/runbooks/FeedSilent",
}  # fmt: skip
OF_FORMS = {
    "/silences/{silence_id}/end", "/runbooks/{name}", "/symbols/{feed}/{symbol:path}",
    "/symbols/{feed}/{symbol:path}/chart.svg",
}  # fmt: skip
ADMITTED = {200, 404, 415, 422}
"""How an operation answers who may ask, and asks for nothing in particular."""

HTML = {"Accept": "text/html,*/*;q=0.8"}


def a_gate(token: str | None = TOKEN, secret: str = "pepper", now_s: float = 1000.0) -> Gate:
    return Gate(token=token, secret=secret, wall_s=lambda: now_s, attempts=Attempts(lambda: now_s))


def logged_in(client: TestClient) -> TestClient:
    answer = client.post("/login", data={"token": TOKEN, "next": "/"})
    assert answer.status_code == 303
    return client


def guarded() -> list[tuple[str, str]]:
    """Every operation that takes the token, by method and path."""
    # FastAPI keeps included routers as they are; the description lists every path it serves.
    paths: dict[str, dict[str, object]] = a_client().app.openapi()["paths"]  # type: ignore[attr-defined]
    described = [(method, path) for path, methods in paths.items() for method in methods if path not in OPEN_TO_ALL]
    return sorted([*described, ("get", "/openapi.json")])


@pytest.mark.parametrize(("method", "path"), guarded())
def test_every_other_path_takes_the_token(method: str, path: str) -> None:
    client = a_client(token=TOKEN)

    refused = client.request(method, path)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert refused.headers["content-type"] == "application/problem+json"
    admitted = client.request(method, path, headers={"Authorization": f"Bearer {TOKEN}"})
    assert admitted.status_code in ADMITTED


@pytest.mark.parametrize("path", ["/health", "/livez", "/readyz", "/metrics", "/login", "/assets/style.css"])
def test_health_and_metrics_are_open_to_all(path: str) -> None:
    assert a_client(token=TOKEN).get(path).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer öpen"])
def test_anything_but_the_token_is_refused(header: str) -> None:
    answer = a_client(token=TOKEN).get("/symbols", headers={b"Authorization": header.encode("latin-1")})

    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/symbols", "/", "/docs", "/openapi.json"])
def test_without_a_token_set_everything_is_open(path: str) -> None:
    assert a_client().get(path).status_code == 200


@pytest.mark.parametrize("path", sorted(PAGES))
def test_a_page_sends_a_browser_to_the_form_and_back(path: str) -> None:
    client = a_client(token=TOKEN)

    sent = client.get(path, headers=HTML)
    assert sent.status_code == 303
    form = client.get(sent.headers["location"])
    assert f'name="next" type="hidden" value="{path}"' in form.text
    assert client.post("/login", data={"token": TOKEN, "next": path}).headers["location"] == path


def test_the_form_gives_a_cookie_that_scripts_and_other_sites_cannot_use() -> None:
    answer = a_client(token=TOKEN).post("/login", data={"token": TOKEN})

    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert TOKEN not in cookie


def test_behind_tls_the_cookie_stays_there() -> None:
    client = a_client(token=TOKEN)
    client.base_url = client.base_url.copy_with(scheme="https")

    assert "Secure" in client.post("/login", data={"token": TOKEN}).headers["set-cookie"]


def test_the_cookie_opens_pages_and_what_they_ask() -> None:
    client = logged_in(a_client(token=TOKEN))

    assert [client.get(path).status_code for path in ("/", "/docs", "/openapi.json", "/symbols")] == [200] * 4


def test_logging_out_forgets_the_cookie() -> None:
    client = logged_in(a_client(token=TOKEN))

    client.post("/logout")

    assert client.get("/symbols").status_code == 401


def test_a_wrong_token_gives_the_form_again_and_no_cookie() -> None:
    answer = a_client(token=TOKEN).post("/login", data={"token": "guess", "next": "/docs"})

    assert answer.status_code == 401
    assert "That is not the token." in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)
def test_a_form_from_another_site_logs_nobody_in_or_out(headers: dict[str, str]) -> None:
    client = a_client(token=TOKEN)

    answer = client.post("/login", data={"token": TOKEN}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert "set-cookie" not in client.post("/logout", headers=headers).headers


def test_the_form_from_our_own_page_is_taken() -> None:
    headers = {"Origin": "http://desk", "Sec-Fetch-Site": "same-origin"}

    assert a_client(token=TOKEN).post("/login", data={"token": TOKEN}, headers=headers).status_code == 303


def test_without_a_secret_there_is_no_gate() -> None:
    with pytest.raises(ValueError, match="session secret"):
        a_gate(secret="")


def test_without_a_secret_set_each_process_has_one_of_its_own() -> None:
    settings = ApiSettings.model_validate({"api_token": TOKEN})
    one, other = (compose(settings, CollectorRegistry()).state.gate for _ in range(2))

    assert one.holds(one.session())
    assert not other.holds(one.session())


def test_a_session_ends_by_itself() -> None:
    cookie = a_gate(now_s=1000.0).session()

    assert a_gate(now_s=1000.0 + SESSION_S - 1).holds(cookie)
    assert not a_gate(now_s=1000.0 + SESSION_S + 1).holds(cookie)


def test_a_new_token_or_secret_ends_every_session() -> None:
    cookie = a_gate().session()

    assert not a_gate(token="another").holds(cookie)
    assert not a_gate(secret="salt").holds(cookie)


@pytest.mark.parametrize("cookie", ["", ".", "9999999999", "9999999999.", "x.y", "٣.a", "9999999999.é"])
def test_a_forged_cookie_is_refused(cookie: str) -> None:
    assert not a_gate().holds(cookie)


def test_a_longer_life_cannot_be_written_into_a_cookie() -> None:
    ends, _, signature = a_gate().session().partition(".")

    assert not a_gate().holds(f"{int(ends) + 1}.{signature}")


def test_without_a_token_nobody_can_be_logged_in() -> None:
    gate = a_gate(token=None)

    assert not gate.knows("")
    assert not gate.holds(gate.session())


def test_a_cookie_of_any_bytes_is_refused_and_no_error() -> None:
    client = a_client(token=TOKEN)

    assert client.get("/symbols", headers={b"Cookie": f"{COOKIE}=\xff\xfe.\xff".encode("latin-1")}).status_code == 401


@pytest.mark.parametrize(
    ("asked", "gone_to"),
    [
        ("/docs", "/docs"),
        ("//evil", "/"),
        ("/\\evil", "/"),
        ("https://evil/docs", "/"),
        ("evil", "/"),
        ("", "/"),
        ("/a b", "/a%20b"),
        ("/a\r\nX: y", "/"),
        ("http://[", "/"),
    ],
)
def test_after_the_login_one_stays_here(asked: str, gone_to: str) -> None:
    assert own_path(asked) == gone_to


def test_every_route_is_one_of_those_known_here() -> None:
    app = a_client().app
    known = OPEN_TO_ALL | PAGES | OF_FORMS | {path for _, path in guarded()}

    served = {route.path for route in app.routes if isinstance(route, APIRoute)}  # type: ignore[attr-defined]

    assert served <= known


# --- through the proxy ---


@pytest.mark.parametrize(("method", "path"), guarded())
def test_from_outside_a_token_is_needed_where_none_is_set(method: str, path: str) -> None:
    client = a_client(login_token=TOKEN)

    assert client.request(method, path).status_code in ADMITTED
    assert client.request(method, path, headers=OUTSIDE).status_code == 401
    admitted = client.request(method, path, headers=OUTSIDE | {"Authorization": f"Bearer {TOKEN}"})
    assert admitted.status_code in ADMITTED


@pytest.mark.parametrize("said", ["yes", "no", ""])
def test_whatever_the_proxys_header_says_it_is_there(said: str) -> None:
    assert a_client(login_token=TOKEN).get("/symbols", headers={"X-Nightdesk-Outside": said}).status_code == 401


def test_the_users_token_comes_before_the_one_that_was_made() -> None:
    client = a_client(token=TOKEN, login_token="made at the first start")

    assert client.get("/symbols", headers=OUTSIDE | {"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    made = OUTSIDE | {"Authorization": "Bearer made at the first start"}
    assert client.get("/symbols", headers=made).status_code == 401


def test_from_outside_nobody_is_let_in_while_there_is_no_token_at_all() -> None:
    client = a_client()

    assert client.get("/symbols", headers=OUTSIDE | {"Authorization": "Bearer "}).status_code == 401
    assert client.post("/login", data={"token": ""}, headers=OUTSIDE).status_code == 401


def test_who_logs_in_from_outside_is_known_there_by_a_cookie_for_tls() -> None:
    client = a_client(login_token=TOKEN)
    client.base_url = client.base_url.copy_with(scheme="https")
    answer = client.post("/login", data={"token": TOKEN, "next": "/alerts"}, headers=OUTSIDE)

    assert answer.headers["location"] == "/alerts"
    assert "secure" in answer.headers["set-cookie"].lower()
    assert client.get("/symbols", headers=OUTSIDE).status_code == 200


def test_the_form_says_which_token_it_asks_for() -> None:
    assert ">API token</label>" in a_client(token=TOKEN).get("/login", headers=OUTSIDE).text
    assert ">Login token</label>" in a_client(login_token=TOKEN).get("/login", headers=OUTSIDE).text


def test_from_outside_the_index_leads_to_grafana_behind_the_proxy_and_not_to_prometheus() -> None:
    client = a_client(login_token=TOKEN)

    text = client.get("/", headers=OUTSIDE | {"Authorization": f"Bearer {TOKEN}"}).text

    assert 'href="/grafana/"' in text
    assert "localhost" not in text


# --- guessing ---


def guessing(client: TestClient, times: int, address: str) -> int:
    """Return the last answer's status."""
    headers = OUTSIDE | {"X-Forwarded-For": address, "Authorization": "Bearer a guess"}
    return [client.get("/symbols", headers=headers).status_code for _ in range(times)][-1]


def test_after_ten_wrong_tokens_from_outside_no_other_of_that_address_is_looked_at() -> None:
    client = a_client(token=TOKEN)
    assert guessing(client, 10, "192.0.2.1") == 401

    headers = OUTSIDE | {"X-Forwarded-For": "192.0.2.1", "Authorization": f"Bearer {TOKEN}"}
    refused = client.get("/symbols", headers=headers)

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert refused.headers["content-type"] == "application/problem+json"


def test_guessing_holds_nobody_else_up() -> None:
    client = a_client(token=TOKEN)
    guessing(client, 11, "192.0.2.1")

    elsewhere = OUTSIDE | {"X-Forwarded-For": "192.0.2.2", "Authorization": f"Bearer {TOKEN}"}
    assert client.get("/symbols", headers=elsewhere).status_code == 200
    form = client.post("/login", data={"token": TOKEN}, headers=OUTSIDE | {"X-Forwarded-For": "192.0.2.1"})
    assert form.status_code == 303


def test_only_the_proxys_own_word_on_an_address_counts() -> None:
    client = a_client(token=TOKEN)
    for number in range(10):
        guessing(client, 1, f"198.51.100.{number}, 192.0.2.1")

    assert guessing(client, 1, "192.0.2.1") == 429


def test_one_network_of_ipv6_is_one_address() -> None:
    client = a_client(token=TOKEN)
    for number in range(10):
        guessing(client, 1, f"2001:db8:1:2::{number}")

    assert guessing(client, 1, "2001:db8:1:2:ffff::1") == 429
    assert guessing(client, 1, "2001:db8:1:3::1") == 401


def test_the_form_refuses_after_ten_guesses_and_says_for_how_long() -> None:
    client = a_client(token=TOKEN)
    for _ in range(10):
        assert client.post("/login", data={"token": "a guess"}).status_code == 401

    answer = client.post("/login", data={"token": TOKEN})

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert "Too many wrong tokens; try again in 60 s." in answer.text


def test_a_program_of_this_machine_with_an_old_token_keeps_no_other_out() -> None:
    client = a_client(token=TOKEN)
    for _ in range(20):
        assert client.get("/symbols", headers={"Authorization": "Bearer old"}).status_code == 401

    assert client.get("/symbols", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


# --- what other sites' pages make a browser ask ---

CHANGING = [(method, path) for method, path in guarded() if method != "get"]


@pytest.mark.parametrize(("method", "path"), [*CHANGING, ("post", "/silences/{silence_id}/end")])
@pytest.mark.parametrize("headers", [{"Origin": "http://evil"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}])
def test_another_sites_page_changes_nothing(method: str, path: str, headers: dict[str, str]) -> None:
    alerter = FakeNeighbour()

    answer = a_client(alerter=alerter).request(method, path.format(alert_id=1, silence_id=1), headers=headers)

    assert answer.status_code == 403
    assert alerter.asked == []


@given(some.text())
def test_whatever_path_is_asked_for_one_stays_here(asked: str) -> None:
    path = own_path(asked)

    assert path.startswith("/")
    assert not path.startswith("//")
    assert path.isascii()
    assert "\\" not in path


@given(some.text())
def test_whatever_the_cookie_says_is_refused_without_an_error(cookie: str) -> None:
    assert not a_gate().holds(cookie)
