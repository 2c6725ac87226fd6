"""The shipped rules and policy with a night's numbers. Pure: text in, text out, and what differs, number by number."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import yaml

from nightdesk.errors import ConfigurationError
from tests.night.week import CALENDAR, EARLY_CLOSE, HALF_DAY, HOLIDAY

THRESHOLDS: Final[Mapping[str, float]] = {
    # A session takes a minute or two, so that what is longer than that would never be reached. All others stay.
    "threshold:symbol_silence:seconds": 30,
    "threshold:gap_open:seconds": 30,
    # Six hours of usual are not there.
    "threshold:market_history:minutes": 2,
}

SECOND_STEP: Final = "45s"
SECOND_STEP_S: Final = 45.0
REPEAT: Final = "60s"

RECONNECT_MAX_DELAY_S: Final = 5
"""So that a feed is back soon after its exchange, and the next incident finds it flowing; it detects nothing."""

TRADES_PER_S: Final = 60
QUOTES_PER_S: Final = 60
DEPTH_PER_S: Final = 20
"""Of the simulator's market: a calm one, since it is not load that is tested here."""

CALENDARS: Final = f"""\
closures:
  {CALENDAR}:
    {HOLIDAY}: a holiday that was announced late
early_closes:
  {CALENDAR}:
    {HALF_DAY}: "{EARLY_CLOSE}"
"""


class Change(NamedTuple):
    """A number that differs from the shipped one."""

    what: str
    shipped: str
    night: str


def night_thresholds(text: str, wanted: Mapping[str, float] = THRESHOLDS) -> tuple[str, list[Change]]:
    """Return ``thresholds.yaml`` with other numbers. Raises ConfigurationError when one of them has no line there."""
    document = yaml.safe_load(text)
    changes = []
    for group in document["groups"]:
        for rule in group["rules"]:
            if rule["record"] in wanted:
                night = f"vector({wanted[rule['record']]:g})"
                changes.append(Change(rule["record"], _number(rule["expr"]), _number(night)))
                rule["expr"] = night
    missing = wanted.keys() - {change.what for change in changes}
    if missing:
        raise ConfigurationError(f"thresholds.yaml has no {', '.join(sorted(missing))}")
    return yaml.safe_dump(document, sort_keys=False), changes


def night_policy(text: str, pushover_url: str) -> tuple[str, list[Change]]:
    """Return ``alerts.yaml`` with Pushover elsewhere and a shorter escalation; nothing else differs."""
    document = yaml.safe_load(text)
    second, page = document["page"]["steps"][1], document["page"]
    changes = [
        Change("alerts.yaml: page, after, of the second step", str(second["after"]), SECOND_STEP),
        Change("alerts.yaml: page, repeat", str(page["repeat"]), REPEAT),
    ]
    second["after"], page["repeat"] = SECOND_STEP, REPEAT
    document["channels"]["pushover"]["api_url"] = pushover_url
    return yaml.safe_dump(document, sort_keys=False), changes


def other_changes() -> list[Change]:
    """Return what differs elsewhere."""
    return [
        Change("RECONNECT_MAX_DELAY", "60", str(RECONNECT_MAX_DELAY_S)),
        Change("SIMULATOR_TRADES_PER_S", "200", str(TRADES_PER_S)),
        Change("SIMULATOR_QUOTES_PER_S", "500", str(QUOTES_PER_S)),
        Change("SIMULATOR_DEPTH_PER_S", "50", str(DEPTH_PER_S)),
    ]


def night_prometheus(text: str, rules: str, understudy: str) -> str:
    """Return Prometheus's configuration with the understudy's job, and with the rules of this directory."""
    document = yaml.safe_load(text)
    document["rule_files"] = [f"{rules}/*.yaml"]
    jobs: list[dict[str, Any]] = document["scrape_configs"]
    jobs.append({"job_name": "understudy", "static_configs": [{"targets": [understudy]}]})
    return yaml.safe_dump(document, sort_keys=False)


def without_rules(text: str) -> str:
    """Return Prometheus's configuration without its rules, as somebody might save it by mistake."""
    document = yaml.safe_load(text)
    document["rule_files"] = []
    return yaml.safe_dump(document, sort_keys=False)


def intervals(prometheus: str, policy: str) -> dict[str, str]:
    """Return how often production asks, evaluates and polls, as the shipped files say."""
    general, watch = yaml.safe_load(prometheus)["global"], yaml.safe_load(policy)["watch"]
    return {
        "scrape": str(general["scrape_interval"]),
        "evaluation": str(general["evaluation_interval"]),
        "poll": str(watch["every"]),
    }


def listed(changes: Sequence[Change]) -> list[str]:
    """Return the changes, one a line."""
    return [f"{one.what}: {one.shipped} -> {one.night}" for one in changes]


def _number(expression: str) -> str:
    return expression.removeprefix("vector(").removesuffix(")")
