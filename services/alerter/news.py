"""News: what is to be told before it has words; and one look at everything that gathers them. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, TypeAlias

from services.alerter.alerts import Alert, Group, dedup_key_of
from services.alerter.hiding import hidden
from services.alerter.messages import Kind, Message, Tier
from services.alerter.policy import Policy
from services.alerter.turn import Notification, Turn

CALLS: Final = frozenset({Kind.FIRING, Kind.ESCALATION, Kind.REPEAT})
"""What asks a person to do something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Which alerts fire and which are over, for whom; ``since_s`` is when the first of their group began."""

    kind: Kind
    tier: Tier
    groups: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    firing: tuple[Alert, ...] = ()
    ended: tuple[Alert, ...] = ()
    dedup_key: str = ""

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """All of them."""
        return (*self.firing, *self.ended)


Wording: TypeAlias = Callable[[News, int, float], Message]
"""Puts news into words, for the notification of this number at this time."""


BEFORE_THE_FIRST: Final = -1


class Call(NamedTuple):
    """A step of the page with the channels of it that can be used: its place among all steps, and its pause."""

    place: int
    after_s: float
    channels: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Look:
    """One look at everything: what it finds to be told is in ``news``."""

    turn: Turn
    policy: Policy
    enabled: frozenset[str]
    hidden: frozenset[int]
    members: Mapping[str, Sequence[Alert]]
    news: list[News] = field(default_factory=list)

    @property
    def now_s(self) -> float:
        """The time, Unix seconds."""
        return self.turn.now_s

    def of(self, group: Group) -> "Members":
        """Return what there is to say of a group."""
        return Members([alert for alert in self.members.get(group.key, ()) if not alert.is_settled], self.hidden)

    def calls(self) -> list[Call]:
        """Return the steps of the page that can be taken; where there are none, a call to any channel there is."""
        usable = (
            Call(place, step.after, tuple(name for name in step.channels if name in self.enabled))
            for place, step in enumerate(self.policy.page.steps)
        )
        calls = [call for call in usable if call.channels]
        return calls or [Call(BEFORE_THE_FIRST, 0.0, names) for names in [self.stand_ins(())] if names]

    def stand_ins(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Return the channels that are wanted and can be used; where there are none, the first that can."""
        kept = tuple(name for name in wanted if name in self.enabled)
        return kept or tuple(name for name in self.policy.order if name in self.enabled)[:1]

    def is_unheard(self, group: Group) -> bool:
        """Return whether a group was told of to nobody, there being no channel, and there is one now."""
        return bool(self.enabled) and group.told_s is not None and not group.channels

    def reached(self, group: Group, otherwise: Sequence[str]) -> tuple[str, ...]:
        """Return the channels that were told of a group and can be used; where there are none, the others."""
        return tuple(name for name in group.channels if name in self.enabled) or tuple(otherwise)

    def say(
        self, group: Group, kind: Kind, channels: Sequence[str], firing: Iterable[Alert], ended: Iterable[Alert] = ()
    ) -> None:
        """Tell a group's news, and note what is told by it."""
        group = replace(
            group,
            told_s=self.now_s,
            channels=tuple(dict.fromkeys([*group.channels, *channels])),
            dedup_key=group.dedup_key or dedup_key_of(group.key, self.now_s),
        )
        self.turn.put_group(group)
        news = News(
            kind=kind,
            tier=group.tier,
            groups=(group.key,),
            channels=tuple(channels),
            firing=tuple(firing),
            ended=tuple(ended),
            dedup_key=group.dedup_key,
        )
        self.news.append(news)
        self.mark(news.alerts)

    def mark(self, alerts: Iterable[Alert]) -> None:
        """Note that alerts are told, and of those that are over, that their end is."""
        for alert in alerts:
            current = self.turn.alerts[alert.alert_id]
            told_s = self.now_s if current.told_s is None else current.told_s
            told = replace(current, told_s=told_s, is_end_told=not current.is_firing)
            if told != current:  # else a storm that is told again would be written down again
                self.turn.put(told)

    def settle(self, alerts: Iterable[Alert]) -> None:
        """Let alerts that are over be forgotten, told or not."""
        for alert in alerts:
            self.turn.put(replace(self.turn.alerts[alert.alert_id], is_end_told=True))


class Members:
    """The alerts of one group, by what there is to say of each."""

    def __init__(self, alerts: Sequence[Alert], hidden: frozenset[int]) -> None:
        seen = [alert for alert in alerts if alert.alert_id not in hidden]
        self.firing = [alert for alert in alerts if alert.is_firing]
        self.ended = [alert for alert in alerts if not alert.is_firing]
        self.fresh = [alert for alert in seen if alert.told_s is None and (alert.is_certain or alert.is_momentary)]
        """New, sure, and not hidden."""

        self.open = [
            alert for alert in seen if alert.is_certain and alert.told_s is not None and not alert.acknowledged
        ]
        """Told, and nobody looks after it."""

        self.missed = [
            alert for alert in seen if alert.told_s is None and not alert.is_firing and not alert.is_momentary
        ]
        """Over before anybody was told."""

        self.over = [alert for alert in self.ended if alert.told_s is not None]
        """Told, and over since."""

    @property
    def is_unattended(self) -> bool:
        """Whether something fires that was told and nobody acknowledged, hidden or in doubt as it may be."""
        return any(alert.told_s is not None and not alert.acknowledged for alert in self.firing)


def look_at(turn: Turn, policy: Policy, enabled: frozenset[str]) -> Look:
    """Begin a look; ``enabled`` are the channels that can be used."""
    return Look(turn=turn, policy=policy, enabled=enabled, hidden=hidden(turn, policy), members=turn.members())


def notify(turn: Turn, wording: Wording, news: News) -> None:
    """Put one piece of news into the outbox."""
    number = turn.new_notification_id()
    turn.tell(
        Notification(
            notification_id=number,
            kind=news.kind,
            tier=news.tier,
            created_s=turn.now_s,
            groups=news.groups,
            alerts=tuple(dict.fromkeys(alert.alert_id for alert in news.alerts)),
            channels=news.channels,
            message=wording(news, number, turn.now_s),
        )
    )


def merged(news: Sequence[News], most: int) -> list[News]:
    """Return the news with what goes the same way beyond ``most`` messages put into one."""
    ways: dict[tuple[object, ...], list[News]] = {}
    for one in news:
        ways.setdefault((one.kind, one.tier, one.channels), []).append(one)
    found: list[News] = []
    for same in ways.values():
        found += same if len(same) <= most else [*same[: most - 1], _together(same[most - 1 :])]
    return found


def _together(news: Sequence[News]) -> News:
    return replace(
        news[0],
        groups=tuple(key for one in news for key in one.groups),
        firing=tuple(alert for one in news for alert in one.firing),
        ended=tuple(alert for one in news for alert in one.ended),
    )


def may_speak(now_s: float, group: Group, wait_s: float, interval_s: float) -> bool:
    """Return whether a group may have a message: its first after ``wait_s``, others ``interval_s`` apart."""
    return now_s >= (group.opened_s + wait_s if group.told_s is None else group.told_s + interval_s)
