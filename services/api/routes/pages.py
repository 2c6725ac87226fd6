"""The pages for people: what runs, what can be asked, and the login form. No page loads anything from elsewhere."""

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
    own_path,
)
from services.api.layout import page
from services.api.templates import SAFE, fill, shown, text_of

router = APIRouter(include_in_schema=False)

CSS: Final = "text/css; charset=utf-8"
JAVASCRIPT: Final = "text/javascript; charset=utf-8"
ASSETS: Final = {"style.css": CSS, "index.js": JAVASCRIPT, "docs.js": JAVASCRIPT, "icon.svg": "image/svg+xml"}


@router.get("/", dependencies=[Depends(for_pages)])
async def index(request: Request) -> Response:
    """Show what is running."""
    return page(request, "index.html")


@router.get("/docs", dependencies=[Depends(for_pages)])
async def docs(request: Request) -> Response:
    """Show what can be asked, from openapi.json."""
    return page(request, "docs.html")


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


def _login(gate: Gate, next_path: str, complaint: str, status: int = 200) -> Response:
    label, hint = (
        ("API token", "It is API_TOKEN of the desk's .env.")
        if gate.asks_everybody
        else ("Login token", "On the desk's server, make password prints it.")
    )
    return shown(fill("login.html", next=next_path, complaint=complaint, label=label, hint=hint), status)
