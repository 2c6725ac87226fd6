"""What a person is told, before a channel gives it a form. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

MAX_TOLD: Final = 200


class Tier(StrEnum):
    """How urgent something is: the label ``severity`` of a rule."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Kind(StrEnum):
    """Why a message is sent."""

    FIRING = "firing"
    ESCALATION = "escalation"
    REPEAT = "repeat"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    MISSED = "missed"
    DIGEST = "digest"
    NOTICE = "notice"
    MESSAGE = "message"
    TEST = "test"


class Fact(NamedTuple):
    """One labelled line, for example ``Since`` and ``03:47:12 UTC, for 62 s``."""

    name: str
    text: str


class Link(NamedTuple):
    """Where to go on; the address is absolute."""

    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One alert as a message tells of it, for programs; ``ended_s`` is None while it fires. Unix seconds."""

    alert_id: int
    labels: Mapping[str, str]
    started_s: float
    ended_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A notification in words.

    ``items`` are the lines of a list (the alerts of a group, the entries of a digest), the most important first.
    ``dedup_key`` is the same for every message about the same thing, from its beginning to its end.
    ``acknowledge_url`` opens the page whose button acknowledges; ``hint`` says how to do it where there is no link.
    """

    notification_id: int
    kind: Kind
    tier: Tier
    title: str
    text: str = ""
    facts: tuple[Fact, ...] = ()
    items: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    acknowledge_url: str | None = None
    hint: str = ""
    dedup_key: str = ""
    alerts: tuple[Told, ...] = ()
    more_alerts: int = 0
    """Alerts beyond those in ``alerts``, which are at most ``MAX_TOLD``."""
