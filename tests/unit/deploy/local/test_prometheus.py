"""The local Prometheus configuration."""

from pathlib import Path

import pytest
import yaml

from deploy.local.prometheus import localised
from nightdesk.errors import ConfigurationError

DELIVERED = """
global: {scrape_interval: 5s}
rule_files: [rules/*.yml]
scrape_configs:
  - job_name: worker
    scrape_timeout: 2s
    dns_sd_configs: [{names: [worker], type: A, port: 9100}]
  - job_name: grafana
    static_configs: [{targets: ["grafana:3000"]}]
"""


def local(ports: dict[str, int]) -> dict[str, object]:
    text = localised(DELIVERED, ports=ports, rules=Path("/src/prometheus"))
    return dict(yaml.safe_load(text))


def test_every_process_of_a_job_is_a_target() -> None:
    assert local({"worker-1": 1, "worker-2": 2})["scrape_configs"] == [
        {"job_name": "worker", "scrape_timeout": "2s", "static_configs": [{"targets": ["127.0.0.1:1", "127.0.0.1:2"]}]}
    ]


def test_a_job_that_does_not_run_here_is_left_out() -> None:
    assert local({"api": 1})["scrape_configs"] == []


def test_rules_are_found_where_they_lie() -> None:
    assert local({})["rule_files"] == ["/src/prometheus/rules/*.yml"]


def test_what_needs_no_change_is_kept() -> None:
    assert local({})["global"] == {"scrape_interval": "5s"}


@pytest.mark.parametrize("text", ["", "a: [", "scrape_configs: [{}]"])
def test_a_file_that_is_no_configuration_is_an_error(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"prometheus\.yml"):
        localised(text, ports={}, rules=Path("/"))
