"""What the holder of an acknowledge link may do: see what it is about, and acknowledge that. No login."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request

from nightdesk.alerting import Acknowledged, Link
from nightdesk.problems import FieldProblem, RequestError, responses
from services.alerter.links import LinkError
from services.alerter.models import shown

router = APIRouter(prefix="/ack", tags=["links"], responses=responses({404: "not a link of ours, or too old"}))

BY: Final = "link"
SHOWN: Final = 100
Token = Annotated[str, Path(min_length=1, max_length=80, pattern=r"^[0-9a-f-]+$", description="the link's token")]


@router.get("/{token}", summary="What an acknowledge link is about")
async def about(request: Request, token: Token) -> Link:
    """Return what the link's notification said, and how its alerts are now."""
    state = request.app.state
    number = _number(request, token)
    message = state.history.message(number)
    if message is None:
        raise _useless("what it is about is forgotten")
    hidden = state.hidden()
    found = [state.history.alert(one) for one in state.history.notified(number)[:SHOWN]]
    alerts = [shown(one, hidden) for one in found if one is not None]
    return Link(
        title=message.title, text=message.text, alerts=alerts, open=any(one.state == "firing" for one in alerts)
    )


@router.post("/{token}", summary="Acknowledge what the link is about")
async def use(request: Request, token: Token) -> Acknowledged:
    """Acknowledge what the link's notification told. Doing it again changes nothing."""
    state = request.app.state
    number = _number(request, token)
    told = frozenset(state.history.notified(number))
    done = state.desk.acknowledge(told, by=BY, until_s=state.history.created_s(number))
    return Acknowledged(alerts=sorted(one.alert_id for one in done))


def _number(request: Request, token: str) -> int:
    try:
        return int(request.app.state.links.read(token, request.app.state.wall_s()))
    except LinkError as error:
        raise _useless(str(error)) from error


def _useless(why: str) -> RequestError:
    return RequestError(HTTPStatus.NOT_FOUND, [FieldProblem(field="token", place="path", detail=why)])
