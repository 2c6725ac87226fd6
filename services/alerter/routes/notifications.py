"""What was told, and what jobs and strategies have to tell."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from nightdesk.alerting import Notifications, Number
from services.alerter.models import BODY, NewPost, Posted, notification_shown
from services.alerter.observing import Post, post

router = APIRouter(tags=["notifications"])
posts = APIRouter(tags=["notifications"])
"""Has a token of its own: whoever may post may not acknowledge."""

MAX_NOTIFICATIONS: Final = 200


class NotificationsQuery(BaseModel):
    """Which notifications."""

    model_config = ConfigDict(extra="forbid")

    before: Number | None = Field(None, description="only notifications older than this one: `next` of a page")
    limit: int = Field(50, ge=1, le=MAX_NOTIFICATIONS, description="at most so many")


@router.get("/notifications", summary="What was told, over which channels")
async def notifications(request: Request, query: Annotated[NotificationsQuery, Query()]) -> Notifications:
    """Return a page of notifications, the newest first, each with its deliveries and every attempt."""
    found = request.app.state.history.notifications(alert_id=None, before=query.before, limit=query.limit + 1)
    page = [notification_shown(one) for one in found[: query.limit]]
    return Notifications(notifications=page, next=page[-1].notification_id if len(found) > query.limit else None)


@posts.post("/notifications", summary="Tell the person something", status_code=HTTPStatus.ACCEPTED, responses=BODY)
async def take(request: Request, wanted: NewPost) -> Posted:
    """Take a message from a job or a strategy into the outbox, where the policy's routes send it.

    `critical` is a page, called until somebody acknowledges it. The answer comes once the message is safe; a caller
    that gets none tries again, with the same `dedup_key`.
    """
    desk = request.app.state.desk
    posted = Post(
        level=wanted.level,
        title=wanted.title,
        text=wanted.text,
        fields=wanted.fields,
        dedup_key=wanted.dedup_key,
    )
    return Posted(alert_id=desk.change(lambda turn: post(turn, desk.policy, posted)))
