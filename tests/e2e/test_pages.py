"""The api's own pages in a browser, with and without a token."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import site
from tests.e2e.stack import Desk

pytestmark = pytest.mark.e2e
TOKEN = "a token of the end-to-end test"
EVERYWHERE = {
    "/", "/alerts", "/docs", "/gaps", "/reports", "/reports/daily/{day}", "/reports/logs/{day}", "/reports/trades",
    "/reports/weekly/{day}", "/runbooks", "/runbooks/{name}", "/runs", "/runs/{run_id}", "/symbols",
    "/symbols/{feed}/{symbol}",
}  # fmt: skip
"""Kinds of pages that a desk has from its first minutes on."""


@pytest.fixture
def watched(page: Page) -> Iterator[Page]:
    """A page whose every complaint fails the test, and which loads nothing from elsewhere."""
    complaints: list[str] = []
    hosts: set[str] = set()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    yield page
    assert complaints == []
    assert len(hosts) == 1


def test_the_index_shows_what_runs_and_the_last_prices(desk: Desk, watched: Page) -> None:
    watched.goto(desk.url("api"))

    expect(watched.locator("#whole strong")).to_have_text("ok", timeout=30_000)
    expect(watched.locator("#prices tr")).to_have_count(5, timeout=30_000)
    expect(watched.locator("#parts")).to_contain_text("feed/simulator")


def test_the_docs_list_what_can_be_asked_without_a_cdn(desk: Desk, watched: Page) -> None:
    watched.goto(f"{desk.url('api')}/docs")

    described = watched.request.get(f"{desk.url('api')}/openapi.json").json()["paths"]
    operations = sum(len(methods) for methods in described.values())
    expect(watched.locator("section.operation")).to_have_count(operations, timeout=30_000)
    expect(watched.locator("#operations")).to_contain_text("/bars")


def test_every_page_of_the_site_is_found_on_a_phone_and_nothing_is_wrong_with_it(desk: Desk, browser: Browser) -> None:
    desk.wait_until("ok")

    visits = site.crawl(browser, desk.url("api"), size=site.PHONE)

    assert [f"{one.path}: {fault}" for one in visits.values() for fault in one.faults] == []
    assert {one.kind for one in visits.values() if one.is_page} >= EVERYWHERE


def test_the_alerts_page_says_who_would_be_woken_and_takes_a_silence_from_the_keyboard(
    desk: Desk, watched: Page
) -> None:
    desk.wait_until("ok")
    watched.set_viewport_size({"width": 390, "height": 800})
    watched.goto(desk.url("api"))
    watched.get_by_role("button", name="Menu").click()
    watched.get_by_role("navigation").get_by_role("link", name="Alerts").click()
    expect(watched.get_by_role("status")).to_contain_text("Nobody would be woken: no channel is configured.")
    assert watched.evaluate("document.documentElement.scrollWidth") == 390

    watched.get_by_text("Silence alerts for a while").press("Enter")
    watched.get_by_label("Which alerts").last.fill("alertname=SymbolSilent, symbol=BTC.*")
    watched.get_by_label("For how many hours").last.fill("0.5")
    watched.get_by_label("Why").last.fill("a test")
    watched.get_by_label("Why").last.press("Enter")
    silence = watched.get_by_role("article").filter(has_text="alertname=SymbolSilent, symbol=BTC.*")
    expect(silence).to_contain_text("by the alerts page: a test")

    silence.get_by_role("button", name="End silence").press("Enter")
    expect(silence).to_have_count(0)


@pytest.fixture
def guarded(desk: Desk) -> Iterator[str]:
    """The same stack with API_TOKEN set."""
    with_token = Desk(API_TOKEN=TOKEN)
    with_token.up("--no-deps", "api")
    yield with_token.url("api")
    desk.up("--no-deps", "api")


def test_a_token_is_asked_for_once(guarded: str, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{guarded}/docs")
    page.get_by_label("API token").fill("a guess")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("That is not the token.")

    page.get_by_label("API token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("section.operation").first).to_be_visible(timeout=30_000)

    page.goto(guarded)
    expect(page.locator("#prices tr")).to_have_count(5, timeout=30_000)
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert TOKEN not in cookie["value"]

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("API token")).to_be_visible()
    context.close()
