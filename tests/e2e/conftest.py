"""One stack and one browser for all end-to-end tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.browser import TALL_PX, WIDTH_PX, chromium
from tests.e2e.stack import UP_LIMIT_S, Desk, engine_missing


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the build of the image as well."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(UP_LIMIT_S + 300))


@pytest.fixture(scope="session")
def desk() -> Iterator[Desk]:
    """A stack that was started from nothing; E2E_KEEP=1 leaves it running for a look."""
    missing = engine_missing()
    if missing:
        pytest.skip(f"the Compose stack needs an engine: {missing}")
    keep = bool(os.environ.get("E2E_KEEP"))
    stack = Desk()
    if not keep:
        stack.down()
    try:
        stack.up()
        stack.wait_until("ok")
        yield stack
    except AssertionError as error:
        error.add_note(stack.diagnosis())
        raise
    finally:
        if not keep:
            stack.down()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as running:
            yield running
    except LookupError as error:
        pytest.skip(str(error))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": WIDTH_PX, "height": TALL_PX})
    yield opened
    opened.close()
