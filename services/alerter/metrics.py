"""The alerter's metrics; every label's values come from the policy or are listed here."""

from collections.abc import Iterable
from itertools import product
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.alerter.alerts import Source
from services.alerter.channel import Reason
from services.alerter.delivery.courier import OUTCOMES
from services.alerter.messages import Kind, Tier

POLLS: Final = ("ok", "no_watchdog", "not_read_up", "failed")
ACKNOWLEDGED: Final = ("yes", "no")
LATENCY_S: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
REACHED_S: Final = (1, 2, 5, 10, 20, 30, 60, 120, 300, 900, 3600)
ACKNOWLEDGED_S: Final = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 14_400, 43_200)


class AlerterMetrics:
    """The families, with a child for every label value that is known, so that a rate sees the first event."""

    def __init__(self, registry: CollectorRegistry, channels: Iterable[str]) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"nightdesk_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"nightdesk_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"nightdesk_{name}", text, labels, buckets=buckets, registry=registry)

        self.firing = gauge("alerts_firing", "Alerts that fire.", "source", "tier", "acknowledged")
        self.silences = gauge("silences", "Silences in force.")
        self.notifications = counter("notifications", "Notifications made.", "kind", "tier")
        self.attempts = counter("delivery_attempts", "Attempts to deliver, by how they ended.", "channel", "outcome")
        self.failures = counter("delivery_failures", "Attempts that failed, by reason.", "channel", "reason")
        self.attempt_seconds = histogram("delivery_attempt_seconds", "How long an attempt took.", LATENCY_S, "channel")
        self.reached_seconds = histogram(
            "delivery_reached_seconds", "From the notification to its delivery.", REACHED_S, "channel"
        )
        self.repeated = counter(
            "deliveries_repeated",
            "Deliveries sent again because the process ended while they were under way.",
            "channel",
        )
        self.outbox = gauge("outbox_deliveries", "Deliveries that wait.", "channel")
        self.enabled = gauge("channel_enabled", "1 while a channel can be used.", "channel")
        self.acknowledge_seconds = histogram(
            "alert_acknowledge_seconds", "From the first word of an alert to its acknowledgement.", ACKNOWLEDGED_S
        )
        self.spent = gauge("budget_spent_messages", "Messages of today's budget that are used up.")
        self.budget = gauge("budget_messages", "Messages a day that are neither a page nor a digest.")
        self.waiting = gauge("digest_waiting_alerts", "Alerts that wait for the digest.")
        self.polls = counter("watch_polls", "Questions to Prometheus, by how they ended.", "outcome")
        self.poll_seconds = histogram("watch_poll_seconds", "How long a question took.", LATENCY_S)
        self.watched = gauge("watch_last_good_timestamp_seconds", "When Prometheus last gave a sure answer, Unix time.")
        self.pinged = gauge(
            "deadman_last_ping_timestamp_seconds", "When the dead-man's switch was last pinged, Unix time."
        )
        self.progress = gauge("progress_timestamp_seconds", "When progress was last made, Unix time.", "service")
        self._label(channels)

    def _label(self, channels: Iterable[str]) -> None:
        for outcome in POLLS:
            self.polls.labels(outcome)
        for tier in Tier:
            for source, acknowledged in product(Source, ACKNOWLEDGED):
                self.firing.labels(source.value, tier.value, acknowledged)
            for kind in Kind:
                self.notifications.labels(kind.value, tier.value)
        for channel in channels:
            for outcome in OUTCOMES:
                self.attempts.labels(channel, outcome)
            for reason in Reason:
                self.failures.labels(channel, reason.value)
            self.repeated.labels(channel)
            self.outbox.labels(channel)
            self.attempt_seconds.labels(channel)
            self.reached_seconds.labels(channel)
