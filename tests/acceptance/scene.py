"""What the acceptance tests share: rules, a policy whose timers take seconds, and words for what arrives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.alerting.exporter import Exporter
from tests.alerting.processes import Alerter, Prometheus, within
from tests.channel_server import ChannelServer, Received, ok

EVERY: Final = "250ms"
RULES: Final = {
    "rules.yaml": {
        "groups": [
            {
                "name": "test",
                "rules": [
                    {"alert": "Watchdog", "expr": "vector(time())", "labels": {"severity": "info"}},
                    *(
                        {
                            "alert": name,
                            "expr": f"{metric} == 1",
                            "labels": {"severity": severity},
                            "annotations": {
                                "summary": "{{ $labels.feed }}: " + name,
                                "description": f"What {name} means.",
                                "last_good": "BTCUSDT at 50000",
                                "runbook_url": f"docs/runbooks/{name}.md",
                            },
                        }
                        for name, metric, severity in (
                            ("FeedSilent", "feed_silent", "critical"),
                            ("SymbolSilent", "symbol_silent", "critical"),
                            ("DiskLow", "disk_low", "warning"),
                        )
                    ),
                ],
            }
        ]
    }
}

POLICY: Final = """
channels:
  slack: {kind: slack}
  pager: {kind: pushover, api_url: "%(server)s/pushover"}
  duty: {kind: pagerduty, api_url: "%(server)s/pagerduty"}
  hook: {kind: webhook}
page:
  steps:
    - {channels: [slack]}
    - {after: 3s, channels: [pager]}
  repeat: 2s
  interval: 0s
notices: {wait: 0s, interval: 0s, repeat: 0s}
routes:
  - {match: {alertname: DiskLow|Notification}, to: [slack]}
digest: {at: ["00:00"], channels: [slack]}
failover_after: 2s
watch: {every: 0.2s, resolve_after: 1s, settle_after: 0s, unreachable_after: 2s}
"""
"""Every timer in seconds, so that what takes a quarter of an hour at night takes a moment here."""

PUSHOVER: Final = {"PUSHOVER_APP_TOKEN": "app-token-of-pushover", "PUSHOVER_USER_KEY": "user-key-of-pushover"}
DUTY: Final = {"PAGERDUTY_ROUTING_KEY": "routing-key-of-pagerduty"}

SOON_S: Final = 10.0
"""Scrape, evaluation, poll and delivery take a second or so here; the rest is for a machine that is busy."""

QUIET_S: Final = 2.5
"""How long nothing more may come."""

PUSHED: Final = ok(b'{"status":1,"request":"r","receipt":"receipt1"}')


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a test plays with."""

    exporter: Exporter
    prometheus: Prometheus
    server: ChannelServer
    new_alerter: Callable[..., Alerter]

    def begun(self, policy: str = POLICY, environ: Mapping[str, str] | None = None) -> Alerter:
        """Return a new alerter once it watches."""
        alerter = self.new_alerter(policy, environ)
        alerter.begin()
        return alerter

    def told(self, prefix: str, count: int, within_s: float = SOON_S) -> list[str]:
        """Return what a channel took, once it is so many messages."""
        return [words(one) for one in self.server.wait_for(count, within_s, prefix)]


def everything(server_url: str) -> dict[str, str]:
    return {
        "SLACK_WEBHOOK_URL": f"{server_url}/slack",
        "WEBHOOK_URL": f"{server_url}/hook",
        "WEBHOOK_SECRET": "secret-of-the-hook",
        **PUSHOVER,
        **DUTY,
    }


def words(received: Received) -> str:
    return received.body.decode()


def has_delivered(alerter: Alerter, count: int) -> None:
    """Wait until so many deliveries are known to have arrived: killed before that, they are made again."""
    within(
        SOON_S, lambda: alerter.metric("nightdesk_delivery_attempts_total", outcome="delivered") >= count, "delivered"
    )
