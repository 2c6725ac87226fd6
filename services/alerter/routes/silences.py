"""Silences: alerts that a person does not want to hear of for a while."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from nightdesk import alerting
from nightdesk.alerting import NewSilence, Number, Silences, SilencesQuery
from nightdesk.problems import FieldProblem, RequestError, responses
from services.alerter.alerts import Silence
from services.alerter.models import BODY, silence_shown
from services.alerter.turn import Turn

router = APIRouter(tags=["silences"])
reading = APIRouter(tags=["silences"])
"""Open to jobs as well: what was silenced was planned."""


@reading.get("/silences", summary="What is silenced")
async def silences(request: Request, query: Annotated[SilencesQuery, Query()]) -> Silences:
    """Return silences, the newest first."""
    state = request.app.state
    now_s = state.wall_s()
    found = state.history.silences(now_s=now_s, ended=query.ended)
    return Silences(silences=[silence_shown(one, now_s) for one in found])


@router.post("/silences", summary="Silence alerts for a while", status_code=HTTPStatus.CREATED, responses=BODY)
async def silence(request: Request, wanted: NewSilence) -> alerting.Silence:
    """Tell nobody of alerts whose labels match, from now on and for so many seconds.

    What still fires when the silence ends is told then.
    """
    state = request.app.state

    def begin(turn: Turn) -> Silence:
        made = Silence(
            silence_id=0,
            match=wanted.match,
            starts_s=turn.now_s,
            ends_s=turn.now_s + wanted.seconds,
            by=wanted.by,
            reason=wanted.reason,
        )
        return turn.put_silence(made)

    return silence_shown(state.desk.change(begin), state.wall_s())


@router.delete(
    "/silences/{silence_id}",
    summary="End a silence now",
    responses=responses({404: "no silence of this number is in force"}),
)
async def end_silence(
    request: Request, silence_id: Annotated[Number, Path(description="number of the silence", examples=[3])]
) -> alerting.Silence:
    """End a silence that is in force; what it hid and still fires is told now."""
    state = request.app.state
    known = state.desk.state.silences.get(silence_id)
    if known is None or known.ends_s <= state.wall_s():
        problem = FieldProblem(field="silence_id", place="path", detail=f"no silence {silence_id} is in force")
        raise RequestError(HTTPStatus.NOT_FOUND, [problem])
    ended = state.desk.change(lambda turn: turn.put_silence(replace(known, ends_s=turn.now_s)))
    return silence_shown(ended, state.wall_s())
