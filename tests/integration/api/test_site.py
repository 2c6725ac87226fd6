"""Every page of the api in a real browser, as a person finds it from ``/``: on a phone, at a desk, by night, by day.

A page complains of nothing, asks nobody else, scrolls no way but down, has no fault that axe-core calls serious, can be
gone through with the Tab key, and says the same where scripts are switched off.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from prometheus_client import CollectorRegistry
from redis import Redis

from deploy.databases import RunningRedis
from services.api.app import compose
from tests.alerting.processes import Alerter
from tests.conftest import Database
from tests.e2e import site
from tests.e2e.browser import chromium
from tests.integration.api.conftest import beside, settings
from tests.integration.api.test_description import served

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

SEED = Path(__file__).with_name("seed_of_the_site.sql")
PAGES = {
    "/", "/alerts", "/docs", "/gaps", "/reports", "/reports/daily/{day}", "/reports/logs/{day}",
    "/reports/logs/{day}/{fingerprint}", "/reports/trades", "/reports/weekly/{day}", "/runbooks", "/runbooks/{name}",
    "/runs", "/runs/{run_id}", "/symbols", "/symbols/{feed}/{symbol}",
}  # fmt: skip
LIVE = {"/", "/symbols", "/symbols/{feed}/{symbol}", "/runs", "/alerts"}
"""Pages whose figures change between two visits."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as running:
            yield running
    except LookupError as error:
        pytest.skip(str(error))


@pytest.fixture
def address(database: Database, alerter: Alerter, redis: Redis, redis_server: RunningRedis) -> Iterator[str]:
    with database.connect() as connection:
        connection.execute(SEED.read_bytes())
    del redis  # empty
    changed = settings(database, redis_url=redis_server.url, **beside(alerter))
    with served(compose(changed, CollectorRegistry())) as running:
        yield running


def faults(visits: dict[str, site.Visit]) -> list[str]:
    return [f"{visit.path}: {fault}" for visit in visits.values() for fault in visit.faults]


def pages(visits: dict[str, site.Visit]) -> set[str]:
    return {visit.kind for visit in visits.values() if visit.is_page}


def test_on_a_phone_every_page_is_found_and_nothing_is_wrong_with_it(browser: Browser, address: str) -> None:
    visits = site.crawl(browser, address, size=site.PHONE)

    assert faults(visits) == []
    assert pages(visits) == PAGES


def test_at_a_desk_every_page_is_found_and_without_scripts_it_says_the_same(browser: Browser, address: str) -> None:
    scripted = site.crawl(browser, address, size=site.DESKTOP)
    plain = site.crawl(browser, address, size=site.DESKTOP, script=False)

    assert faults(scripted) == faults(plain) == []
    assert pages(scripted) == pages(plain) == PAGES
    for kind in PAGES - LIVE:
        assert plain[kind].words == scripted[kind].words
    for kind in LIVE:
        assert len(plain[kind].words) > 0.8 * len(scripted[kind].words) > 0


def test_on_a_phone_the_menu_needs_no_script(browser: Browser, address: str) -> None:
    width, height = site.PHONE
    page = browser.new_page(viewport={"width": width, "height": height}, java_script_enabled=False)
    page.goto(f"{address}/gaps")
    menu = page.get_by_role("navigation", name="Everything")
    assert not menu.is_visible()

    page.get_by_role("button", name="Menu").press("Enter")
    menu.get_by_role("link", name="Runs").click()

    assert page.url == f"{address}/runs"
    page.close()


def test_a_page_brings_itself_up_to_date_and_says_when_it_cannot(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    first = page.locator("#prices").inner_text()
    away = page.locator("#away")
    assert not away.is_visible()

    page.wait_for_function("before => document.querySelector('#prices').innerText !== before", arg=first)
    link = page.locator("#prices a").first
    link.focus()
    page.wait_for_timeout(3000)
    assert link.evaluate("one => one === document.activeElement")
    page.context.set_offline(True)
    away.wait_for(state="visible")
    page.context.set_offline(False)
    away.wait_for(state="hidden")
    page.close()


def test_a_filter_is_a_form_that_asks_by_address(browser: Browser, address: str) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{address}/gaps")
    page.get_by_label("State").select_option("unfillable")
    page.get_by_label("Symbol").fill("BTC/USD")
    page.get_by_role("button", name="Show").click()

    assert page.url == f"{address}/gaps?state=unfillable&symbol=BTC%2FUSD"
    assert set(page.locator("tbody .state").all_inner_texts()) == {"unfillable"}
    page.locator("tbody th a").first.click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("BTC/USD")
    page.close()
