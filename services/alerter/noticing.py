"""Notices: what a route sends to channels is told once, within hours and budget, or waits for the digest. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from services.alerter.alerts import Alert, Group, Spent
from services.alerter.messages import Kind, Tier
from services.alerter.news import Look, Members, News, may_speak
from services.alerter.times import local, within
from services.alerter.turn import DIGEST_GROUP


def notice(look: Look, group: Group) -> None:
    """Tell what is due of one group."""
    members, options = look.of(group), look.policy.notices
    wait_s = 0.0 if any(alert.is_momentary for alert in members.fresh) else options.wait
    if members.fresh and may_speak(look.now_s, group, wait_s, options.interval):
        _tell(look, group, members.fresh)
    elif look.is_unheard(group) and members.open:
        _tell(look, group, members.open)
    elif group.due_s is not None and group.due_s <= look.now_s and members.firing:
        _remind(look, group, members)
    elif not members.firing and not members.fresh:
        _close(look, group, members)


def begin_day(look: Look) -> None:
    """Give each local day a budget of its own."""
    day = local(look.now_s, look.policy.timezone).date().isoformat()
    if look.turn.spent.day != day:
        look.turn.spent = Spent(day=day)


def _tell(look: Look, group: Group, alerts: Sequence[Alert]) -> None:
    if not _spend(look, group):
        _keep(look, alerts)
        return
    is_message = all(alert.is_momentary for alert in alerts)
    repeat_s = look.policy.notices.repeat
    told = replace(group, due_s=look.now_s + repeat_s if repeat_s and not is_message else None)
    channels = look.stand_ins(_wanted(group))
    look.say(told, Kind.MESSAGE if is_message else Kind.FIRING, channels, alerts)


def _remind(look: Look, group: Group, members: Members) -> None:
    repeat_s = look.policy.notices.repeat
    later = replace(group, due_s=look.now_s + repeat_s if members.is_unattended and repeat_s else None)
    if members.open and _spend(look, group):
        look.say(later, Kind.REPEAT, look.stand_ins(group.channels), members.open)
    else:
        look.turn.put_group(later)


def _close(look: Look, group: Group, members: Members) -> None:
    """Say that it is over where the policy wants that; what came and went untold, if not critical, the digest has."""
    look.turn.withdraw(group.key, frozenset({Kind.REPEAT}))
    over = [alert for alert in members.over if not alert.is_momentary]
    missed = members.missed
    if group.tier is Tier.CRITICAL and missed and not over:
        look.say(group, Kind.MISSED, look.stand_ins(_wanted(group)), (), missed)
    elif over and (look.policy.notices.resolved or group.tier is Tier.CRITICAL) and _spend(look, group):
        look.say(group, Kind.RESOLVED, look.reached(group, look.stand_ins(())), (), [*over, *missed])
    else:
        _keep(look, missed)
    look.settle(alert for alert in members.ended if look.turn.alerts[alert.alert_id].group == group.key)
    look.turn.close_group(group.key)


def _wanted(group: Group) -> tuple[str, ...]:
    return group.to if isinstance(group.to, tuple) else ()


def _keep(look: Look, alerts: Iterable[Alert]) -> None:
    for alert in alerts:
        look.turn.put(replace(look.turn.alerts[alert.alert_id], group=DIGEST_GROUP))


def _spend(look: Look, group: Group) -> bool:
    """Return whether a message may be sent now, and count it; what is critical, or goes always, may, uncounted."""
    if group.is_always or group.tier is Tier.CRITICAL:
        return True
    quiet = look.policy.quiet_hours
    if quiet is not None and within(quiet.start, quiet.end, local(look.now_s, look.policy.timezone)):
        return False
    spent = look.turn.spent
    if spent.messages < look.policy.budget.per_day:
        look.turn.spent = replace(spent, messages=spent.messages + 1)
        return True
    if not spent.is_noticed:
        look.turn.spent = replace(spent, is_noticed=True)
        channels = look.stand_ins(look.policy.digest.channels)
        look.news.append(News(kind=Kind.NOTICE, tier=Tier.INFO, channels=channels))
    return False
