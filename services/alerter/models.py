"""What the alerter answers and takes over HTTP."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from nightdesk.problems import responses
from services.alerter.alerts import Alert, Silence
from services.alerter.matching import Matchers
from services.alerter.messages import Kind, Tier
from services.alerter.store.outbox import Attempt

MAX_ID = 2**53
"""Every number in JSON up to this one is exact."""

Number = Annotated[int, Field(ge=1, le=MAX_ID)]
Line = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Text = Annotated[str, Field(max_length=8000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]


BODY: Final = responses(
    {
        400: "the body is no text",
        408: "the body did not arrive in time",
        413: "the body is larger than any that makes sense",
    }
)
"""What else is answered where there is a body to read."""


class AlertState(StrEnum):
    """How an alert is."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"


class AttemptShown(BaseModel):
    """One attempt to deliver."""

    at: datetime = Field(description="when it began")
    outcome: str = Field(description="delivered, permanent, rate_limited or transient")
    reason: str = Field(description="why it failed, from a closed list; empty when it did not")
    status: int | None = Field(description="the HTTP status of the answer, where there was one")
    latency_s: float = Field(description="seconds it took")
    detail: str = Field(description="what was wrong, in words")


class DeliveryShown(BaseModel):
    """A notification on its way over one channel."""

    channel: str
    state: str = Field(description="queued, sending, delivered, failed or withdrawn")
    due_at: datetime = Field(description="when it was, or is, to be sent")
    ended_at: datetime | None
    attempts: list[AttemptShown]


class NotificationShown(BaseModel):
    """Something that was told."""

    notification_id: int
    kind: Kind
    tier: Tier
    created_at: datetime
    title: str
    text: str
    facts: list[tuple[str, str]]
    items: list[str]
    deliveries: list[DeliveryShown] = Field(description="none where no channel was told: it stands in the log and here")


class AlertShown(BaseModel):
    """One episode of one alert."""

    alert_id: int
    name: str
    state: AlertState
    tier: Tier
    source: str = Field(description="prometheus, alerter (about itself) or post (from a job or strategy)")
    summary: str
    description: str
    last_good: str
    runbook: str
    labels: dict[str, str]
    started_at: datetime = Field(description="when its condition began to hold")
    ended_at: datetime | None
    told_at: datetime | None = Field(description="when a person was first told; null while it waits or is hidden")
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None
    hidden: bool = Field(description="whether a silence, or another alert that explains it, hides it now")


class AlertsShown(BaseModel):
    """A page of alerts, the newest first."""

    alerts: list[AlertShown]
    next: int | None = Field(description="give this as `before` for the next page; null when there is none")


class AlertWithHistory(AlertShown):
    """An alert and what was told of it."""

    notifications: list[NotificationShown]


class NotificationsShown(BaseModel):
    """A page of notifications, the newest first."""

    notifications: list[NotificationShown]
    next: int | None = Field(description="give this as `before` for the next page; null when there is none")


class Acknowledge(BaseModel):
    """Who acknowledges, and what they have to say."""

    model_config = ConfigDict(extra="forbid")

    by: Line = Field(default="api", min_length=1, description="who acknowledges")
    note: Line = Field(default="", description="for the history")


class Acknowledged(BaseModel):
    """Which alerts are acknowledged now that were not before."""

    alerts: list[int]


class LinkShown(BaseModel):
    """What an acknowledge link is about."""

    title: str
    text: str
    alerts: list[AlertShown]
    open: bool = Field(description="whether any of it still needs somebody")


class NewSilence(BaseModel):
    """Which alerts not to tell of, until when, and why."""

    model_config = ConfigDict(extra="forbid")

    match: Matchers = Field(
        description="label: regular expression for its whole value; all have to match",
        examples=[{"alertname": "FeedSilent|SymbolSilent", "feed": "binance"}],
    )
    seconds: float = Field(gt=0, le=31 * 86_400, examples=[3600], description="how long, from now")
    by: Line = Field("api", min_length=1)
    reason: Line = ""


class SilenceShown(BaseModel):
    """A silence."""

    silence_id: int
    match: dict[str, str]
    starts_at: datetime
    ends_at: datetime
    by: str
    reason: str
    active: bool


class SilencesShown(BaseModel):
    """Silences, the newest first."""

    silences: list[SilenceShown]


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
    dedup_key: Line = Field("", description="a second post with the same key within a day is the same post")


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


class ChannelShown(BaseModel):
    """A channel and how it is."""

    channel: str
    kind: str
    state: str = Field(description="ready, resting (failed for good, tried again later) or not_configured")
    detail: str
    waiting: int = Field(description="deliveries that wait")


class ChannelsShown(BaseModel):
    """Every channel of the policy."""

    channels: list[ChannelShown]


def shown(alert: Alert, hidden: frozenset[int]) -> AlertShown:
    """Return an alert for reading."""
    return AlertShown.model_validate(_plain(alert, hidden))


def with_history(alert: Alert, hidden: frozenset[int], notifications: Iterable[dict[str, Any]]) -> AlertWithHistory:
    """Return an alert with what was told of it."""
    history = [notification_shown(one).model_dump() for one in notifications]
    return AlertWithHistory.model_validate({**_plain(alert, hidden), "notifications": history})


def notification_shown(row: dict[str, Any]) -> NotificationShown:
    """Return a notification for reading."""
    message = row["message"]
    return NotificationShown.model_validate(
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


def silence_shown(silence: Silence, now_s: float) -> SilenceShown:
    """Return a silence for reading."""
    return SilenceShown(
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
    state = AlertState.FIRING if word is None else AlertState.ACKNOWLEDGED
    return {
        "alert_id": alert.alert_id,
        "name": alert.name,
        "state": state if is_firing else AlertState.ENDED,
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
