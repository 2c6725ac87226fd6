"""A Prometheus with short intervals for a module's tests; an alerter with short timers for each."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.alerting.exporter import Exporter
from tests.alerting.processes import Alerter, Prometheus
from tests.channel_server import ChannelServer

EVERY = "250ms"
RULES = {
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

POLICY = """
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
watch: {every: 0.2s, resolve_after: 1s, unreachable_after: 2s}
"""
"""Every timer in seconds, so that what takes a quarter of an hour at night takes a moment here."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a test plays with."""

    exporter: Exporter
    prometheus: Prometheus
    server: ChannelServer
    new_alerter: Callable[..., Alerter]


@pytest.fixture(scope="module")
def exporter() -> Iterator[Exporter]:
    with Exporter() as running:
        yield running


@pytest.fixture(scope="module")
def prometheus(exporter: Exporter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    if shutil.which("prometheus") is None:
        pytest.skip("needs prometheus on PATH (on Debian: apt-get install prometheus)")
    one = Prometheus(tmp_path_factory.mktemp("prometheus"), {"test": exporter.address}, RULES, every=EVERY)
    one.begin()
    yield one
    one.kill()


@pytest.fixture
def server() -> Iterator[ChannelServer]:
    with ChannelServer() as running:
        yield running


@pytest.fixture
def scene(exporter: Exporter, prometheus: Prometheus, server: ChannelServer, tmp_path: Path) -> Iterator[Scene]:
    made: list[Alerter] = []

    def new_alerter(policy: str = POLICY, environ: Mapping[str, str] | None = None) -> Alerter:
        secrets = {"SLACK_WEBHOOK_URL": f"{server.url}/slack"} if environ is None else environ
        directory = tmp_path / f"alerter-{len(made)}"
        made.append(Alerter(directory, prometheus.url, policy % {"server": server.url}, secrets))
        return made[-1]

    exporter.replace({})
    yield Scene(exporter=exporter, prometheus=prometheus, server=server, new_alerter=new_alerter)
    for one in made:
        one.kill()


PUSHOVER = {"PUSHOVER_APP_TOKEN": "app-token-of-pushover", "PUSHOVER_USER_KEY": "user-key-of-pushover"}
DUTY = {"PAGERDUTY_ROUTING_KEY": "routing-key-of-pagerduty"}
