"""``config/alerts.yaml``: what is shipped can be read, and every mistake is named with line, field and mend."""

from pathlib import Path

import pytest

from nightdesk.errors import ConfigurationError
from services.alerter.messages import Tier
from services.alerter.policy import Policy, read_policy

ROOT = Path(__file__).parents[4]

TEXT = """\
timezone: Europe/Berlin
channels:
  slack: {kind: slack}
  pager: {kind: pushover}
  hook: {kind: webhook}
page:
  steps:
    - {channels: [slack]}
    - {after: 15m, channels: [pager]}
  repeat: 30m
notices: {wait: 30s, repeat: 0s, resolved: yes}
routes:
  - {match: {severity: warning, alertname: DiskLow}, to: [slack, hook]}
  - {match: {alertname: Loud}, to: page, always: yes}
  - {match: {alertname: Quiet}, to: log}
group_by: [alertname, feed]
inhibit:
  - {when: {alertname: A}, hide: {alertname: B}, same: [feed], linger: 30s}
flapping: {episodes: 3, within: 1h, hold: 15m}
quiet_hours: {from: "22:00", to: "07:00"}
digest: {at: ["07:30"], channels: [slack]}
budget: {per_day: 7}
failover_after: 1m
storm: 5
links_last: 7d
watch: {every: 5s, watchdog: Watchdog}
"""


def read(tmp_path: Path, text: str) -> Policy:
    file = tmp_path / "alerts.yaml"
    file.write_text(text, encoding="utf-8")
    return read_policy(file)


def refused(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    return str(caught.value).replace(f"{tmp_path}/", "").splitlines()


def changed(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


def test_what_is_shipped_can_be_read_and_wakes_somebody_step_by_step() -> None:
    policy = read_policy(ROOT / "config" / "alerts.yaml")

    assert len(policy.page.steps) >= 2
    assert policy.digest.at
    assert set(policy.order) == set(policy.channels)


def test_everything_may_be_left_out_that_has_a_usual_value(tmp_path: Path) -> None:
    policy = read(
        tmp_path,
        'page: {steps: [{channels: [a]}]}\nchannels: {a: {kind: slack}}\ndigest: {at: ["18:00"], channels: [a]}\n',
    )

    assert (str(policy.timezone), policy.page.repeat, policy.notices.repeat) == ("UTC", 1800.0, 14_400.0)
    assert (policy.budget.per_day, policy.storm, policy.quiet_hours, policy.inhibit) == (7, 5, None, ())
    assert (policy.watch.watchdog, policy.failover_after) == ("Watchdog", 60.0)


def test_every_value_is_what_it_says(tmp_path: Path) -> None:
    policy = read(tmp_path, TEXT)

    assert str(policy.timezone) == "Europe/Berlin"
    assert [(step.after, step.channels) for step in policy.page.steps] == [(0.0, ("slack",)), (900.0, ("pager",))]
    assert (policy.notices.wait, policy.notices.repeat, policy.notices.resolved) == (30.0, 0.0, True)
    assert policy.inhibit[0].linger == 30.0
    assert policy.quiet_hours is not None
    assert (policy.quiet_hours.start.hour, policy.quiet_hours.end.hour) == (22, 7)
    assert policy.links_last == 604_800.0


def test_channels_stand_in_in_the_order_of_the_page_and_then_as_they_are_named(tmp_path: Path) -> None:
    assert read(tmp_path, TEXT).order == ("slack", "pager", "hook")
    assert read(tmp_path, changed("- {channels: [slack]}", "- {channels: [hook]}")).order == ("hook", "pager", "slack")


# --- routes ---


@pytest.mark.parametrize(
    ("labels", "tier", "to", "always"),
    [
        ({"alertname": "DiskLow", "severity": "warning"}, "warning", ("slack", "hook"), False),
        ({"alertname": "DiskLow", "severity": "critical"}, "critical", "page", False),
        ({"alertname": "DiskLower", "severity": "warning"}, "warning", "digest", False),
        ({"alertname": "Loud"}, "info", "page", True),
        ({"alertname": "Quiet"}, "critical", "log", False),
        ({"alertname": "Other"}, "critical", "page", False),
        ({"alertname": "Other"}, "warning", "digest", False),
        ({"alertname": "Other"}, "info", "log", False),
        ({}, "info", "log", False),
    ],
)
def test_the_first_route_that_matches_decides_else_the_tier(
    tmp_path: Path, labels: dict[str, str], tier: str, to: str | tuple[str, ...], always: bool
) -> None:
    way = read(tmp_path, TEXT).route_of(labels, Tier(tier))

    assert (way.to, way.always) == (to, always)


def test_of_two_routes_that_match_the_first_decides(tmp_path: Path) -> None:
    text = changed("routes:\n", "routes:\n  - {match: {alertname: .*}, to: log}\n")

    assert read(tmp_path, text).route_of({"alertname": "Loud"}, Tier.CRITICAL).to == "log"


# --- mistakes ---


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("Europe/Berlin", "Berlin", "alerts.yaml:1: timezone: 'Berlin' is no time zone; write a name such as"),
        ("slack: {kind: slack}", "Slack: {kind: slack}", "alerts.yaml:3: channels.Slack"),
        ("slack: {kind: slack}", "slack: {kind: slak}", "alerts.yaml:3: channels.slack: "),
        ("slack: {kind: slack}", "slack: {}", "alerts.yaml:3: channels.slack: "),
        ("slack: {kind: slack}", "slack: {kind: slack, colour: red}", "alerts.yaml:3: channels.slack."),
        ("slack: {kind: slack}", "slack: {kind: slack, per_minute: 0}", "alerts.yaml:3: channels.slack."),
        ("slack: {kind: slack}", "slack: {kind: slack, per_minute: nan}", "alerts.yaml:3: channels.slack."),
        (
            "channels: [slack]}\n    -",
            "channels: [slak]}\n    -",
            "steps.0.channels.0: there is no channel 'slak'",
        ),
        ("channels: [slack]}\n    -", "channels: []}\n    -", "alerts.yaml:8: page.steps.0.channels: "),
        (
            "channels: [slack]}\n    -",
            "channel: [slack]}\n    -",
            "page.steps.0.channel: is no field here; write channels",
        ),
        (
            "after: 15m",
            "after: 15",
            "alerts.yaml:9: page.steps.1.after: is no length of time; write 90s, 15m",
        ),
        ("after: 15m", "after: -15m", "alerts.yaml:9: page.steps.1.after: is no length of time"),
        ("after: 15m", "after: 400d", "alerts.yaml:9: page.steps.1.after: is longer than a year"),
        ("repeat: 30m", "repeat: 0s", "alerts.yaml:10: page.repeat: Input should be greater than or equal to 1"),
        ("resolved: yes", "resolved: maybe", "alerts.yaml:11: notices.resolved: write yes or no"),
        ("severity: warning,", "sev-erity: warning,", "alerts.yaml:13: routes.0.match.sev-erity"),
        ("alertname: Loud", "alertname: (", "alerts.yaml:14: routes.1.match.alertname: '(' is no regular expression"),
        ("{match: {alertname: Loud}, ", "{match: {}, ", "alerts.yaml:14: routes.1.match: "),
        ("to: page", "to: pager", "alerts.yaml:14: routes.1.to: 'pager' is no destination; write page, digest, log"),
        (
            "to: log",
            "to: [slak]",
            "alerts.yaml:15: routes.2.to.0: there is no channel 'slak'; channels has",
        ),
        ("hide: {alertname: B}, ", "", "alerts.yaml:18: inhibit.0.hide: Field required"),
        ("episodes: 3", "episodes: 1", "alerts.yaml:19: flapping.episodes: "),
        ("within: 1h", "within: 0s", "alerts.yaml:19: flapping.within: "),
        ('from: "22:00"', 'from: "22:60"', "alerts.yaml:20: quiet_hours.from: is no time of day; write HH:MM"),
        ('from: "22:00"', 'from: "07:00"', "alerts.yaml:20: quiet_hours: from and to are the same; remove quiet_hours"),
        ('at: ["07:30"]', "at: []", "alerts.yaml:21: digest.at: "),
        ('["07:30"], channels: [slack]', '["07:30"], channels: [no]', "digest.channels.0: there is no channel 'no'"),
        ("per_day: 7", "per_day: -1", "alerts.yaml:22: budget.per_day: "),
        ("per_day: 7", "per_day: many", "alerts.yaml:22: budget.per_day: "),
        ("failover_after: 1m", "failover_after: 0s", "alerts.yaml:23: failover_after: "),
        ("storm: 5", "storm: 0", "alerts.yaml:24: storm: "),
        ("links_last: 7d", "links_last: 1s", "alerts.yaml:25: links_last: "),
        ("every: 5s", "every: 2m", "alerts.yaml:26: watch.every: "),
        ("watchdog: Watchdog", 'watchdog: ""', "alerts.yaml:26: watch.watchdog: "),
        ("storm: 5", "strom: 5", "alerts.yaml:24: strom: is no field here; write storm"),
        ("storm: 5", "storm: 5\nstorm: 6", "alerts.yaml:25: storm: is given twice; remove one"),
        ("storm: 5", "storm: [5", "not YAML"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_field_and_how_to_mend_it(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    problems = refused(tmp_path, changed(old, new))

    assert any(says in one for one in problems), problems


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    problems = refused(tmp_path, changed("repeat: 30m", "repeat: soon").replace("storm: 5", "storm: 0"))

    assert [one.split(": ")[1] for one in problems] == ["page.repeat", "storm"]


def test_every_name_of_a_channel_that_there_is_not_is_named(tmp_path: Path) -> None:
    problems = refused(tmp_path, changed("  hook: {kind: webhook}\n", "").replace("to: page", "to: [gone]"))

    assert [one.split(": ")[1] for one in problems] == ["routes.0.to.1", "routes.1.to.0"]


@pytest.mark.parametrize("part", ["page", "digest"])
def test_what_has_to_be_there_is_missed(tmp_path: Path, part: str) -> None:
    problems = refused(tmp_path, changed(f"\n{part}:", f"\nnot_{part}:"))

    assert any(f"{part}: Field required" in one for one in problems)


# --- secrets ---


@pytest.mark.parametrize(
    ("channel", "secret"),
    [
        ("slack: {kind: slack, webhook_url: https://hooks.slack.com/services/T0/B0/abcdef}", "abcdef"),
        ("slack: {kind: pagerduty, routing_key: R0UT1NGKEYR0UT1NGKEYR0UT1NGKEY12}", "R0UT1NGKEY"),
        ("slack: {kind: pushover, app_token: azGDORePK8gMaC0QOYAMyEEuzJnyUi}", "azGDORePK8"),
        ("slack: {kind: telegram, bot_token: 110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw}", "AAHdqTcvCH1v"),
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path, channel: str, secret: str) -> None:
    problems = refused(tmp_path, changed("slack: {kind: slack}", channel))

    assert any("alerts.yaml:3: channels.slack." in one and "write the variable's name" in one for one in problems)
    assert secret not in "\n".join(problems)


def test_two_channels_with_one_secret_are_a_mistake(tmp_path: Path) -> None:
    problems = refused(tmp_path, changed("  hook: {kind: webhook}", "  hook: {kind: webhook}\n  again: {kind: slack}"))

    assert [one.split(": ")[:2] for one in problems] == [
        ["alerts.yaml:3", "channels.slack"],
        ["alerts.yaml:6", "channels.again"],
    ]
    assert all("takes its secret from the same variable as another: SLACK_WEBHOOK_URL" in one for one in problems)


def test_two_channels_of_a_kind_with_secrets_of_their_own_are_two(tmp_path: Path) -> None:
    more = "  hook: {kind: webhook}\n  again: {kind: slack, webhook_url: SLACK_AGAIN_URL}"

    assert "again" in read(tmp_path, changed("  hook: {kind: webhook}", more)).channels
