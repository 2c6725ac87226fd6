"""A Prometheus with short intervals for a module's tests; an alerter with short timers for each."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.acceptance.scene import EVERY, POLICY, RULES, Scene
from tests.alerting.exporter import Exporter
from tests.alerting.processes import Alerter, Prometheus
from tests.channel_server import ChannelServer


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
