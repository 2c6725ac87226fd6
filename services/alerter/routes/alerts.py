"""What fires and what fired, and acknowledging it."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request

from nightdesk.alerting import Acknowledge, Acknowledged, Alerts, AlertsQuery, AlertWithHistory, Number
from nightdesk.problems import FieldProblem, RequestError, responses
from services.alerter.models import BODY, shown, with_history

router = APIRouter(tags=["alerts"])
reading = APIRouter(tags=["alerts"])
"""Open to jobs as well: reports tell what fired. Whoever may only read may not acknowledge."""

HISTORY: Final = 100
"""Notifications that are shown with an alert."""

AlertId = Annotated[Number, Path(description="number of the alert", examples=[12])]
NO_ALERT: Final = responses({404: "no such alert"})


@reading.get("/alerts", summary="What fires, and what fired")
async def alerts(request: Request, query: Annotated[AlertsQuery, Query()]) -> Alerts:
    """Return a page of alerts, the newest first."""
    state = request.app.state
    found = state.history.alerts(firing=query.firing, before=query.before, limit=query.limit + 1)
    hidden = state.hidden()
    page = [shown(alert, hidden) for alert in found[: query.limit]]
    return Alerts(alerts=page, next=page[-1].alert_id if len(found) > query.limit else None)


@reading.get("/alerts/{alert_id}", summary="One alert and all that was told of it", responses=NO_ALERT)
async def alert(request: Request, alert_id: AlertId) -> AlertWithHistory:
    """Return an alert with its notifications, their deliveries and every attempt."""
    state = request.app.state
    found = state.history.alert(alert_id)
    if found is None:
        raise missing(alert_id)
    told = state.history.notifications(alert_id=alert_id, before=None, limit=HISTORY)
    return with_history(found, state.hidden(), told)


@router.post("/alerts/{alert_id}/ack", summary="Acknowledge an alert and its group", responses={**NO_ALERT, **BODY})
async def ack(request: Request, alert_id: AlertId, word: Acknowledge | None = None) -> Acknowledged:
    """Call nobody about this alert any more, nor about what else was told of its group.

    Acknowledging again, or what is over already, changes nothing.
    """
    state = request.app.state
    if state.history.alert(alert_id) is None:
        raise missing(alert_id)
    word = word or Acknowledge()
    done = state.desk.acknowledge({alert_id}, by=word.by, note=word.note)
    return Acknowledged(alerts=sorted(one.alert_id for one in done))


def missing(alert_id: int) -> RequestError:
    """Return the error for a number that no alert has."""
    problem = FieldProblem(field="alert_id", place="path", detail=f"there is no alert {alert_id}")
    return RequestError(HTTPStatus.NOT_FOUND, [problem])
