"""The questions to Prometheus, asked of a real one that holds a day of samples."""

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nightdesk.outbound import call
from services.jobs.facts.measuring import COARSE_S, FINE_S, MEASURES, Facts, Period, availability, measured
from services.jobs.facts.prometheus import Prometheus
from tests.alerting import processes

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("prometheus") is None or shutil.which("promtool") is None, reason="no Prometheus on PATH"
    ),
]

NOON_S = datetime(2026, 11, 19, 12, tzinfo=UTC).timestamp()
LENGTH_S = 2 * 3600
PERIOD = Period(begin_s=NOON_S, end_s=NOON_S + LENGTH_S)
SCRAPE_S = 5


def value_at(second: int) -> dict[str, float | None]:
    """What is scraped and recorded at a second of the two hours; None where there is nothing."""
    if 3600 <= second < 4200:  # Prometheus does not run
        return {}
    answered = NOON_S + (min(second, 1200) if second < 1500 else second)
    started = NOON_S - 900 if second < 1500 else NOON_S + 1490
    return {
        "desk:watched_since:timestamp": NOON_S if second < 4200 else NOON_S + 4200,
        'service:nightdesk_answered:timestamp{service="worker"}': answered,
        'service:nightdesk_answered:timestamp{service="api"}': NOON_S + second,
        'service_launch:nightdesk_started:max{service="worker",launched_by="a"}': started,
        'volume:nightdesk_disk_free:ratio{volume="spool"}': 0.12 if second == 2005 else 0.5,
        'nightdesk_disk_free_bytes{volume="spool",job="collector"}': 5e9 - second,
        "desk:nightdesk_host_memory_available:ratio": 0.1 if second == 2010 else 0.4,
        'nightdesk_memory_used_bytes{job="worker",instance="a"}': 3e8 if second == 2015 else 2e8,
        'nightdesk_memory_limit_bytes{job="worker",instance="a"}': 3.2e8,
        'process_resident_memory_bytes{job="worker",instance="a"}': 9e8,
        'process_resident_memory_bytes{job="api",instance="b"}': 7e7,
        'nightdesk_feed_disconnects_total{feed="simulator",cause="mute",instance="a"}': 2.0 if second < 5000 else 4.0,
        'nightdesk_feed_disconnects_total{feed="simulator",cause="replaced",instance="a"}': second / 100,
        'nightdesk_feed_disconnects_total{feed="simulator",cause="closed",instance="b"}': 1.0
        if second > 6000
        else None,
        'nightdesk_store_quarantined_total{feed="simulator",reason="decode",instance="a"}': 0.0,
        'nightdesk_database_up{job="worker",instance="a"}': 0.0 if 6000 <= second < 6060 else 1.0,
        'nightdesk_redis_up{job="worker",instance="a"}': 1.0,
    }


def openmetrics() -> str:
    """Samples by series, as promtool reads them."""
    lines: dict[str, list[str]] = {}
    for second in range(0, LENGTH_S + 1, SCRAPE_S):
        for series, value in value_at(second).items():
            if value is not None:
                lines.setdefault(series, []).append(f"{series} {value!r} {NOON_S + second:.0f}")
    return "\n".join([*(line for series in sorted(lines) for line in lines[series]), "# EOF", ""])


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    directory = tmp_path_factory.mktemp("prometheus")
    one = processes.Prometheus(directory, {}, {}, every="1m")
    blocks(directory)
    one.begin()
    yield Prometheus(url=one.url, call=call)
    one.kill()


def blocks(directory: Path) -> None:
    source = directory / "samples.txt"
    source.write_text(openmetrics(), encoding="utf-8")
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(source), str(directory / "data")]
    subprocess.run(command, check=True, capture_output=True)


def found(prometheus: Prometheus) -> Facts:
    facts = availability(
        prometheus.series("observed", PERIOD, FINE_S), prometheus.series("down", PERIOD, FINE_S), [], PERIOD
    )
    for measure in MEASURES:
        facts |= measured(measure, prometheus.series(measure.query, PERIOD, measure.step_s), PERIOD)
    return facts


def test_a_real_prometheus_tells_what_happened(prometheus: Prometheus) -> None:
    facts = found(prometheus)

    assert facts["unobserved_s", ""] == pytest.approx(600, abs=2 * FINE_S)
    assert facts["down_s", "worker"] == pytest.approx(300, abs=2 * FINE_S)
    assert facts["down_s", "postgres"] == pytest.approx(60, abs=FINE_S)
    assert {service for fact, service in facts if fact == "down_s"} == {"worker", "postgres"}
    assert facts["downtime_s", ""] == facts["down_s", "worker"] + facts["down_s", "postgres"]
    assert facts["disk_free_ratio_min", "spool"] == 0.12
    assert facts["disk_free_bytes_min", "spool"] == 5e9 - LENGTH_S
    assert facts["memory_available_ratio_min", ""] == 0.1
    assert facts["memory_peak_bytes", "worker"] == 3e8
    assert facts["memory_limit_bytes", "worker"] == 3.2e8
    assert facts["memory_peak_bytes", "api"] == 7e7  # a process outside of a container, or of one that does not say
    assert facts["restarts", "worker"] == 1
    assert facts["reconnects", "simulator"] == 3  # two more of one process, one of another, none that was meant
    assert facts["quarantined", "simulator"] == 0


def test_what_lies_before_the_first_sample_is_unobserved(prometheus: Prometheus) -> None:
    before = Period(begin_s=NOON_S - 86_400, end_s=NOON_S - 82_800)

    facts = availability(
        prometheus.series("observed", before, FINE_S), prometheus.series("down", before, FINE_S), [], before
    )

    assert facts["unobserved_s", ""] == 3600
    assert prometheus.series("disk_free_ratio", before, COARSE_S) == []
