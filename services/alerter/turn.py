"""What the alerter knows, and one change to it: everything that has to be committed together. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from services.alerter.alerts import Alert, Group, Silence, Spent
from services.alerter.messages import Kind, Message, Tier

DIGEST_GROUP: Final = "digest"
LOG_GROUP: Final = "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A message and whom it is for; without channels it is logged and shown, no more."""

    notification_id: int
    kind: Kind
    tier: Tier
    created_s: float
    groups: tuple[str, ...]
    alerts: tuple[int, ...]
    channels: tuple[str, ...]
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything that decides what happens next. ``episodes`` holds, by fingerprint, when the latest ones began."""

    alerts: Mapping[int, Alert] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    silences: Mapping[int, Silence] = field(default_factory=dict)
    episodes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    posted: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    """By fingerprint: the number of what was posted within a day, and when."""

    spent: Spent = field(default_factory=Spent)
    digested_s: float = 0.0
    watched_s: float | None = None
    """When Prometheus was last asked with success."""

    next_alert_id: int = 1
    next_notification_id: int = 1
    next_silence_id: int = 1


class Turn:
    """One change under way: the state as it will be, and which parts of it are new."""

    def __init__(self, state: State, now_s: float) -> None:
        self.now_s = now_s
        self.before = state
        self.alerts = dict(state.alerts)
        self.groups = dict(state.groups)
        self.silences = dict(state.silences)
        self.episodes = dict(state.episodes)
        self.posted = dict(state.posted)
        self.spent = state.spent
        self.digested_s = state.digested_s
        self.watched_s = state.watched_s
        self.notifications: list[Notification] = []
        self.withdrawn: dict[str, frozenset[Kind]] = {}
        """By group: the kinds of message that need not reach anybody any more."""
        self.changed: dict[int, Alert] = {}
        """The alerts that are not as they were, those included that are forgotten."""
        self.changed_silences: dict[int, Silence] = {}
        self.next_alert_id = state.next_alert_id
        self._next_notification_id = state.next_notification_id
        self._next_silence_id = state.next_silence_id
        self._current = {alert.fingerprint: alert.alert_id for alert in self.alerts.values() if alert.is_firing}

    def state(self) -> State:
        """Return the state after this change."""
        return replace(
            self.before,
            alerts=self.alerts,
            groups=self.groups,
            silences=self.silences,
            episodes=self.episodes,
            posted=self.posted,
            spent=self.spent,
            digested_s=self.digested_s,
            watched_s=self.watched_s,
            next_alert_id=self.next_alert_id,
            next_notification_id=self._next_notification_id,
            next_silence_id=self._next_silence_id,
        )

    def current(self, fingerprint: str) -> Alert | None:
        """Return the alert that fires under this fingerprint."""
        alert_id = self._current.get(fingerprint)
        return None if alert_id is None else self.alerts[alert_id]

    def new_alert_id(self) -> int:
        """Return the next alert's number, and count on."""
        self.next_alert_id += 1
        return self.next_alert_id - 1

    def put(self, alert: Alert) -> Alert:
        """Take an alert as it is from now on, and return it."""
        self.alerts[alert.alert_id] = alert
        self.changed[alert.alert_id] = alert
        if alert.is_firing:
            self._current[alert.fingerprint] = alert.alert_id
        elif self._current.get(alert.fingerprint) == alert.alert_id:
            del self._current[alert.fingerprint]
        return alert

    def reword(self, alert: Alert) -> None:
        """Take an alert's newest words, which change with every evaluation and are kept in memory alone."""
        self.alerts[alert.alert_id] = alert

    def forget(self, alert: Alert) -> None:
        """Let go of an alert that nothing is left to be said about; its history stays."""
        del self.alerts[alert.alert_id]

    def put_group(self, group: Group) -> None:
        """Take a group as it is from now on."""
        self.groups[group.key] = group

    def close_group(self, key: str) -> None:
        """End a group's life."""
        self.groups.pop(key, None)

    def put_silence(self, silence: Silence) -> Silence:
        """Take a silence; one with number 0 is new and gets the next."""
        if silence.silence_id == 0:
            silence = replace(silence, silence_id=self._next_silence_id)
            self._next_silence_id += 1
        self.silences[silence.silence_id] = self.changed_silences[silence.silence_id] = silence
        return silence

    def new_notification_id(self) -> int:
        """Return the next notification's number."""
        self._next_notification_id += 1
        return self._next_notification_id - 1

    def tell(self, notification: Notification) -> None:
        """Put a notification into the outbox."""
        self.notifications.append(notification)

    def withdraw(self, group: str, kinds: frozenset[Kind]) -> None:
        """Take back what a group still has in the outbox of these kinds."""
        self.withdrawn[group] = self.withdrawn.get(group, frozenset()) | kinds

    def members(self) -> dict[str, list[Alert]]:
        """Return what there still is to say, by group; the oldest first."""
        found: dict[str, list[Alert]] = {}
        for alert in self.alerts.values():
            if not alert.is_settled:
                found.setdefault(alert.group, []).append(alert)
        return found

    def firing(self) -> Iterator[Alert]:
        """Yield the alerts that fire."""
        return (alert for alert in self.alerts.values() if alert.is_firing)
