"""Alerts, their groups, and what silences them. Pure; times are Unix seconds."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from services.alerter.matching import Labels
from services.alerter.messages import Tier

NAME: Final = "alertname"
SEVERITY: Final = "severity"


class Source(StrEnum):
    """Who says that something is wrong."""

    PROMETHEUS = "prometheus"
    ALERTER = "alerter"
    POST = "post"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a source says is firing now, and since when its condition holds."""

    labels: Labels
    annotations: Mapping[str, str] = field(default_factory=dict)
    started_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """An alert that fired while nobody looked: from its first to its last evaluation, Unix seconds."""

    labels: Labels
    started_s: float
    last_s: float
    is_over: bool
    """Whether it is certain that it ended after the last: another may just not have come yet."""

    apart_s: float = 0.0
    """How long its series has to be silent for an end, by how often its rule is evaluated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """A person said: I know, I look after it."""

    at_s: float
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One episode of one alert, from its beginning to its end.

    It fires until ``ended_s``; from ``missing_s`` on its source does not report it any more, which may be a moment's
    doubt. ``told_s`` is when a person was first told of it, ``is_end_told`` whether its end needs no more words. What
    is ``momentary`` was posted and has no end.
    """

    alert_id: int
    fingerprint: str
    source: Source
    tier: Tier
    group: str
    labels: Labels
    annotations: Mapping[str, str]
    started_s: float
    seen_s: float
    missing_s: float | None = None
    ended_s: float | None = None
    told_s: float | None = None
    is_end_told: bool = False
    is_momentary: bool = False
    acknowledged: Acknowledgement | None = None

    @property
    def name(self) -> str:
        """The name of its rule."""
        return self.labels.get(NAME, "")

    @property
    def summary(self) -> str:
        """Its one line, or its labels where its rule gives none."""
        return self.annotations.get("summary", "").strip() or described(self.labels)

    @property
    def is_firing(self) -> bool:
        """Whether it is not over."""
        return self.ended_s is None

    @property
    def is_certain(self) -> bool:
        """Whether its source reports it right now."""
        return self.ended_s is None and self.missing_s is None

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing left to say about it."""
        return self.ended_s is not None and self.is_end_told


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Alerts that share their messages, from the first that fires to the end of the last.

    ``step`` is the step of the page that comes next, ``due_s`` when it, or the next repetition, is due; None when
    nobody has to be told again. ``channels`` have been told so far.
    """

    key: str
    to: str | tuple[str, ...]
    tier: Tier
    is_always: bool
    opened_s: float
    told_s: float | None = None
    step: int = 0
    due_s: float | None = None
    channels: tuple[str, ...] = ()
    dedup_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Alerts whose labels match are not told until ``ends_s``."""

    silence_id: int
    match: Mapping[str, str]
    starts_s: float
    ends_s: float
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """How much of a day's budget is used up, and whether that was said. ``day`` is the local date."""

    day: str = ""
    messages: int = 0
    is_noticed: bool = False


def fingerprint_of(labels: Labels) -> str:
    """Return what tells one alert from another: a hash of its labels."""
    return _digest(json.dumps(sorted(labels.items()), separators=(",", ":")))


def key_of(to: str | tuple[str, ...], tier: Tier, labels: Labels) -> str:
    """Return the key of a group: where it goes, how urgent it is, and the labels it is grouped by."""
    where = to if isinstance(to, str) else ",".join(to)
    return f"{where}|{tier}|{json.dumps(sorted(labels.items()), separators=(',', ':'))}"


def described(labels: Labels) -> str:
    """Return an alert's name and what sets it apart, for reading."""
    rest = ", ".join(f"{name}={value}" for name, value in sorted(labels.items()) if name not in {NAME, SEVERITY})
    name = labels.get(NAME, "alert")
    return f"{name} ({rest})" if rest else name


def tier_of(labels: Labels) -> Tier:
    """Return how urgent an alert is; a rule that does not say is a warning."""
    try:
        return Tier(labels.get(SEVERITY, Tier.WARNING))
    except ValueError:
        return Tier.WARNING


def dedup_key_of(key: str, opened_s: float) -> str:
    """Return the name of one life of a group: the same from its first message to its last."""
    return f"nightdesk-{_digest(f'{key}|{opened_s:.3f}')}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
