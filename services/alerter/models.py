"""What only the alerter takes and answers over HTTP, and its records as ``nightdesk.alerting`` shows them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from nightdesk import alerting
from nightdesk.alerting import Line
from nightdesk.problems import responses
from services.alerter.alerts import Alert, Silence
from services.alerter.messages import Tier
from services.alerter.store.outbox import Attempt

Text = Annotated[str, Field(max_length=8000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]


BODY: Final = responses(
    {
        400: "the body is no text",
        408: "the body did not arrive in time",
        413: "the body is larger than any that makes sense",
    }
)
"""What else is answered where there is a body to read."""


class NewPost(BaseModel):
    """What a job or a strategy has to say."""

    model_config = ConfigDict(extra="forbid")

    level: Tier = Field(
        examples=["info"],
        description="critical is a page, until somebody acknowledges; where the others go, routes say",
    )
    title: Line = Field(min_length=1, examples=["3 movers before the open"], description="one line")
    text: Text = Field("", description="the rest")
    fields: dict[Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,49}$")], Line] = Field(
        default_factory=dict, max_length=20, description="labelled lines; routes can match them, as they match labels"
    )
    dedup_key: Line = Field("", description="a second post with the same key and level within a day is the same post")


class Posted(BaseModel):
    """What became of a post."""

    alert_id: int = Field(description="its number among the alerts")


class Tested(BaseModel):
    """What a channel answered to a test."""

    channel: str
    outcome: str = Field(description="delivered, permanent, rate_limited, transient, or not_configured")
    status: int | None
    latency_s: float
    detail: str


class TestedAll(BaseModel):
    """What every channel answered."""

    channels: list[Tested]


def shown(alert: Alert, hidden: frozenset[int]) -> alerting.Alert:
    """Return an alert for reading."""
    return alerting.Alert.model_validate(_plain(alert, hidden))


def with_history(
    alert: Alert, hidden: frozenset[int], notifications: Iterable[dict[str, Any]]
) -> alerting.AlertWithHistory:
    """Return an alert with what was told of it."""
    history = [notification_shown(one).model_dump() for one in notifications]
    return alerting.AlertWithHistory.model_validate({**_plain(alert, hidden), "notifications": history})


def notification_shown(row: dict[str, Any]) -> alerting.Notification:
    """Return a notification for reading."""
    message = row["message"]
    return alerting.Notification.model_validate(
        {
            "notification_id": row["notification_id"],
            "kind": row["kind"],
            "tier": row["tier"],
            "created_at": _at(row["created_s"]),
            "title": message.title,
            "text": message.text,
            "facts": [tuple(fact) for fact in message.facts],
            "items": list(message.items),
            "deliveries": [_delivery(one) for one in row["deliveries"]],
        }
    )


def silence_shown(silence: Silence, now_s: float) -> alerting.Silence:
    """Return a silence for reading."""
    return alerting.Silence(
        silence_id=silence.silence_id,
        match=dict(silence.match),
        starts_at=_moment(silence.starts_s),
        ends_at=_moment(silence.ends_s),
        by=silence.by,
        reason=silence.reason,
        active=silence.starts_s <= now_s < silence.ends_s,
    )


def tested(channel: str, attempt: Attempt) -> Tested:
    """Return how a test went."""
    return Tested(
        channel=channel,
        outcome=attempt.outcome,
        status=attempt.status,
        latency_s=round(attempt.latency_s, 3),
        detail=attempt.detail,
    )


def _plain(alert: Alert, hidden: frozenset[int]) -> dict[str, Any]:
    word = alert.acknowledged
    is_firing = alert.ended_s is None
    state = alerting.AlertState.FIRING if word is None else alerting.AlertState.ACKNOWLEDGED
    return {
        "alert_id": alert.alert_id,
        "name": alert.name,
        "state": state if is_firing else alerting.AlertState.ENDED,
        "tier": alert.tier,
        "source": alert.source.value,
        "summary": alert.summary,
        "description": alert.annotations.get("description", ""),
        "last_good": alert.annotations.get("last_good", ""),
        "runbook": alert.annotations.get("runbook_url", ""),
        "labels": dict(alert.labels),
        "started_at": _at(alert.started_s),
        "ended_at": _at(alert.ended_s),
        "told_at": _at(alert.told_s),
        "acknowledged_at": None if word is None else _at(word.at_s),
        "acknowledged_by": None if word is None else word.by,
        "note": None if word is None else word.note,
        "hidden": alert.alert_id in hidden,
    }


def _delivery(row: dict[str, Any]) -> dict[str, Any]:
    attempts = [{**one, "at": _at(one["at_s"]), "latency_s": round(one["latency_s"], 3)} for one in row["attempts"]]
    return {
        "channel": row["channel"],
        "state": row["state"],
        "due_at": _at(row["due_s"]),
        "ended_at": _at(row["ended_s"]),
        "attempts": attempts,
    }


def _at(moment_s: float | None) -> datetime | None:
    return None if moment_s is None else _moment(moment_s)


def _moment(moment_s: float) -> datetime:
    return datetime.fromtimestamp(moment_s, UTC)
