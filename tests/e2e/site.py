"""The whole site as a person goes through it: every link from ``/``, one page of each kind, what is wrong with it."""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

PHONE: Final = (375, 667)
DESKTOP: Final = (1280, 900)
SERIOUS: Final = frozenset({"serious", "critical"})
SCHEMES: Final[dict[str, dict[str, Any]]] = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}
"""What axe-core looks for in either of the two: all but colours is the same."""

FINGER_PX: Final = 44
"""What is to be hit with a finger is so tall at least (WCAG 2.5.5)."""

KINDS: Final = (
    (r"/reports/(daily|weekly|logs)/\d{4}-\d\d-\d\d/charts/[\w.-]+", "/reports/{kind}/{day}/charts"),
    (r"/reports/daily/\d{4}-\d\d-\d\d", "/reports/daily/{day}"),
    (r"/reports/weekly/\d{4}-\d\d-\d\d", "/reports/weekly/{day}"),
    (r"/reports/logs/\d{4}-\d\d-\d\d", "/reports/logs/{day}"),
    (r"/reports/logs/\d{4}-\d\d-\d\d/\w+", "/reports/logs/{day}/{fingerprint}"),
    (r"/symbols/[^/]+/.+/chart\.svg", "/symbols/{feed}/{symbol}/chart.svg"),
    (r"/symbols/[^/]+/.+", "/symbols/{feed}/{symbol}"),
    (r"/runs/\d+", "/runs/{run_id}"),
    (r"/runbooks/\w+", "/runbooks/{name}"),
)
"""Pages of which one is like the other; every other path is a kind of its own."""

# Everything a finger aims at outside of running text and tables.
SMALL: Final = """
() => [...document.querySelectorAll('header a, header button, form button, form select, form input:not([type=hidden]),'
    + ' nav a, a.tile, ul.ways a')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }))
  .map((one) => [one.textContent.trim().slice(0, 30) || one.name, one.getBoundingClientRect().height])
  .filter(([, height]) => height > 0 && height < LIMIT - 0.5)
  .map(([text, height]) => `${text}: ${height}px`)
"""

OUTLINE: Final = """
() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((one) => Number(one.tagName[1]))
"""

REACHABLE: Final = """
() => [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled)
  .length
"""

FOCUSED: Final = """
() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const all = [...document.querySelectorAll('*')];
  const style = getComputedStyle(one);
  return { place: all.indexOf(one), seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0,
    what: one.outerHTML.slice(0, 80) };
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One page as it was seen."""

    path: str
    kind: str
    is_page: bool
    links: Sequence[str]
    words: str
    faults: Sequence[str]


@dataclass(slots=True)
class Watched:
    """A page of a browser, and whatever went wrong in it or was asked for elsewhere."""

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        self.page.on("request", lambda request: self._elsewhere(request.url))
        self.page.on(
            "response",
            lambda answer: self.faults.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None,
        )

    def _elsewhere(self, url: str) -> None:
        if not url.startswith(self.address) and not url.startswith("data:"):
            self.faults.append(f"asks elsewhere: {url}")


def kind_of(path: str) -> str:
    """Return which kind of page a path is of; the query is left out."""
    plain = path.partition("?")[0]
    return next((kind for pattern, kind in KINDS if re.fullmatch(pattern, plain)), plain)


def crawl(browser: Browser, address: str, *, size: tuple[int, int], script: bool = True) -> dict[str, Visit]:
    """Follow every link from ``/``, one page of each kind, and return what was seen by kind."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, java_script_enabled=script, has_touch=size == PHONE
    )
    try:
        return {visit.kind: visit for visit in _visits(context, address, script=script)}
    finally:
        context.close()


def _visits(context: BrowserContext, address: str, *, script: bool) -> Iterator[Visit]:
    seen = {"/"}
    waiting = deque(["/"])
    while waiting:
        visit = look(context, address, waiting.popleft(), script=script)
        for link in visit.links:
            if kind_of(link) not in seen:
                seen.add(kind_of(link))
                waiting.append(link)
        yield visit


def look(context: BrowserContext, address: str, path: str, *, script: bool = True) -> Visit:
    """Open one page of ours and say what it leads to, and what is wrong with it."""
    page = context.new_page()
    watched = Watched(page, address)
    try:
        answer = page.goto(f"{address}{path}", wait_until="load")
        assert answer is not None
        kind = answer.headers.get("content-type", "")
        if not kind.startswith("text/html"):
            return Visit(path=path, kind=kind_of(path), is_page=False, links=[], words="", faults=watched.faults)
        words, links = page.locator("main").first.inner_text(), _links(page, address)
        faults = [*_outline(page), *_small(page), *([*_axe(page), *_keyboard(page)] if script else [])]
        return Visit(
            path=path,
            kind=kind_of(path),
            is_page=True,
            links=links,
            words=words,
            faults=[*watched.faults, *faults],
        )
    finally:
        page.close()


def _keyboard(page: Page) -> list[str]:
    """Press Tab through a whole page; return what is wrong: what is never reached, and where the focus is not seen."""
    wanted = page.evaluate(REACHABLE)
    page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0); }")
    reached: dict[int, dict[str, Any]] = {}
    for _ in range(3 * wanted + 5):  # a date has a place of its own for its day, its month and its year
        if len(reached) == wanted:
            break
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is not None:
            reached.setdefault(focused["place"], focused)
    unseen = [f"the focus is not seen on {one['what']}" for one in reached.values() if not one["seen"]]
    return unseen if len(reached) >= wanted else [*unseen, f"Tab reaches {len(reached)} of {wanted}"]


def _links(page: Page, address: str) -> list[str]:
    found = page.evaluate("() => [...document.querySelectorAll('a[href]')].map((one) => one.href)")
    inside = [urlsplit(one) for one in found if one.startswith(f"{address}/")]
    return list(dict.fromkeys(f"{one.path}?{one.query}" if one.query else one.path for one in inside))


def _axe(page: Page) -> Iterator[str]:
    """Yield what axe-core calls serious: of everything by day, and by night of the colours."""
    for scheme, options in SCHEMES.items():
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for violation in Axe().run(page, options=options).response["violations"]:
            if violation["impact"] in SERIOUS:
                nodes = "; ".join(str(node["target"]) for node in violation["nodes"][:3])
                yield f"axe, {scheme}: {violation['id']} ({violation['help']}): {nodes}"


def _small(page: Page) -> list[str]:
    """Return what is too small for a finger, on a phone."""
    if page.viewport_size != {"width": PHONE[0], "height": PHONE[1]}:
        return []
    return [f"small: {one}" for one in page.evaluate(SMALL.replace("LIMIT", str(FINGER_PX)))]


def _outline(page: Page) -> Iterator[str]:
    levels = page.evaluate(OUTLINE)
    if levels.count(1) != 1:
        yield f"{levels.count(1)} h1"
    if any(after > before + 1 for before, after in pairwise(levels)):
        yield f"headings out of order: {levels}"
    if page.locator("main").count() != 1:
        yield f"{page.locator('main').count()} main"
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > page.evaluate("window.innerWidth"):
        yield f"scrolls sideways: {wide}px"
