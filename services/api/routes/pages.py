"""The pages for people: what runs, what can be asked, and the login form. No page loads anything from elsewhere."""

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from services.api.access import (
    COOKIE,
    Gate,
    TooManyError,
    for_pages,
    for_programs,
    from_here,
    give_session,
    is_outside,
    own_path,
)
from services.api.templates import NOTHING, SAFE, Html, fill, joined, shown, text_of

router = APIRouter(include_in_schema=False)

CSS: Final = "text/css; charset=utf-8"
JAVASCRIPT: Final = "text/javascript; charset=utf-8"
ASSETS: Final = {"style.css": CSS, "index.js": JAVASCRIPT, "docs.js": JAVASCRIPT, "icon.svg": "image/svg+xml"}

GRAFANA_OUTSIDE: Final = "/grafana/"
"""Where the proxy serves Grafana; it does not serve Prometheus."""


@router.get("/", dependencies=[Depends(for_pages)])
async def index(request: Request) -> Response:
    """Show what is running."""
    return shown(fill("index.html", links=_links(request), logout=logout_button(request)))


@router.get("/docs", dependencies=[Depends(for_pages)])
async def docs(_request: Request) -> Response:
    """Show what can be asked, from openapi.json."""
    return shown(fill("docs.html"))


@router.get("/openapi.json", dependencies=[Depends(for_programs)])
async def openapi(request: Request) -> JSONResponse:
    """Return the description of the api for programs."""
    return JSONResponse(request.app.openapi())


@router.get("/assets/{name}")
async def asset(name: str) -> Response:
    """Return a style sheet or a script."""
    if name not in ASSETS:
        raise HTTPException(404)
    return Response(text_of(name), media_type=ASSETS[name], headers=SAFE | {"Cache-Control": "max-age=300"})


@router.get("/login")
async def login_form(request: Request, next: str = "/") -> Response:  # noqa: A002  the query's name
    """Ask for the token."""
    gate: Gate = request.app.state.gate
    if gate.admits(request):
        return RedirectResponse(own_path(next), 303)
    return _login(gate, own_path(next), "")


@router.post("/login")
async def login(
    request: Request,
    token: Annotated[str, Form(max_length=1000)] = "",
    next: Annotated[str, Form(max_length=1000)] = "/",  # noqa: A002  the field's name
) -> Response:
    """Take the token once and give a cookie for it."""
    gate: Gate = request.app.state.gate
    if not from_here(request):
        return _login(gate, own_path(next), "The form was sent from another site.", 403)
    try:
        if not gate.takes(token.strip(), request, "form"):
            return _login(gate, own_path(next), "That is not the token.", 401)
    except TooManyError as error:
        answer = _login(gate, own_path(next), f"{error.detail.capitalize()}.", error.status_code)
        answer.headers.update(error.headers or {})
        return answer
    answer = RedirectResponse(own_path(next), 303)
    give_session(answer, gate, request)
    return answer


@router.post("/logout")
async def logout(request: Request) -> Response:
    """Forget the cookie."""
    answer = RedirectResponse("/login", 303)
    if from_here(request):
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return answer


def logout_button(request: Request) -> Html:
    """Return the button for who had to log in."""
    return fill("parts/logout.html") if request.app.state.gate.is_closed_to(request) else NOTHING


def _links(request: Request) -> Html:
    known: Mapping[str, str] = request.app.state.links
    links = (
        {"Grafana": GRAFANA_OUTSIDE}
        if is_outside(request)
        else {
            "Grafana": known["grafana"],
            "Prometheus": known["prometheus"],
        }
    )
    return joined(*(fill("parts/link.html", to=to, text=text) for text, to in links.items()))


def _login(gate: Gate, next_path: str, complaint: str, status: int = 200) -> Response:
    label, hint = (
        ("API token", "It is API_TOKEN of the desk's .env.")
        if gate.asks_everybody
        else ("Login token", "On the desk's server, make password prints it.")
    )
    return shown(fill("login.html", next=next_path, complaint=complaint, label=label, hint=hint), status)
