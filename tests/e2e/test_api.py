"""What a person can ask the desk a minute after starting it."""

import csv
import io
import re

import pytest
import requests

from tests.e2e.stack import ROOT, Desk, eventually

pytestmark = pytest.mark.e2e
METRIC = re.compile(r"(?<![:\w])nightdesk_[a-z_]+(?![:\w])")
SUFFIX = re.compile(r"_(total|bucket|sum|count)$")
OF_ANOTHER_TIME = {
    "feed_symbol:nightdesk_symbol_mute:timestamp",  # while a symbol is silent
    "feed_symbol_measure:market:usual",  # after an hour
    "name_state:nightdesk_job_unsuccessful:timestamp",  # after a run that failed or was missed
}
"""What is recorded on a desk that is older, or not so well."""

OF_ANOTHER_DESK = {
    "nightdesk_memory_used_bytes", "nightdesk_memory_limit_bytes",  # where the kernel has cgroup v2
}  # fmt: skip
SYMBOLS = {"BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT"}


@pytest.fixture
def api(desk: Desk) -> str:
    return desk.url("api")


def test_health_is_ok_with_every_part_and_how_fresh_it_is(desk: Desk) -> None:
    health = desk.wait_until("ok")

    parts = {part["part"]: part for part in health["parts"]}
    assert {
        "feed/simulator", "streams/simulator", "consumers/simulator", "database", "redis", "alerts", "channels",
        "collector", "worker", "alerter", "alerter/watch", "schedule", "job workers", "scheduler",
        "jobs", "simulator",
    } <= set(parts)  # fmt: skip
    for name in ("feed/simulator", "streams/simulator", "consumers/simulator", "database", "redis"):
        assert parts[name]["age_s"] < parts[name]["threshold_s"]
    assert health["bottleneck"]["part"] is None
    assert parts["channels"]["detail"].startswith("nobody would be woken")


def test_five_symbols_of_the_simulator_are_collected(api: str) -> None:
    def symbols() -> set[str]:
        listed = requests.get(f"{api}/symbols", timeout=10).json()["symbols"]
        return {one["symbol"] for one in listed if {"trade", "quote", "depth"} <= set(one["kinds"])}

    eventually(symbols, lambda found: found == SYMBOLS, within_s=60, what="five symbols with every kind")


def test_the_last_ticks_move(api: str) -> None:
    def last() -> int:
        ticks = requests.get(f"{api}/ticks/latest?symbol=BTCUSDT&kind=trade", timeout=10).json()["ticks"]
        return int(ticks[0]["sequence"])

    first = last()
    eventually(last, lambda now: now > first, within_s=30, what="a newer trade")


@pytest.mark.parametrize("interval", ["1m", "5m", "1d"])
def test_the_open_bar_is_there(api: str, interval: str) -> None:
    body = requests.get(f"{api}/bars?symbol=BTCUSDT&interval={interval}", timeout=10).json()

    last = body["bars"][-1]
    assert last["closed"] is False
    assert last["low"] <= last["open"] <= last["high"]
    assert last["trades"] > 0


def test_bars_come_as_csv(api: str) -> None:
    answer = requests.get(f"{api}/bars?symbol=BTCUSDT", headers={"Accept": "text/csv"}, timeout=10)

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert float(rows[-1]["close"]) > 0


def test_the_gap_ledger_can_be_read(api: str) -> None:
    assert requests.get(f"{api}/gaps?state=open", timeout=10).json()["next"] is None


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/", "/alerts"])
def test_everything_else_answers(api: str, path: str) -> None:
    assert requests.get(f"{api}{path}", timeout=10).status_code == 200


def test_prometheus_asks_every_service_and_all_answer(desk: Desk) -> None:
    prometheus = desk.url("prometheus")

    def jobs() -> dict[str, str]:
        targets = requests.get(f"{prometheus}/api/v1/targets", timeout=10).json()["data"]["activeTargets"]
        return {one["labels"]["job"]: one["health"] for one in targets}

    wanted = dict.fromkeys(
        ("alerter", "api", "collector", "jobs", "prometheus", "scheduler", "simulator", "worker"), "up"
    )
    eventually(jobs, lambda found: found == wanted, within_s=60, what="every job up")


def test_every_recording_rule_works_and_records(desk: Desk) -> None:
    prometheus = desk.url("prometheus")
    groups = requests.get(f"{prometheus}/api/v1/rules", timeout=10).json()["data"]["groups"]
    names = {rule["name"] for group in groups for rule in group["rules"] if rule["type"] == "recording"}
    assert names

    def silent() -> set[str]:
        recorded = requests.get(f"{prometheus}/api/v1/label/__name__/values", timeout=10).json()["data"]
        return names - set(recorded) - OF_ANOTHER_TIME

    eventually(silent, lambda left: not left, within_s=90, what="series of every rule")
    assert all(rule["health"] == "ok" for group in groups for rule in group["rules"])


def test_every_metric_that_rules_and_dashboards_ask_for_exists(desk: Desk) -> None:
    files = [*(ROOT / "prometheus" / "rules").glob("*.yaml"), *(ROOT / "grafana" / "dashboards").glob("*.json")]
    asked = {SUFFIX.sub("", name) for file in files for name in METRIC.findall(file.read_text(encoding="utf-8"))}
    assert asked

    def missing() -> set[str]:
        # What a service says of its metrics: those of a channel have no series before there is one.
        told = requests.get(f"{desk.url('prometheus')}/api/v1/metadata", timeout=10).json()["data"]
        return asked - {SUFFIX.sub("", name) for name in told} - OF_ANOTHER_DESK

    eventually(missing, lambda left: not left, within_s=60, what="every metric is exported")
