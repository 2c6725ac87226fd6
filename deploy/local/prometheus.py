"""Make the local Prometheus configuration from the one that Compose uses: the same jobs and rules, other targets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.local.programs import HOST
from nightdesk.errors import ConfigurationError


def localised(text: str, *, ports: Mapping[str, int], rules: Path) -> str:
    """Return the configuration with this machine's targets; a job of a service that does not run here is left out.

    ``rules`` is the directory that relative names of rule files start from. Raises ConfigurationError when the text
    is not a configuration.
    """
    try:
        document = yaml.safe_load(text)
        jobs = [_local_job(job, ports) for job in document["scrape_configs"]]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ConfigurationError(f"prometheus.yml: {error}") from error
    document["scrape_configs"] = [job for job in jobs if job is not None]
    document["rule_files"] = [str(rules / name) for name in document.get("rule_files") or []]
    return str(yaml.safe_dump(document, sort_keys=False))


def _local_job(job: Mapping[str, Any], ports: Mapping[str, int]) -> dict[str, Any] | None:
    service = job["job_name"]
    targets = [f"{HOST}:{port}" for name, port in sorted(ports.items()) if name.partition("-")[0] == service]
    if not targets:
        return None
    kept = {key: value for key, value in job.items() if not key.endswith(("_sd_configs", "static_configs"))}
    return {**kept, "static_configs": [{"targets": targets}]}
