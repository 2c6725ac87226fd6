"""What happens, as figures: hears of turns, polls and attempts, and tells the metrics."""

from collections import Counter
from collections.abc import Callable
from itertools import product

from services.alerter.alerts import Source
from services.alerter.delivery.courier import DELIVERED
from services.alerter.delivery.roster import Roster
from services.alerter.desk import Desk
from services.alerter.messages import Tier
from services.alerter.metrics import ACKNOWLEDGED, AlerterMetrics
from services.alerter.store.outbox import Attempt, Delivery, Outbox
from services.alerter.turn import DIGEST_GROUP, Turn


class Recording:
    """Tells the metrics, and wakes the couriers that have something new to deliver."""

    def __init__(self, metrics: AlerterMetrics, wake: Callable[[frozenset[str]], None]) -> None:
        self._metrics = metrics
        self._wake = wake

    def turned(self, turn: Turn) -> None:
        """A turn was committed."""
        for alert_id, alert in turn.changed.items():
            before = turn.before.alerts.get(alert_id)
            told_s = None if before is None or before.acknowledged is not None else before.told_s
            if alert.acknowledged is not None and told_s is not None:
                self._metrics.acknowledge_seconds.observe(alert.acknowledged.at_s - told_s)
        for notification in turn.notifications:
            self._metrics.notifications.labels(notification.kind.value, notification.tier.value).inc()
        if turn.notifications:
            self._wake(frozenset(name for one in turn.notifications for name in one.channels))

    def polled(self, outcome: str, seconds: float) -> None:
        """Prometheus was asked."""
        self._metrics.polls.labels(outcome).inc()
        self._metrics.poll_seconds.observe(seconds)

    def attempted(self, channel: str, attempt: Attempt, delivery: Delivery | None) -> None:
        """A channel was tried; ``delivery`` is None for a test."""
        self._metrics.attempts.labels(channel, attempt.outcome).inc()
        self._metrics.attempt_seconds.labels(channel).observe(attempt.latency_s)
        if attempt.outcome != DELIVERED:
            self._metrics.failures.labels(channel, attempt.reason).inc()
        elif delivery is not None:
            reached_s = attempt.at_s + attempt.latency_s - delivery.created_s
            self._metrics.reached_seconds.labels(channel).observe(max(0.0, reached_s))

    def looked(self, desk: Desk, roster: Roster, outbox: Outbox, now_s: float) -> None:
        """A tick passed: bring what is a level, not an event, up to date."""
        state = desk.state
        firing = Counter(
            (one.source, one.tier, "no" if one.acknowledged is None else "yes")
            for one in state.alerts.values()
            if one.is_firing
        )
        for source, tier, acknowledged in product(Source, Tier, ACKNOWLEDGED):
            count = firing[source, tier, acknowledged]
            self._metrics.firing.labels(source.value, tier.value, acknowledged).set(count)
        waiting = sum(one.group == DIGEST_GROUP and one.told_s is None for one in state.alerts.values())
        self._metrics.waiting.set(waiting)
        self._metrics.silences.set(sum(one.starts_s <= now_s < one.ends_s for one in state.silences.values()))
        self._metrics.spent.set(state.spent.messages)
        self._metrics.budget.set(desk.policy.budget.per_day)
        self._metrics.watched.set(state.watched_s or 0.0)
        queues = outbox.queues()
        usable = roster.usable()
        for name in roster.channels:
            self._metrics.outbox.labels(name).set(queues[name].deliveries if name in queues else 0)
            self._metrics.enabled.labels(name).set(name in usable and name not in roster.disabled)
