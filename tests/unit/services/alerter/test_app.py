"""What is configured wrongly is said all at once; what is not configured is left out and named."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from nightdesk.errors import ConfigurationError
from services.alerter.app import Configuration, configuration

POLICY = """\
channels:
  slack: {kind: slack}
  pager: {kind: pushover}
  mail: {kind: smtp}
page: {steps: [{channels: [slack]}]}
digest: {at: ["18:00"], channels: [slack]}
"""
FEEDS = """\
feeds:
  binance:
    codec: binance
    ws_url: wss://example.com
    rest_url: https://example.com
    symbols: [BTCUSDT]
    kinds: [trade]
"""
CLOSURES = "closures:\n  XNYS:\n    2026-01-09: mourning\n"
TOKENS = {"ALERTER_TOKEN": "one", "NOTIFICATIONS_TOKEN": "two", "ACK_SECRET": "three"}


class House:
    """A folder of configuration and an environment that names its files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environ = dict(TOKENS)
        for name, text in {"alerts": POLICY, "feeds": FEEDS, "calendars": CLOSURES}.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        file = self._folder / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        self.environ[f"{name.upper()}_CONFIG"] = str(file)

    def configured(self, **more: str) -> Configuration:
        return configuration({**self.environ, **more})

    def refused(self, without: str = "", **more: str) -> str:
        environ: Mapping[str, str] = {name: value for name, value in self.environ.items() if name != without}
        with pytest.raises(ConfigurationError) as caught:
            configuration({**environ, **more})
        return str(caught.value)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_without_any_secret_of_a_channel_all_of_them_are_left_out_and_named(house: House) -> None:
    chosen = house.configured()

    assert chosen.channels == {}
    assert chosen.lacking == {
        "slack": ["SLACK_WEBHOOK_URL"],
        "pager": ["PUSHOVER_APP_TOKEN", "PUSHOVER_USER_KEY"],
        "mail": ["SMTP_URL", "EMAIL_FROM", "EMAIL_TO"],
    }


def test_a_channel_with_its_secrets_is_ready(house: House) -> None:
    chosen = house.configured(SLACK_WEBHOOK_URL="https://hooks.slack.com/services/T/B/x")

    assert set(chosen.channels) == {"slack"}
    assert "slack" not in chosen.lacking


def test_a_secret_may_be_in_a_file(house: House, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("https://hooks.slack.com/services/T/B/x\n")

    assert set(house.configured(SLACK_WEBHOOK_URL_FILE=str(tmp_path / "secret")).channels) == {"slack"}


def test_an_empty_variable_is_not_set(house: House) -> None:
    assert house.configured(SLACK_WEBHOOK_URL="").channels == {}


def test_half_a_channel_is_a_mistake_that_names_the_other_half(house: House) -> None:
    said = house.refused(PUSHOVER_APP_TOKEN="a-token-of-an-app")

    assert said == "channel pager: PUSHOVER_USER_KEY: is not set"


def test_a_secret_that_makes_no_sense_is_named_and_not_repeated(house: House) -> None:
    said = house.refused(SLACK_WEBHOOK_URL="not an address: hush")

    assert said.startswith("channel slack: SLACK_WEBHOOK_URL")
    assert "hush" not in said


def test_a_secret_in_a_file_that_is_not_there_is_named(house: House) -> None:
    assert "channel slack: SLACK_WEBHOOK_URL_FILE: cannot read" in house.refused(SLACK_WEBHOOK_URL_FILE="/nowhere")


@pytest.mark.parametrize("token", TOKENS)
def test_without_a_token_it_does_not_start(house: House, token: str) -> None:
    assert f"{token}: Field required" in house.refused(without=token)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PROMETHEUS_URL", "prometheus:9090"),
        ("PUBLIC_URL", "desk.example.com"),
        ("PUBLIC_URL", "https://desk.example.com/below"),
        ("METRICS_PORT", "http"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(house: House, variable: str, value: str) -> None:
    assert variable in house.refused(**{variable: value})


def test_an_address_may_end_in_a_slash(house: House) -> None:
    assert house.configured(PUBLIC_URL="https://desk.example.com/").settings.public_url == "https://desk.example.com"


def test_a_file_that_is_not_there_is_named_with_its_variable(house: House) -> None:
    for variable in ("ALERTS_CONFIG", "FEEDS_CONFIG"):
        assert f"set {variable} to the file" in house.refused(**{variable: "/nowhere.yaml"})


def test_everything_that_is_wrong_is_said_at_once(house: House) -> None:
    house.write("alerts", POLICY + "storm: 0\n")
    house.write("feeds", "feeds: {}\n")
    house.write("calendars", "closures: {XNYS: {2026-99-99: x}}\n")
    said = house.refused(without="ACK_SECRET", METRICS_PORT="-1")

    for part in ("ACK_SECRET", "METRICS_PORT", "alerts.yaml:7: storm", "feeds.yaml:1", "calendars.yaml:1"):
        assert part in said


def test_every_channel_that_is_wrong_is_said_at_once(house: House) -> None:
    said = house.refused(PUSHOVER_APP_TOKEN="t", SMTP_URL="smtp://mail.example.com", SLACK_WEBHOOK_URL="x")

    assert [line.partition(":")[0] for line in said.splitlines() if line.startswith("channel")] == [
        "channel slack",
        "channel pager",
        "channel mail",
    ]


def test_closures_need_no_file(house: House) -> None:
    assert house.configured(CALENDARS_CONFIG="/nowhere.yaml").closures.closures == {}
