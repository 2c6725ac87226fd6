"""What surrounds every page: the way to everything else, and the button for who had to log in."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse

from services.api.access import is_outside
from services.api.templates import fill, shown

GRAFANA_OUTSIDE: Final = "/grafana/"
"""Where the proxy serves Grafana; it does not serve Prometheus."""

PAGE: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}
"""How a route describes that it answers browsers with a page."""

PLACES: Final = {
    "/": "Desk",
    "/reports": "Reports",
    "/alerts": "Alerts",
    "/symbols": "Symbols",
    "/gaps": "Gaps",
    "/runs": "Runs",
    "/docs": "API",
}


def frame_of(request: Request) -> dict[str, object]:
    """Return what ``layout.html`` needs to know of who asks and from where."""
    path = request.url.path
    here = max((place for place in PLACES if path == place or path.startswith(f"{place}/")), key=len, default="")
    return {
        "places": PLACES,
        "here": here,
        "elsewhere": elsewhere(request),
        "is_logged_in": request.app.state.gate.is_closed_to(request),
    }


def page(request: Request, name: str, /, status: int = HTTPStatus.OK, **values: object) -> HTMLResponse:
    """Return a template that extends ``layout.html`` as an answer."""
    return shown(fill(name, **frame_of(request), **values), status)


def elsewhere(request: Request) -> dict[str, str]:
    """Return the addresses of what does not belong to the api, as who asks reaches them."""
    known: Mapping[str, str] = request.app.state.links
    if is_outside(request):
        return {"Grafana": GRAFANA_OUTSIDE}
    return {"Grafana": known["grafana"], "Prometheus": known["prometheus"]}
