"""The pages for people: what runs, what can be asked, and the login form. No page loads anything from elsewhere."""

import html
from functools import cache
from importlib import resources
from string import Template
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from services.api.access import COOKIE, SESSION_S, for_pages, for_programs, from_here, own_path

router = APIRouter(include_in_schema=False)

CSS: Final = "text/css; charset=utf-8"
JAVASCRIPT: Final = "text/javascript; charset=utf-8"
ASSETS: Final = {"style.css": CSS, "index.js": JAVASCRIPT, "docs.js": JAVASCRIPT, "icon.svg": "image/svg+xml"}

SAFE: Final = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@router.get("/", dependencies=[Depends(for_pages)])
async def index(request: Request) -> Response:
    """Show what is running."""
    links = request.app.state.links
    logout = "" if not request.app.state.gate.closed else page("logout.html")
    return _html(page("index.html", logout=logout, **links))


@router.get("/docs", dependencies=[Depends(for_pages)])
async def docs(_request: Request) -> Response:
    """Show what can be asked, from openapi.json."""
    return _html(page("docs.html"))


@router.get("/openapi.json", dependencies=[Depends(for_programs)])
async def openapi(request: Request) -> JSONResponse:
    """Return the description of the api for programs."""
    return JSONResponse(request.app.openapi())


@router.get("/assets/{name}")
async def asset(name: str) -> Response:
    """Return a style sheet or a script."""
    if name not in ASSETS:
        raise HTTPException(404)
    return Response(_text(name), media_type=ASSETS[name], headers=SAFE | {"Cache-Control": "max-age=300"})


@router.get("/login")
async def login_form(request: Request, next: str = "/") -> Response:  # noqa: A002  the query's name
    """Ask for the token."""
    if request.app.state.gate.admits(request):
        return RedirectResponse(own_path(next), 303)
    return _login(own_path(next), "")


@router.post("/login")
async def login(
    request: Request,
    token: Annotated[str, Form(max_length=1000)] = "",
    next: Annotated[str, Form(max_length=1000)] = "/",  # noqa: A002  the field's name
) -> Response:
    """Take the token once and give a cookie for it."""
    gate = request.app.state.gate
    if not from_here(request):
        return _login(own_path(next), "The form was sent from another site.", 403)
    if not gate.knows(token.strip()):
        return _login(own_path(next), "That is not the token.", 401)
    answer = RedirectResponse(own_path(next), 303)
    answer.set_cookie(
        COOKIE,
        gate.session(),
        max_age=SESSION_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/logout")
async def logout(request: Request) -> Response:
    """Forget the cookie."""
    answer = RedirectResponse("/login", 303)
    if from_here(request):
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def page(name: str, **values: str) -> str:
    """Return a page with its values; whatever is not itself a page is escaped."""
    kept = {key: value if value.startswith("<form") else html.escape(value) for key, value in values.items()}
    return Template(_text(name)).substitute(kept)


def _login(next_path: str, complaint: str, status: int = 200) -> HTMLResponse:
    return _html(page("login.html", next=next_path, complaint=complaint), status)


def _html(text: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(text, status, headers=SAFE)


@cache
def _text(name: str) -> str:
    return resources.files("services.api").joinpath("pages", name).read_text(encoding="utf-8")
