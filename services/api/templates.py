"""The files of ``pages/``: Jinja templates, whose values are escaped, and what every page is answered with."""

from functools import cache
from http import HTTPStatus
from importlib import resources
from typing import Final

from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from services.api import written

SAFE: Final = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Html = Markup
"""Text that is HTML already; everything else is escaped when it gets into a page."""

NOTHING: Final = Html("")


def fill(name: str, /, **values: object) -> Html:
    """Return a template of ``pages/`` with its values; all but ``Html`` is escaped, and a missing one is an error."""
    return Html(_environment().get_template(name).render(values))


def joined(*parts: Html) -> Html:
    """Return pieces of HTML one after the other."""
    return Html("").join(parts)


def shown(page: Html, status: int = HTTPStatus.OK) -> HTMLResponse:
    """Return a whole page as an answer."""
    return HTMLResponse(str(page), status, headers=SAFE)


def picture(svg: str) -> Response:
    """Return a chart as an answer; its own style is inside it, and nothing else is."""
    policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(svg, media_type="image/svg+xml", headers=SAFE | policy)


@cache
def text_of(name: str) -> str:
    """Return the text of a file of ``pages/``."""
    return resources.files("services.api").joinpath("pages", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("services.api", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(written.FILTERS)
    return environment
