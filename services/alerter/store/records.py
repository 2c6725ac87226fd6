"""Rows to what the alerter knows, and one change to rows: a turn is one transaction."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final, TypeAlias

import msgspec

from services.alerter.alerts import Acknowledgement, Alert, Group, Silence, Source, Spent
from services.alerter.messages import Kind, Message, Tier
from services.alerter.observing import SAME_S
from services.alerter.policy import Policy
from services.alerter.store.file import Row, StateFile, Values
from services.alerter.turn import Notification, State, Turn

URGENT: Final = 0
USUAL: Final = 1
CALLS_FIRST: Final = frozenset({Kind.FIRING, Kind.ESCALATION, Kind.REPEAT, Kind.MISSED, Kind.TEST})

Takes: TypeAlias = Callable[[str, Kind], bool]
"""Return whether a message of this kind means something to this channel."""


class Records:
    """Loads the state, and commits what changes it."""

    def __init__(self, file: StateFile, takes: Takes) -> None:
        self._file = file
        self._takes = takes
        self._noted: dict[str, str] = {}

    def load(self, policy: Policy, now_s: float) -> State:
        """Return the state as it was committed last."""
        linger_s = max((one.linger for one in policy.inhibit), default=0.0)
        alerts = [alert_of(row) for row in self._file.rows("live_alerts", ended_after_s=now_s - linger_s)]
        groups = [_group(row) for row in self._file.rows("live_groups")]
        silences = [silence_of(row) for row in self._file.rows("live_silences", now_s=now_s)]
        self._noted = {row["name"]: row["value"] for row in self._file.rows("notes")}
        notes = {name: json.loads(value) for name, value in self._noted.items()}
        highest = self._file.rows("highest")[0]
        posts = self._file.rows("posts", after_s=now_s - SAME_S)
        return State(
            alerts={one.alert_id: one for one in alerts},
            groups={one.key: one for one in groups},
            silences={one.silence_id: one for one in silences},
            episodes={**self._beginnings(policy, now_s), **_tuples(notes.get("episodes", {}))},
            posted={row["fingerprint"]: (row["alert_id"], row["started_s"]) for row in posts},
            spent=Spent(**notes["spent"]) if "spent" in notes else Spent(),
            digested_s=notes.get("digested_s", now_s),
            watched_s=notes.get("watched_s"),
            next_alert_id=max(highest["alert_id"] + 1, notes.get("next_alert_id", 1)),
            next_notification_id=max(highest["notification_id"] + 1, notes.get("next_notification_id", 1)),
            next_silence_id=max(highest["silence_id"] + 1, notes.get("next_silence_id", 1)),
        )

    def commit(self, turn: Turn) -> None:
        """Write a change and its notifications, all of it or nothing."""
        notes = _notes(turn)
        fresh = {name: value for name, value in notes.items() if self._noted.get(name) != value}
        steps = [*self._steps(turn), *(("put_note", {"name": name, "value": value}) for name, value in fresh.items())]
        if steps:
            self._file.write(steps)
            self._noted |= fresh

    def _beginnings(self, policy: Policy, now_s: float) -> dict[str, tuple[float, ...]]:
        found: dict[str, tuple[float, ...]] = {}
        for row in self._file.rows("beginnings", after_s=now_s - policy.flapping.within):
            known = found.get(row["fingerprint"], ())
            found[row["fingerprint"]] = (*known, row["started_s"])[-policy.flapping.episodes :]
        return found

    def _steps(self, turn: Turn) -> Iterator[tuple[str, Values]]:
        for _, alert in sorted(turn.changed.items()):
            yield "put_alert", alert_row(alert)
        yield from _group_steps(turn)
        for silence in turn.changed_silences.values():
            yield "put_silence", {**asdict(silence), "match": json.dumps(dict(silence.match))}
        for group, kinds in turn.withdrawn.items():
            yield "withdraw", {"group": group, "kinds": json.dumps(sorted(kinds)), "now_s": turn.now_s}
        for notification in turn.notifications:
            yield from self._outbox(notification, turn.now_s)

    def _outbox(self, notification: Notification, now_s: float) -> Iterator[tuple[str, Values]]:
        number = notification.notification_id
        yield (
            "put_notification",
            {
                "notification_id": number,
                "kind": notification.kind.value,
                "tier": notification.tier.value,
                "created_s": notification.created_s,
                "groups": json.dumps(notification.groups, separators=(",", ":")),
                "message": encoded(notification.message),
            },
        )
        for alert_id in notification.alerts:
            yield "put_notified", {"notification_id": number, "alert_id": alert_id}
        for channel in notification.channels:
            if self._takes(channel, notification.kind):
                urgency = urgency_of(notification.kind, notification.tier)
                yield "put_delivery", _delivery(number, channel, urgency, now_s)
                if urgency == URGENT:
                    yield "hurry_earlier", _delivery(number, channel, urgency, now_s)


def urgency_of(kind: Kind, tier: Tier) -> int:
    """Return the place in a channel's queue: what calls a person comes first."""
    return URGENT if tier is Tier.CRITICAL and kind in CALLS_FIRST else USUAL


def _delivery(number: int, channel: str, urgency: int, due_s: float) -> Values:
    return {"notification_id": number, "channel": channel, "urgency": urgency, "due_s": due_s}


def _group_steps(turn: Turn) -> Iterator[tuple[str, Values]]:
    for key, group in turn.groups.items():
        if turn.before.groups.get(key) != group:
            yield "put_group", {**asdict(group), "to": json.dumps(group.to), "channels": json.dumps(group.channels)}
    for key in turn.before.groups.keys() - turn.groups.keys():
        yield "delete_group", {"key": key}


def _notes(turn: Turn) -> dict[str, str]:
    """Return what is neither alert nor group, as JSON by name."""
    after = turn.state()
    names = ("digested_s", "watched_s", "next_alert_id", "next_notification_id", "next_silence_id")
    # What began once is known by its alert; what came and went while it was held is known only here.
    often = {fingerprint: starts for fingerprint, starts in after.episodes.items() if len(starts) > 1}
    return {
        **{name: json.dumps(getattr(after, name)) for name in names},
        "spent": json.dumps(asdict(after.spent)),
        "episodes": json.dumps(often, sort_keys=True),
    }


def _tuples(lists: Mapping[str, list[float]]) -> dict[str, tuple[float, ...]]:
    return {name: tuple(values) for name, values in lists.items()}


def alert_of(row: Row) -> Alert:
    """Return the alert in a row."""
    word = row["acknowledged_s"]
    return Alert(
        alert_id=row["alert_id"],
        fingerprint=row["fingerprint"],
        source=Source(row["source"]),
        tier=Tier(row["tier"]),
        group=row["group"],
        labels=json.loads(row["labels"]),
        annotations=json.loads(row["annotations"]),
        started_s=row["started_s"],
        seen_s=row["seen_s"],
        missing_s=row["missing_s"],
        ended_s=row["ended_s"],
        told_s=row["told_s"],
        is_end_told=bool(row["is_end_told"]),
        is_momentary=bool(row["is_momentary"]),
        acknowledged=None
        if word is None
        else Acknowledgement(at_s=word, by=row["acknowledged_by"], note=row["acknowledged_note"]),
    )


def alert_row(alert: Alert) -> dict[str, Any]:
    """Return the row of an alert."""
    word = alert.acknowledged
    plain = {name: getattr(alert, name) for name in alert.__slots__ if name != "acknowledged"}
    return {
        **plain,
        "labels": json.dumps(dict(alert.labels)),
        "annotations": json.dumps(dict(alert.annotations)),
        "acknowledged_s": None if word is None else word.at_s,
        "acknowledged_by": None if word is None else word.by,
        "acknowledged_note": None if word is None else word.note,
    }


def silence_of(row: Row) -> Silence:
    """Return the silence in a row."""
    return Silence(**{**row, "match": json.loads(row["match"])})


def _group(row: Row) -> Group:
    to: str | list[str] = json.loads(row["to"])
    plain: Mapping[str, Any] = {**row, "tier": Tier(row["tier"]), "is_always": bool(row["is_always"])}
    where = to if isinstance(to, str) else tuple(to)
    return Group(**{**plain, "to": where, "channels": tuple(json.loads(row["channels"]))})


def encoded(message: Message) -> str:
    """Return a message as JSON."""
    return msgspec.json.encode(message).decode()


def decoded(text: str) -> Message:
    """Return the message in JSON."""
    return msgspec.json.decode(text, type=Message)
