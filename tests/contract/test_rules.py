"""What every rule, its tests and its runbook keep to, read from their files."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULE_FILES = sorted((ROOT / "prometheus" / "rules").glob("*.yaml"))
TEST_FILES = sorted((ROOT / "prometheus" / "tests").glob("*.yml"))
QUERY_FILES = sorted((ROOT / "services" / "jobs" / "facts" / "promql").glob("*.promql"))
RUNBOOKS = ROOT / "docs" / "runbooks"
SOURCES = [*sorted((ROOT / "nightdesk").rglob("*.py")), *sorted((ROOT / "services").rglob("*.py"))]

SEVERITIES = {"critical", "warning", "info"}
OF_THE_ALERTER = {"PrometheusUnreachable", "WatchdogMissing", "ChannelFailing", "StateDamaged"}
"""Alerts that no rule of Prometheus's could raise."""

EXPECTED: set[str] = set()
"""Metrics that rules ask for before there is a service that has them."""

SERVICE_JOBS = {"collector", "worker", "api", "alerter", "simulator", "prometheus", "scheduler", "jobs"}
SUFFIXES = re.compile(r"_(total|bucket|sum|count)$")


def groups(files: list[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        yield from yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]


RULES: list[dict[str, Any]] = [rule for group in groups(RULE_FILES) for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDS = {rule["record"] for rule in RULES if "record" in rule}
THRESHOLDS = {name for name in RECORDS if name.startswith("threshold:")}


def queries() -> Iterator[str]:
    """Every expression: of rules, of templates in their annotations, and of what the reports ask for."""
    for file in QUERY_FILES:
        yield file.read_text(encoding="utf-8")
    for rule in RULES:
        yield rule["expr"]
        yield from rule.get("annotations", {}).values()


@pytest.fixture(params=ALERTS, ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
def alert(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(request.param)


def test_it_says_how_urgent_it_is(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in SEVERITIES


def test_its_summary_is_one_line(alert: dict[str, Any]) -> None:
    summary = alert["annotations"]["summary"]

    assert 0 < len(summary) < 160
    assert "\n" not in summary.strip()


def test_its_description_has_a_value(alert: dict[str, Any]) -> None:
    assert re.search(r"\$value|query", alert["annotations"]["description"])


def test_its_runbook_has_its_name_and_says_what_it_should(alert: dict[str, Any]) -> None:
    url = alert["annotations"]["runbook_url"]
    lines = (ROOT / url).read_text(encoding="utf-8").splitlines()

    assert url == f"docs/runbooks/{alert['alert']}.md"
    assert lines[0] == f"# {alert['alert']}"


@pytest.mark.parametrize("runbook", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_a_runbook_belongs_to_an_alert_and_answers_the_same_questions(runbook: Path) -> None:
    text = runbook.read_text(encoding="utf-8")

    assert runbook.stem in {rule["alert"] for rule in ALERTS} | OF_THE_ALERTER
    for part in ("What it means.", "How bad.", "Look.", "When it is over."):
        assert f"**{part}**" in text, part


def test_the_alerters_own_alerts_have_runbooks() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} >= OF_THE_ALERTER


@pytest.fixture(scope="module")
def looks_at_alerts() -> list[dict[str, Any]]:
    """What the tests of rules expect of alerts, an entry for each moment they look at one."""
    files = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in TEST_FILES]
    return [look for file in files for test in file["tests"] for look in test.get("alert_rule_test", [])]


def test_it_is_tested_to_fire_with_its_words_and_to_end(
    alert: dict[str, Any], looks_at_alerts: list[dict[str, Any]]
) -> None:
    looks = [look for look in looks_at_alerts if look["alertname"] == alert["alert"]]
    severities = {one["exp_labels"]["severity"] for look in looks for one in look["exp_alerts"]}

    assert alert["labels"]["severity"] in severities
    assert alert["alert"] == "Watchdog" or any(not look["exp_alerts"] for look in looks)


def test_no_two_rules_are_the_same_alert() -> None:
    told = [(rule["alert"], *sorted(rule["labels"].items())) for rule in ALERTS]

    assert len(set(told)) == len(told)


def test_every_threshold_is_used_and_every_one_that_is_used_is_there() -> None:
    used = {name for query in queries() for name in re.findall(r"threshold:\w+:\w+", query)}

    assert used == THRESHOLDS


def test_thresholds_are_in_the_one_file_to_edit_each_with_its_number() -> None:
    file = ROOT / "prometheus" / "rules" / "thresholds.yaml"
    rules = [rule for group in groups([file]) for rule in group["rules"]]

    assert {rule["record"] for rule in rules} == THRESHOLDS
    assert all(re.fullmatch(r"vector\([\d.]+\)", rule["expr"]) for rule in rules)


def test_every_recorded_series_that_is_asked_for_is_recorded() -> None:
    asked = {name for query in queries() for name in re.findall(r"\b[a-z_]+:[a-z0-9_]+:[a-z0-9]+\b", query)}

    assert asked <= RECORDS


def test_every_metric_that_is_asked_for_is_one_of_ours() -> None:
    source = "\n".join(file.read_text(encoding="utf-8") for file in SOURCES)
    asked = {name for query in queries() for name in re.findall(r"(?<![:\w])nightdesk_\w+(?!:)\b(?!:)", query)}
    missing = {name for name in asked if not is_declared(name, source)}

    assert missing == EXPECTED


def is_declared(name: str, source: str) -> bool:
    """Whether the source names the metric, with or without what prometheus_client puts around it."""
    bare = SUFFIXES.sub("", name).removeprefix("nightdesk_")
    return re.search(rf'"(nightdesk_)?{bare}(_total)?"', source) is not None


def test_jobs_that_are_asked_for_are_services() -> None:
    named = {job for query in queries() for jobs in re.findall(r'job[!=~]+"([^"]+)"', query) for job in jobs.split("|")}

    assert named <= SERVICE_JOBS
