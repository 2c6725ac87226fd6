"""Whom to tell what, now. Pure: the same state, policy and time give the same notifications."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from math import inf

from services.alerter.alerts import Acknowledgement, Alert, Source
from services.alerter.digest import digest, log
from services.alerter.messages import Kind
from services.alerter.news import CALLS, Look, News, Wording, look_at, merged, notify
from services.alerter.noticing import begin_day, notice
from services.alerter.observing import SAME_S
from services.alerter.paging import page
from services.alerter.policy import PAGE, Policy
from services.alerter.turn import DIGEST_GROUP, LOG_GROUP, Turn


def decide(turn: Turn, policy: Policy, wording: Wording, enabled: frozenset[str]) -> None:
    """Decide on everything that is due, and put it into words; ``enabled`` are the channels that can be used."""
    look = look_at(turn, policy, enabled)
    begin_day(look)
    _pass_over(look)
    for group in list(turn.groups.values()):
        (page if group.to == PAGE else notice)(look, group)
    log(look)
    digest(look)
    for news in merged(look.news, policy.storm):
        notify(turn, wording, news)
    _tidy(turn, policy)


def acknowledge(
    turn: Turn,
    policy: Policy,
    wording: Wording,
    alert_ids: Collection[int],
    *,
    by: str,
    note: str = "",
    until_s: float = inf,
) -> list[Alert]:
    """Acknowledge alerts, and with each what was told of its group: nobody is called about them any more.

    Of the group only what was told up to ``until_s``: whoever answers a message has not read the later ones.
    What was posted is over with that. Returns the alerts that were not acknowledged before.
    """
    groups = {turn.alerts[one].group for one in alert_ids if one in turn.alerts} - {DIGEST_GROUP, LOG_GROUP}
    word = Acknowledgement(at_s=turn.now_s, by=by, note=note)
    wanted = [
        alert
        for alert in turn.firing()
        if alert.alert_id in alert_ids
        or (alert.group in groups and alert.told_s is not None and alert.told_s <= until_s)
    ]
    done = [turn.put(_acknowledged(alert, word)) for alert in wanted if alert.acknowledged is None]
    keys = [key for key in dict.fromkeys(alert.group for alert in done) if key in groups]
    calmed = [_calm(turn, key, tuple(alert for alert in done if alert.group == key)) for key in keys]
    for news in merged([one for one in calmed if one is not None], policy.storm):
        notify(turn, wording, news)
    return done


def join(turn: Turn, given: Iterable[tuple[str, Collection[str]]]) -> None:
    """Note which channels stood in, each for these groups: who was told by one hears the end of it there."""
    for channel, keys in given:
        for group in [turn.groups[key] for key in keys if key in turn.groups]:
            turn.put_group(replace(group, channels=tuple(dict.fromkeys([*group.channels, channel]))))


def _acknowledged(alert: Alert, word: Acknowledgement) -> Alert:
    told_s = word.at_s if alert.told_s is None else alert.told_s
    acknowledged = replace(alert, acknowledged=word, told_s=told_s)
    if alert.source is not Source.POST:
        return acknowledged
    return replace(acknowledged, ended_s=word.at_s, is_end_told=True)


def _calm(turn: Turn, key: str, done: tuple[Alert, ...]) -> News | None:
    """Stop calling about a group once everything told of it is acknowledged, and return that news."""
    group = turn.groups[key]
    if any(one.group == key and one.told_s is not None and one.acknowledged is None for one in turn.firing()):
        return None
    turn.put_group(replace(group, due_s=None))
    turn.withdraw(key, CALLS)
    return News(
        kind=Kind.ACKNOWLEDGED,
        tier=group.tier,
        groups=(key,),
        channels=group.channels,
        firing=done,
        dedup_key=group.dedup_key,
    )


def _pass_over(look: Look) -> None:
    """Settle what ended while it was hidden and untold: nobody wanted to hear of it, then or later."""
    for alert in list(look.turn.alerts.values()):
        if alert.alert_id in look.hidden and alert.told_s is None and not alert.is_firing:
            look.settle([alert])


def _tidy(turn: Turn, policy: Policy) -> None:
    """Forget what is told to its end once it explains nothing any more, silences that are over, and old beginnings."""
    keep_s = max((one.linger for one in policy.inhibit), default=0.0)
    for alert in list(turn.alerts.values()):
        if alert.is_settled and alert.ended_s is not None and turn.now_s - alert.ended_s >= keep_s:
            turn.forget(alert)
    turn.silences = {number: one for number, one in turn.silences.items() if one.ends_s > turn.now_s}
    turn.episodes = {
        fingerprint: starts
        for fingerprint, starts in turn.episodes.items()
        if turn.now_s - starts[-1] <= policy.flapping.within
    }
    turn.posted = {key: (number, at_s) for key, (number, at_s) in turn.posted.items() if turn.now_s - at_s < SAME_S}
