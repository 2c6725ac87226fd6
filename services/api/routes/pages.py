"""The pages for people: what runs, what can be asked, and the login form. No page loads anything from elsewhere."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from nightdesk.alerting import MAX_ALERTS, Alerts
from services.api import desk_page, docs_page
from services.api.access import (
    COOKIE,
    Gate,
    TooManyError,
    for_both,
    for_pages,
    from_here,
    give_session,
    is_outside,
    own_path,
)
from services.api.desk_page import LastDay, Price
from services.api.known import known
from services.api.layout import elsewhere, page
from services.api.neighbour import Neighbour
from services.api.routes.ticks import tick_of
from services.api.survey.verdict import verdict
from services.api.templates import SAFE, fill, shown, text_of

router = APIRouter(include_in_schema=False)

CSS: Final = "text/css; charset=utf-8"
JAVASCRIPT: Final = "text/javascript; charset=utf-8"
ASSETS: Final = {"style.css": CSS, "live.js": JAVASCRIPT, "icon.svg": "image/svg+xml"}


@router.get("/", dependencies=[Depends(for_pages)])
async def index(request: Request) -> Response:
    """Show how everything is, what the night left, and the way to everything; comes soon, whatever is down."""
    now = datetime.now(UTC)
    alerter: Neighbour = request.app.state.alerter
    survey, alerts, day, prices = await asyncio.gather(
        request.app.state.surveyor.survey(),
        known(alerter.get(Alerts, "/alerts", {"firing": True, "limit": MAX_ALERTS}), "the alerter"),
        known(_last_day(request, now), "the database"),
        known(_prices(request, now), "the database"),
    )
    found = verdict(survey)
    return page(
        request,
        "index.html",
        verdict=found,
        in_trouble=desk_page.in_trouble(found.parts),
        today=now.date(),
        yesterday=now.date() - desk_page.DAY,
        firing=alerts.map(lambda page: desk_page.firing_now(page.alerts)),
        last_day=day,
        prices=prices,
        ways=desk_page.ways(elsewhere(request)),
    )


@router.get("/docs", dependencies=[Depends(for_pages)])
async def docs(request: Request) -> Response:
    """Show what can be asked, as openapi.json says."""
    about, groups = docs_page.read(request.app.openapi(), _address(request))
    return page(request, "docs.html", about=about, groups=groups)


@router.get("/openapi.json", dependencies=[Depends(for_both)])
async def openapi(request: Request) -> JSONResponse:
    """Return the description of the api for programs."""
    return JSONResponse(request.app.openapi())


@router.get("/assets/{name}")
async def asset(name: str) -> Response:
    """Return a style sheet or a script."""
    if name not in ASSETS:
        raise HTTPException(404)
    return Response(text_of(name), media_type=ASSETS[name], headers=SAFE | {"Cache-Control": "max-age=300"})


@router.get("/favicon.ico")
async def favicon() -> Response:
    """Return the icon where browsers look for it beside what is no page, such as JSON."""
    return await asset("icon.svg")


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


async def _last_day(request: Request, now: datetime) -> LastDay:
    (row,) = await request.app.state.rows("last_day", {"since": now - desk_page.DAY})
    return desk_page.last_day(row)


async def _prices(request: Request, now: datetime) -> list[Price]:
    rows = await request.app.state.rows("latest", {"feed": None, "symbol": None, "kind": None})
    return desk_page.prices(map(tick_of, rows), now)


def _address(request: Request) -> str:
    """Return where this api is, as who asks reaches it."""
    scheme = "https" if is_outside(request) else request.url.scheme
    return f"{scheme}://{request.headers.get('host', request.url.netloc)}"


def _login(gate: Gate, next_path: str, complaint: str, status: int = 200) -> Response:
    label, hint = (
        ("API token", "It is API_TOKEN of the desk's .env.")
        if gate.asks_everybody
        else ("Login token", "On the desk's server, make password prints it.")
    )
    return shown(fill("login.html", next=next_path, complaint=complaint, label=label, hint=hint), status)
