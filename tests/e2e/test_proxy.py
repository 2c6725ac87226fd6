"""The desk from outside: TLS, a login before everything, and acknowledge links that need none."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.browser import TALL_PX, WIDTH_PX, dashboards, look_at, panels_of
from tests.e2e.outside import NAME, Outside, outside_of
from tests.e2e.stack import Desk, eventually
from tests.e2e.test_containers import NO_CAPABILITY, REFUSED, inside, status_of

pytestmark = pytest.mark.e2e

HTML = {"Accept": "text/html,*/*;q=0.8"}
OPEN = {"/login": 200, "/assets/style.css": 200, "/livez": 200, "/ack/nothing": 404}
BEHIND = [
    "/", "/alerts", "/health", "/metrics", "/readyz", "/docs", "/openapi.json", "/symbols", "/silences", "/gate",
    "/runbooks/FeedSilent", "/grafana", "/grafana/", "/grafana/api/search", "/grafana/api/health",
]  # fmt: skip

POST = """
import json, urllib.request
from pathlib import Path
token = Path("/run/secrets/notifications-token").read_text()
body = json.dumps({"level": "critical", "title": "A page of the end-to-end test", "text": "Nothing is wrong."}).encode()
headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
asked = urllib.request.Request("http://127.0.0.1:9100/notifications", body, headers)
print(json.load(urllib.request.urlopen(asked))["alert_id"])
"""
SIGN = """
import sys, time
from pathlib import Path
from services.alerter.links import Links
links = Links(secret=Path("/run/secrets/ack-secret").read_text(), last_s=600)
print(links.sign(int(sys.argv[1]), time.time()))
"""
START = "sh /etc/caddy/start 2>&1; echo $?"


@pytest.fixture(scope="module")
def served(desk: Desk) -> Iterator[Desk]:
    """The same stack with an address, and the proxy beside it."""
    public = Desk(PUBLIC_URL=f"https://{NAME}", COMPOSE_PROFILES="proxy")
    try:
        public.up("--no-deps", "grafana", "alerter", "proxy")
        yield public
    finally:
        public.compose("rm", "--stop", "--force", "proxy")
        desk.up("--no-deps", "grafana", "alerter")


@pytest.fixture(scope="module")
def outside(served: Desk, tmp_path_factory: pytest.TempPathFactory) -> Outside:
    return outside_of(served, tmp_path_factory.mktemp("outside"))


@pytest.fixture(scope="module")
def token(served: Desk) -> str:
    """What ``make password`` prints."""
    return served.compose("exec", "-T", "api", "cat", "/run/secrets/login-token")


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that does not mind who signed."""
    opened = browser.new_context(ignore_https_errors=True, viewport={"width": WIDTH_PX, "height": TALL_PX})
    yield opened
    opened.close()


def log_in(page: Page, address: str, token: str) -> None:
    page.goto(address)
    page.get_by_label("Login token").fill(token)
    page.get_by_role("button", name="Log in").click()


# --- what is open ---


def test_plain_http_leads_to_tls(outside: Outside) -> None:
    answer = requests.get(f"http://{outside.plain}/alerts", headers={"Host": NAME}, allow_redirects=False, timeout=10)

    assert (answer.status_code, answer.headers["location"]) == (308, f"https://{NAME}/alerts")


@pytest.mark.parametrize(("path", "status"), OPEN.items())
def test_what_needs_no_login_answers(outside: Outside, path: str, status: int) -> None:
    answer = outside.ask("GET", path)

    assert answer.status_code == status
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert "server" not in answer.headers


@pytest.mark.parametrize("path", BEHIND)
def test_everything_else_asks_browsers_to_log_in_and_refuses_programs(outside: Outside, path: str) -> None:
    assert outside.ask("GET", path).status_code == 401
    asked = outside.ask("GET", path, HTML)
    assert asked.status_code == 303
    assert asked.headers["location"].startswith("/login?next=%2F")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Nightdesk-Outside": "no"},
        {"X-Nightdesk-Outside": ""},
        {"Connection": "X-Nightdesk-Outside"},
        {"Connection": "close, X-Nightdesk-Outside, X-Forwarded-For"},
        {"X-Forwarded-Uri": "/login", "X-Forwarded-Method": "GET"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Authorization": "Bearer guess"},
        {"Cookie": "nightdesk_session=9999999999.00"},
    ],
)
@pytest.mark.parametrize("path", ["/symbols", "/grafana/api/search"])
def test_nobody_talks_their_way_in(outside: Outside, path: str, headers: dict[str, str]) -> None:
    assert outside.ask("GET", path, headers).status_code == 401


@pytest.mark.parametrize(
    "path", ["/ack/..%2fhealth", "/assets/..%2f..%2fsymbols", "/login%2f..%2fsymbols", "//symbols"]
)
def test_nobody_finds_a_way_around(outside: Outside, path: str) -> None:
    assert outside.ask("GET", path).status_code in {401, 404}


@pytest.mark.parametrize("path", ["/api/v1/query", "/graph", "/sim/state", "/api/v3/time", "/-/healthy"])
def test_prometheus_and_the_simulator_are_not_there(outside: Outside, token: str, path: str) -> None:
    assert outside.ask("GET", path, {"Authorization": f"Bearer {token}"}).status_code == 404


def test_the_token_that_was_made_opens_the_api_and_grafana(outside: Outside, token: str) -> None:
    bearer = {"Authorization": f"Bearer {token}"}

    assert len(outside.ask("GET", "/symbols", bearer).json()["symbols"]) >= 5
    assert "desk" in [one["uid"] for one in outside.ask("GET", "/grafana/api/search", bearer).json()]


# --- a person out there ---


def test_after_the_login_grafana_draws(served: Desk, outside: Outside, token: str, context: BrowserContext) -> None:
    wanted = panels_of(dashboards(f"{served.url('grafana')}/grafana")["desk"])
    log_in(context.new_page(), f"{outside.address()}/alerts", token)

    seen = look_at(context.new_page(), f"{outside.address()}/grafana/d/desk?kiosk", panels=len(wanted))

    assert seen.errors == []
    assert [panel for panel in seen.panels if not panel.drawn] == []
    assert len(seen.panels) == len(wanted)
    (cookie,) = [one for one in context.cookies() if one["name"] == "nightdesk_session"]
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")


def test_the_login_leads_where_one_wanted_to_go(outside: Outside, token: str, context: BrowserContext) -> None:
    page = context.new_page()
    log_in(page, f"{outside.address()}/grafana/d/desk", token)
    page.wait_for_url(re.compile("/grafana/d/desk"))

    page.goto(outside.address())
    ways = page.get_by_role("navigation", name="Everything")
    expect(ways.get_by_role("link", name="Grafana")).to_have_attribute("href", "/grafana/")
    expect(page.get_by_role("link", name="Prometheus")).to_have_count(0)
    expect(page.locator("#prices tr")).to_have_count(5, timeout=30_000)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Login token")).to_be_visible()


def test_an_acknowledge_link_needs_no_login_and_acknowledges_at_its_button_only(
    served: Desk, outside: Outside, token: str, context: BrowserContext
) -> None:
    bearer = {"Authorization": f"Bearer {token}"}
    number = int(served.compose("exec", "-T", "alerter", "python", "-c", POST))

    def alert() -> dict[str, Any]:
        return dict(outside.ask("GET", f"/alerts/{number}", bearer).json())

    told = eventually(alert, lambda one: bool(one["notifications"]), within_s=60, what="the page is made")
    notification = str(told["notifications"][0]["notification_id"])
    signed = served.compose("exec", "-T", "alerter", "python", "-c", SIGN, notification).strip()
    page = context.new_page()
    page.goto(f"{outside.address()}/ack/{signed}")
    expect(page.get_by_role("heading", name="A page of the end-to-end test")).to_be_visible()
    assert alert()["acknowledged_at"] is None

    page.get_by_role("button").click()
    expect(page.get_by_text("Nobody is called about it any more.")).to_be_visible()
    assert alert()["acknowledged_by"] == "link"
    assert context.cookies() == []


# --- the container ---


def test_the_proxy_runs_as_nobody_in_particular_on_a_read_only_root(served: Desk, outside: Outside) -> None:
    status = status_of(served, "proxy")

    assert set(status["Uid"].split()) == {"10001"}
    assert {status["CapEff"], status["CapPrm"], status["CapBnd"]} == {NO_CAPABILITY}
    assert status["NoNewPrivs"] == "1"
    assert inside(served, "proxy", "touch /etc/intruder").splitlines()[-1] == REFUSED


def test_no_token_of_a_link_and_no_login_is_in_the_proxys_log(served: Desk, outside: Outside, token: str) -> None:
    outside.ask("GET", "/ack/12-34-5678", {"Authorization": f"Bearer {token}"})

    said = served.compose("logs", "--no-color", "proxy", "api", "alerter")

    assert "12-34-5678" not in said
    assert token not in said


def test_without_an_address_the_proxy_stops_with_one_sentence(served: Desk, outside: Outside) -> None:
    said = served.compose("run", "--rm", "--no-deps", "-T", "-e", "PUBLIC_URL=", "proxy", "sh", "-c", START)

    assert said.splitlines() == [
        "proxy: set PUBLIC_URL in .env to https:// and a name that leads to this server, as in https://desk.example.com",
        "78",
    ]
