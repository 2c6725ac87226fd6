"""A night's numbers differ from the shipped ones where they are said to, and nowhere else."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.stack import SOURCE
from nightdesk.errors import ConfigurationError
from services.alerter.policy import read_policy
from tests.night import configuration

RULES = (SOURCE / "prometheus/rules/thresholds.yaml").read_text()
POLICY = (SOURCE / "config/alerts.yaml").read_text()
PROMETHEUS = (SOURCE / "prometheus/prometheus.yml").read_text()


def thresholds(text: str) -> dict[tuple[str, str], str]:
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    return {(rule["record"], str(rule.get("labels"))): rule["expr"] for rule in rules}


def test_every_changed_threshold_is_listed_and_no_other_differs() -> None:
    text, changes = configuration.night_thresholds(RULES)
    before, after = thresholds(RULES), thresholds(text)

    assert before.keys() == after.keys()
    assert {record for (record, _), value in after.items() if value != before[record, _]} == {
        change.what for change in changes
    }
    assert len(changes) == len(configuration.THRESHOLDS)


def test_what_pages_after_a_minute_or_less_keeps_its_number() -> None:
    text, _ = configuration.night_thresholds(RULES)
    after = thresholds(text)

    for record in ("feed_silence", "service_down", "storage_stalled", "start_grace"):
        name = (f"threshold:{record}:seconds", "None")
        assert after[name] == thresholds(RULES)[name]


def test_a_threshold_that_is_gone_is_noticed() -> None:
    with pytest.raises(ConfigurationError, match="no threshold:no_such:seconds"):
        configuration.night_thresholds(RULES, {"threshold:no_such:seconds": 1})


def test_the_policy_is_the_shipped_one_but_for_what_is_listed(tmp_path: Path) -> None:
    text, changes = configuration.night_policy(POLICY, "http://127.0.0.1:1/pushover")
    (tmp_path / "alerts.yaml").write_text(text)
    shipped, night = read_policy(SOURCE / "config/alerts.yaml"), read_policy(tmp_path / "alerts.yaml")

    assert night.page.steps[1].after == configuration.SECOND_STEP_S
    assert len(changes) == 2
    assert without(night.model_dump(), "page", "channels") == without(shipped.model_dump(), "page", "channels")
    assert [step.channels for step in night.page.steps] == [step.channels for step in shipped.page.steps]
    assert (night.page.wait, night.page.interval) == (shipped.page.wait, shipped.page.interval)


def test_prometheus_keeps_its_intervals_and_jobs_and_gets_the_understudy() -> None:
    night = yaml.safe_load(configuration.night_prometheus(PROMETHEUS, "/rules", "127.0.0.1:1"))
    shipped = yaml.safe_load(PROMETHEUS)

    assert night["global"] == shipped["global"]
    assert night["scrape_configs"][:-1] == shipped["scrape_configs"]
    assert night["scrape_configs"][-1]["job_name"] == "understudy"
    assert yaml.safe_load(configuration.without_rules(PROMETHEUS))["rule_files"] == []


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}
