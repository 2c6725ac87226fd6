"""What the rows say, as metrics."""

from prometheus_client import CollectorRegistry, generate_latest

from nightdesk.runs import Figures, State
from nightdesk.schedule_config import Schedule
from services.scheduler.metrics import RunMetrics, Snapshot

SCHEDULE = Schedule.model_validate(
    {"jobs": {"scan": {"on": "request", "grace": "1h", "severity": "critical"}, "fill": {"on": "gap"}}}
)


def figures(job: str, **values: float) -> Figures:
    names = [name for name in Figures.__dataclass_fields__ if name != "job"]
    return Figures(job=job, **{name: values.get(name, 0) for name in names})  # type: ignore[arg-type]


def exported(snapshot: Snapshot) -> list[str]:
    registry, metrics = CollectorRegistry(), RunMetrics(SCHEDULE)
    registry.register(metrics)
    metrics.snapshot = snapshot
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_the_schedule_is_told_before_anything_is_known() -> None:
    assert exported(Snapshot()) == [
        'nightdesk_job_info{name="scan",severity="critical"} 1.0',
        'nightdesk_job_info{name="fill",severity="warning"} 1.0',
        'nightdesk_job_grace_seconds{name="scan"} 3600.0',
        'nightdesk_job_grace_seconds{name="fill"} 900.0',
    ]


def test_a_job_without_runs_has_zeroes_so_that_a_rate_sees_its_first() -> None:
    lines = exported(Snapshot(figures=[figures("scan")]))

    for state in ("failed", "missed", "skipped", "succeeded"):
        assert f'nightdesk_job_runs_total{{name="scan",state="{state}"}} 0.0' in lines
    assert 'nightdesk_job_missed_total{name="scan"} 0.0' in lines
    assert 'nightdesk_job_overlaps_total{name="scan"} 0.0' in lines


def test_figures_and_totals_are_exported_by_job() -> None:
    snapshot = Snapshot(
        figures=[figures("scan", success_at_s=1000.5, late_s=7.0, queued=2, overlaps=3)],
        totals={("scan", State.MISSED): 4, ("scan", State.SUCCEEDED): 9},
        depth=5,
        workers=2,
    )
    lines = exported(snapshot)

    for line in (
        'nightdesk_job_last_success_timestamp_seconds{name="scan"} 1000.5',
        'nightdesk_job_late_seconds{name="scan"} 7.0',
        'nightdesk_job_queued{name="scan"} 2.0',
        'nightdesk_job_overlaps_total{name="scan"} 3.0',
        'nightdesk_job_missed_total{name="scan"} 4.0',
        'nightdesk_job_runs_total{name="scan",state="succeeded"} 9.0',
        "nightdesk_job_queue_depth 5.0",
        "nightdesk_job_workers 2.0",
    ):
        assert line in lines
