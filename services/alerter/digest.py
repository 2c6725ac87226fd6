"""The digest: one message, at times that a person chose, with all that needs no haste. And the log. Pure."""

from services.alerter.messages import Kind, Tier
from services.alerter.news import Look, News
from services.alerter.times import latest
from services.alerter.turn import DIGEST_GROUP, LOG_GROUP


def digest(look: Look) -> None:
    """At its times, tell what is new, what is over and what goes on; nothing when there is nothing."""
    moment_s = latest(look.policy.digest.at, look.policy.timezone, look.now_s)
    if moment_s <= look.turn.digested_s:
        return
    look.turn.digested_s = moment_s
    waiting = [alert for alert in look.turn.alerts.values() if alert.group == DIGEST_GROUP and not alert.is_settled]
    shown = [alert for alert in waiting if alert.alert_id not in look.hidden]
    look.settle(alert for alert in waiting if alert.alert_id in look.hidden and not alert.is_firing)
    if not shown:
        return
    look.news.append(
        News(
            kind=Kind.DIGEST,
            tier=Tier.INFO if all(alert.tier is Tier.INFO for alert in shown) else Tier.WARNING,
            channels=look.stand_ins(look.policy.digest.channels),
            firing=tuple(alert for alert in shown if alert.is_firing),
            ended=tuple(alert for alert in shown if not alert.is_firing),
        )
    )
    look.mark(shown)


def log(look: Look) -> None:
    """Pass on what goes to the log alone, once; its end is not worth a line."""
    for alert in look.members.get(LOG_GROUP, ()):
        if alert.told_s is None and alert.alert_id not in look.hidden:
            kind = Kind.MESSAGE if alert.is_momentary else Kind.FIRING
            look.news.append(News(kind=kind, tier=alert.tier, firing=(alert,)))
        if alert.told_s is None or not alert.is_firing:
            look.mark([alert])
