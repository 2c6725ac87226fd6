"""What the alerter answers and takes over HTTP. The api asks it, and answers its own callers with the same."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from nightdesk.matchers import Matchers

MAX_NUMBER: Final = 2**53
"""Every number in JSON up to this one is exact."""

MAX_ALERTS: Final = 500
MIN_SILENCE_S: Final = 60.0
MAX_SILENCE_S: Final = 31 * 86_400.0

Number = Annotated[int, Field(ge=1, le=MAX_NUMBER)]
Line = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class AlertState(StrEnum):
    """How an alert is."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"


class AlertsQuery(BaseModel):
    """Which alerts."""

    model_config = ConfigDict(extra="forbid")

    firing: bool = Field(default=False, description="only those that fire")
    before: Number | None = Field(None, description="only alerts older than this one: `next` of a page")
    limit: int = Field(100, ge=1, le=MAX_ALERTS, description="at most so many")


class SilencesQuery(BaseModel):
    """Which silences."""

    model_config = ConfigDict(extra="forbid")

    ended: bool = Field(default=False, description="also those that are over")


class Attempt(BaseModel):
    """One attempt to deliver."""

    at: datetime = Field(description="when it began")
    outcome: str = Field(description="delivered, permanent, rate_limited or transient")
    reason: str = Field(description="why it failed, from a closed list; empty when it did not")
    status: int | None = Field(description="the HTTP status of the answer, where there was one")
    latency_s: float = Field(description="seconds it took")
    detail: str = Field(description="what was wrong, in words")


class Delivery(BaseModel):
    """A notification on its way over one channel."""

    channel: str = Field(description="name of the channel in config/alerts.yaml")
    state: str = Field(description="queued, sending, delivered, failed or withdrawn")
    due_at: datetime = Field(description="when it was, or is, to be sent")
    ended_at: datetime | None = Field(description="when it was delivered or given up")
    attempts: list[Attempt] = Field(description="in their order")


class Notification(BaseModel):
    """Something that was told."""

    notification_id: int = Field(description="its number")
    kind: str = Field(description="firing, escalation, repeat, resolved, digest and so on")
    tier: str = Field(description="critical, warning or info")
    created_at: datetime = Field(description="when it was decided to tell it")
    title: str = Field(description="one line")
    text: str = Field(description="what it means")
    facts: list[tuple[str, str]] = Field(description="labelled lines")
    items: list[str] = Field(description="one line for each of several alerts")
    deliveries: list[Delivery] = Field(description="none where no channel was told: it stands in the log and here")


class Alert(BaseModel):
    """One episode of one alert."""

    alert_id: int = Field(description="its number", examples=[12])
    name: str = Field(description="name of its rule", examples=["FeedSilent"])
    state: AlertState
    tier: str = Field(description="critical, warning or info")
    source: str = Field(description="prometheus, alerter (about itself) or post (from a job or strategy)")
    summary: str = Field(description="one line")
    description: str = Field(description="what it means")
    last_good: str = Field(description="the last good value, where its rule tells one")
    runbook: str = Field(description="where it is written what to do")
    labels: dict[str, str] = Field(description="what matchers match")
    started_at: datetime = Field(description="when its condition began to hold")
    ended_at: datetime | None = Field(description="null while it fires")
    told_at: datetime | None = Field(description="when a person was first told; null while it waits or is hidden")
    acknowledged_at: datetime | None = Field(description="when somebody said that they look after it")
    acknowledged_by: str | None = Field(description="who said so")
    note: str | None = Field(description="what they had to say")
    hidden: bool = Field(description="whether a silence, or another alert that explains it, hides it now")


class Alerts(BaseModel):
    """A page of alerts, the newest first."""

    alerts: list[Alert] = Field(description="the newest first")
    next: int | None = Field(description="give this as `before` for the next page; null when there is none")


class AlertWithHistory(Alert):
    """An alert and what was told of it."""

    notifications: list[Notification] = Field(description="the newest first")


class Notifications(BaseModel):
    """A page of notifications, the newest first."""

    notifications: list[Notification] = Field(description="the newest first")
    next: int | None = Field(description="give this as `before` for the next page; null when there is none")


class Acknowledge(BaseModel):
    """Who acknowledges, and what they have to say."""

    model_config = ConfigDict(extra="forbid")

    by: Line = Field(default="api", min_length=1, description="who acknowledges")
    note: Line = Field(default="", description="for the history")


class Acknowledged(BaseModel):
    """Which alerts are acknowledged now that were not before."""

    alerts: list[int] = Field(description="their numbers; none when nothing changed")


class NewSilence(BaseModel):
    """Which alerts not to tell of, for how long, and why."""

    model_config = ConfigDict(extra="forbid")

    match: Matchers = Field(
        description="label: regular expression for its whole value; all have to match",
        examples=[{"alertname": "SymbolSilent", "symbol": "BTC.*"}],
    )
    seconds: float = Field(ge=MIN_SILENCE_S, le=MAX_SILENCE_S, description="how long, from now", examples=[7200])
    by: Line = Field(default="api", min_length=1, description="who silences")
    reason: Line = Field(default="", description="why")


class Silence(BaseModel):
    """Alerts that are told to nobody for a while."""

    silence_id: int = Field(description="its number", examples=[3])
    match: dict[str, str] = Field(description="label: regular expression for its whole value")
    starts_at: datetime = Field(description="from when")
    ends_at: datetime = Field(description="until when")
    by: str = Field(description="who silenced")
    reason: str = Field(description="why")
    active: bool = Field(description="whether it is in force now")


class Silences(BaseModel):
    """Silences, the newest first."""

    silences: list[Silence] = Field(description="the newest first")


class Channel(BaseModel):
    """A way to a person."""

    channel: str = Field(description="its name in config/alerts.yaml")
    kind: str = Field(description="slack, pushover and so on")
    state: str = Field(description="ready, resting (failed for good, tried again later) or not_configured")
    detail: str = Field(description="why it is not ready; empty when it is")
    waiting: int = Field(description="deliveries that wait")


class Channels(BaseModel):
    """Every channel of the policy."""

    channels: list[Channel]


class Link(BaseModel):
    """What an acknowledge link is about."""

    title: str = Field(description="one line")
    text: str = Field(description="what it means")
    alerts: list[Alert] = Field(description="what its notification told")
    open: bool = Field(description="whether any of it still needs somebody")
