"""The files of ``pages/``: HTML with ``$name`` for values, and what they need to look and behave alike."""

import html
from functools import cache
from http import HTTPStatus
from importlib import resources
from string import Template
from typing import Final

from fastapi.responses import HTMLResponse

SAFE: Final = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Html(str):
    """Text that is HTML already; everything else is escaped when it gets into a page."""

    __slots__ = ()


NOTHING: Final = Html("")


def fill(name: str, /, **values: object) -> Html:
    """Return a file of ``pages/`` with its values."""
    kept = {key: value if isinstance(value, Html) else html.escape(str(value)) for key, value in values.items()}
    return Html(Template(text_of(name)).substitute(kept))


def joined(*parts: Html) -> Html:
    """Return pieces of HTML one after the other."""
    return Html("".join(parts))


def shown(page: Html, status: int = HTTPStatus.OK) -> HTMLResponse:
    """Return a whole page as an answer."""
    return HTMLResponse(page, status, headers=SAFE)


@cache
def text_of(name: str) -> str:
    """Return the text of a file of ``pages/``."""
    return resources.files("services.api").joinpath("pages", name).read_text(encoding="utf-8")
