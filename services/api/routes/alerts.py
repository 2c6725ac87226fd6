"""What fires, who was told, and the two things a person does about it: acknowledge and silence."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from nightdesk.alerting import (
    MAX_ALERTS,
    Acknowledge,
    Acknowledged,
    Alerts,
    AlertsQuery,
    AlertWithHistory,
    Channels,
    NewSilence,
    Notifications,
    Number,
    Silence,
    Silences,
    SilencesQuery,
)
from nightdesk.errors import UnavailableError
from nightdesk.matchers import read_matchers
from nightdesk.problems import RequestError, responses
from services.api.access import by_our_pages, wants_page
from services.api.alerts_page import View, rendered
from services.api.bodies import described, form_of, is_form, json_of
from services.api.layout import PAGE, frame_of
from services.api.neighbour import Neighbour
from services.api.templates import fill, shown

router = APIRouter(tags=["alerts"])

LATELY: Final = 50
TOLD: Final = 20
BY: Final = "the alerts page"
HOUR_S: Final = 3600.0

AlertNumber = Annotated[Number, Path(description="number of the alert", examples=[12])]
SilenceNumber = Annotated[Number, Path(description="number of the silence", examples=[3])]
CHANGES: Final[dict[str, Any]] = {"dependencies": [Depends(by_our_pages)]}
AFTER_A_FORM: Final[dict[int | str, dict[str, Any]]] = {303: {"description": "a form was sent: back to its page"}}


@router.get("/alerts", response_model=Alerts, summary="What fires, and what fired", responses=PAGE)
async def alerts(request: Request, query: Annotated[AlertsQuery, Query()]) -> Alerts | Response:
    """Return a page of alerts, the newest first; for browsers, a page to read and to act on."""
    alerter: Neighbour = request.app.state.alerter
    if wants_page(request):
        return await _page(request, alerter, query.before)
    return await alerter.get(Alerts, "/alerts", query.model_dump())


@router.get(
    "/alerts/{alert_id}", summary="One alert and all that was told of it", responses=responses({404: "no such alert"})
)
async def alert(request: Request, alert_id: AlertNumber) -> AlertWithHistory:
    """Return an alert with its notifications, their deliveries and every attempt."""
    alerter: Neighbour = request.app.state.alerter
    return await alerter.get(AlertWithHistory, f"/alerts/{alert_id}")


@router.post(
    "/alerts/{alert_id}/ack",
    response_model=Acknowledged,
    summary="Acknowledge an alert and its group",
    responses={**AFTER_A_FORM, **responses({404: "no such alert"})},
    openapi_extra=described(Acknowledge, required=False),
    **CHANGES,
)
async def acknowledge(request: Request, alert_id: AlertNumber) -> Acknowledged | Response:
    """Call nobody about this alert any more, nor about what else was told of its group.

    Acknowledging again, or what is over already, changes nothing.
    """
    alerter: Neighbour = request.app.state.alerter
    path = f"/alerts/{alert_id}/ack"
    if is_form(request):
        return await _by_form(alerter.send(Acknowledged, "POST", path, Acknowledge(by=BY)), "firing")
    return await alerter.send(Acknowledged, "POST", path, await json_of(request, Acknowledge))


@router.get("/silences", summary="What is silenced")
async def silences(request: Request, query: Annotated[SilencesQuery, Query()]) -> Silences:
    """Return silences, the newest first."""
    alerter: Neighbour = request.app.state.alerter
    return await alerter.get(Silences, "/silences", query.model_dump())


@router.post(
    "/silences",
    response_model=Silence,
    status_code=HTTPStatus.CREATED,
    summary="Silence alerts for a while",
    responses=AFTER_A_FORM,
    openapi_extra=described(NewSilence, required=True),
    **CHANGES,
)
async def silence(request: Request) -> Silence | Response:
    """Tell nobody of alerts whose labels match, from now on and for so many seconds.

    What still fires when the silence ends is told then.
    """
    alerter: Neighbour = request.app.state.alerter
    if not is_form(request):
        return await alerter.send(Silence, "POST", "/silences", await json_of(request, NewSilence))
    try:
        wanted = silence_of(await form_of(request))
    except ValueError as error:
        return _notice(str(error), HTTPStatus.UNPROCESSABLE_ENTITY)
    return await _by_form(alerter.send(Silence, "POST", "/silences", wanted), "silences")


@router.delete(
    "/silences/{silence_id}",
    summary="End a silence now",
    responses=responses({404: "no silence of this number is in force"}),
    **CHANGES,
)
async def end_silence(request: Request, silence_id: SilenceNumber) -> Silence:
    """End a silence that is in force; what it hid and still fires is told now."""
    alerter: Neighbour = request.app.state.alerter
    return await alerter.send(Silence, "DELETE", f"/silences/{silence_id}")


@router.post("/silences/{silence_id}/end", include_in_schema=False, **CHANGES)
async def end_silence_by_form(request: Request, silence_id: SilenceNumber) -> Response:
    """Do the same for a page, whose forms cannot say DELETE."""
    return await _by_form(end_silence(request, silence_id), "silences")


def silence_of(form: dict[str, str]) -> NewSilence:
    """Return what the form for a silence asks for; raises ValueError that says what is wrong with it."""
    try:
        seconds = float(form.get("hours", "")) * HOUR_S
    except ValueError as error:
        raise ValueError("hours: write a number") from error
    matchers = read_matchers(form.get("match", ""))
    try:
        return NewSilence(match=matchers, seconds=seconds, by=BY, reason=form.get("reason", ""))
    except ValidationError as error:
        raise ValueError("; ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors())) from error


async def _page(request: Request, alerter: Neighbour, before: int | None) -> Response:
    try:
        firing, lately, told, silenced, channels = await asyncio.gather(
            alerter.get(Alerts, "/alerts", {"firing": True, "limit": MAX_ALERTS}),
            alerter.get(Alerts, "/alerts", {"before": before, "limit": LATELY}),
            alerter.get(Notifications, "/notifications", {"limit": TOLD}),
            alerter.get(Silences, "/silences"),
            alerter.get(Channels, "/channels"),
        )
    except UnavailableError as error:
        body = fill("parts/warning.html", text=f"{str(error).capitalize()}. Nothing is known of what fires.")
        return shown(fill("notice.html", title="Alerts", body=body), HTTPStatus.SERVICE_UNAVAILABLE)
    view = View(
        firing=firing.alerts,
        ended=[one for one in lately.alerts if one.ended_at is not None],
        older=lately.next,
        told=told.notifications,
        silences=silenced.silences,
        channels=channels.channels,
        now=datetime.now(UTC),
    )
    return shown(rendered(view, frame_of(request)))


async def _by_form(asking: Awaitable[object], part: str) -> Response:
    """Do what a form asks for, and go back to its part of the page, or say why it was not done."""
    try:
        await asking
    except RequestError as error:
        return _notice("; ".join(one.detail for one in error.errors), error.status)
    except UnavailableError as error:
        return _notice(f"{error}. Try again in a minute.", HTTPStatus.SERVICE_UNAVAILABLE)
    return RedirectResponse(f"/alerts#{part}", HTTPStatus.SEE_OTHER)


def _notice(why: str, status: int) -> Response:
    return shown(fill("notice.html", title="Nothing was changed", body=fill("parts/warning.html", text=why)), status)
