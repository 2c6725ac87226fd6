"""What the rows of runs say, as metrics: whoever did the work, and whatever died with it, the rows are there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from nightdesk.runs import ENDED, Figures, State
from nightdesk.schedule_config import Schedule

BY_JOB: Final = (
    ("nightdesk_job_last_success_timestamp_seconds",
     "When the newest successful run ended, Unix time.", "success_at_s"),
    ("nightdesk_job_last_success_scheduled_timestamp_seconds",
     "The time that the newest successful run was for.", "success_for_s"),
    ("nightdesk_job_last_failure_scheduled_timestamp_seconds",
     "The time that the newest failed or missed run was for.", "failure_for_s"),
    ("nightdesk_job_last_failed_timestamp_seconds",
     "When that run failed for good, Unix time; 0 when it was missed.", "failed_at_s"),
    ("nightdesk_job_last_missed_timestamp_seconds",
     "When that run was given up, Unix time; 0 when it failed.", "missed_at_s"),
    ("nightdesk_job_duration_seconds", "How long the newest run took.", "duration_s"),
    ("nightdesk_job_next_run_timestamp_seconds", "When the next run is due, Unix time; 0 for none.", "next_s"),
    ("nightdesk_job_late_seconds", "For how long a run has been due that has not begun.", "late_s"),
    ("nightdesk_job_running_seconds", "For how long the run under way has gone on.", "running_s"),
    ("nightdesk_job_running_timeout_seconds", "How long the run under way may take.", "timeout_s"),
    ("nightdesk_job_queued", "Runs that wait for a worker.", "queued"),
    ("nightdesk_job_running", "Runs under way.", "running"),
)  # fmt: skip
"""Gauges by job: name, help, and which of the figures it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the rows said when they were last looked at, and what the queue said."""

    figures: Sequence[Figures] = ()
    totals: Mapping[tuple[str, State], int] = field(default_factory=dict)
    depth: int | None = None
    workers: int | None = None


class RunMetrics(Collector):
    """Exports the last snapshot. The label is ``name``, since ``job`` is Prometheus's own word."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self.snapshot = Snapshot()

    def collect(self) -> Iterable[Metric]:
        """Yield every family; a job without any run has zeroes, so that a rate sees its first."""
        yield from self._described()
        yield from self._gauges()
        yield from self._counters()
        for name, text, value in (
            ("nightdesk_job_queue_depth", "Runs in RQ's queue.", self.snapshot.depth),
            ("nightdesk_job_workers", "RQ workers, busy or not.", self.snapshot.workers),
        ):
            if value is not None:
                yield GaugeMetricFamily(name, text, value=value)

    def _described(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(
            "nightdesk_job_info", "An entry of the schedule, and how bad it is when a run fails.",
            labels=["name", "severity"],
        )  # fmt: skip
        grace = GaugeMetricFamily("nightdesk_job_grace_seconds", "How late a run may begin.", labels=["name"])
        for name, entry in self._schedule.jobs.items():
            family.add_metric([name, entry.severity], 1.0)
            grace.add_metric([name], entry.grace)
        yield from (family, grace)

    def _gauges(self) -> Iterable[Metric]:
        for name, text, figure in BY_JOB:
            family = GaugeMetricFamily(name, text, labels=["name"])
            for one in self.snapshot.figures:
                family.add_metric([one.job], float(getattr(one, figure)))
            yield family

    def _counters(self) -> Iterable[Metric]:
        runs = CounterMetricFamily("nightdesk_job_runs", "Runs that ended, by how.", labels=["name", "state"])
        missed = CounterMetricFamily("nightdesk_job_missed", "Runs that did not take place.", labels=["name"])
        overlaps = CounterMetricFamily(
            "nightdesk_job_overlaps", "Runs that had to wait for an earlier one.", labels=["name"]
        )
        for one in self.snapshot.figures:
            for state in sorted(ENDED):
                runs.add_metric([one.job, state.value], self.snapshot.totals.get((one.job, state), 0))
            missed.add_metric([one.job], self.snapshot.totals.get((one.job, State.MISSED), 0))
            overlaps.add_metric([one.job], one.overlaps)
        yield from (runs, missed, overlaps)
