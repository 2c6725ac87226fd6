"""The worker's metrics; every label's values are known from the configuration or listed here."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from nightdesk.ticks import Kind

TURN_BUCKETS_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
LATENCY_BUCKETS_S: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300)
OUTCOMES: Final = ("committed", "unavailable", "lease_lost", "refused")
REASONS: Final = (
    "malformed_frame",
    "outside_retention",
    "future_time",
    "id_out_of_range",
    "value_out_of_range",
    "program_failed",
)


class WorkerMetrics:
    """The families, with a child for every label value, so that a rate sees the first event."""

    def __init__(self, registry: CollectorRegistry, feeds: Iterable[str]) -> None:
        kind = ("feed", "kind")
        self.committed_ticks = Counter(
            "nightdesk_store_committed_ticks_total", "Ticks committed.", kind, registry=registry
        )
        self.duplicates = Counter(
            "nightdesk_store_duplicates_total", "Ticks dropped because they were stored.", kind, registry=registry
        )
        self.quarantined = Counter(
            "nightdesk_store_quarantined_total",
            "Frames, or parts of frames, put into quarantine.",
            ("feed", "reason"),
            registry=registry,
        )
        self.turn_seconds = Histogram(
            "nightdesk_store_turn_seconds", "How long a commit took.", buckets=TURN_BUCKETS_S, registry=registry
        )
        self.turns = Counter("nightdesk_store_turns_total", "Turns by how they ended.", ("outcome",), registry=registry)
        self.commit_latency = Histogram(
            "nightdesk_store_commit_latency_seconds",
            "From receipt to commit, of each turn's oldest and newest tick.",
            ("feed",),
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        self.owned = Gauge(
            "nightdesk_consumer_owned", "1 where this worker owns the consumer.", ("consumer",), registry=registry
        )
        self.position_timestamp = Gauge(
            "nightdesk_consumer_position_timestamp_seconds",
            "Unix time of the committed position; the stream's top once all of it is committed.",
            ("consumer",),
            registry=registry,
        )
        self.top_timestamp = Gauge(
            "nightdesk_stream_top_timestamp_seconds",
            "Unix time of the stream's last entry.",
            ("consumer",),
            registry=registry,
        )
        self.entries = Gauge(
            "nightdesk_stream_entries", "Entries that wait to be committed.", ("consumer",), registry=registry
        )
        self.gaps_opened = Counter("nightdesk_gaps_opened_total", "Gaps opened.", kind, registry=registry)
        self.gaps_open = Gauge("nightdesk_gaps_open", "Gaps that are open now.", kind, registry=registry)
        self.missing_ids = Gauge("nightdesk_gap_missing_ids", "Ids missing in open gaps.", kind, registry=registry)
        self.unfillable = Gauge("nightdesk_gaps_unfillable", "Gaps that cannot be filled.", kind, registry=registry)
        self.oldest_gap = Gauge(
            "nightdesk_gap_oldest_timestamp_seconds",
            "When the oldest gap that is open and younger than a day was opened, Unix time; 0 without one.",
            kind,
            registry=registry,
        )
        self.last_unfillable = Gauge(
            "nightdesk_gap_unfillable_timestamp_seconds",
            "When a gap was last found to be one that cannot be filled, Unix time; 0 without one.",
            kind,
            registry=registry,
        )
        self.takeovers = Counter(
            "nightdesk_lease_takeovers_total", "Leases taken over from an owner that fell silent.", registry=registry
        )
        self.database_up = Gauge("nightdesk_database_up", "1 while PostgreSQL answers.", registry=registry)
        self.redis_up = Gauge("nightdesk_redis_up", "1 while Redis answers.", registry=registry)
        self.database_started = Gauge(
            "nightdesk_database_started_timestamp_seconds", "When PostgreSQL was started, Unix time.", registry=registry
        )
        self.redis_started = Gauge(
            "nightdesk_redis_started_timestamp_seconds", "When Redis was started, Unix time.", registry=registry
        )
        self.progress_timestamp = Gauge(
            "nightdesk_progress_timestamp_seconds", "Unix time of the last progress.", ("service",), registry=registry
        )
        self._label(list(feeds))

    def _label(self, feeds: list[str]) -> None:
        """Make the children; times of gaps are told once the ledger was read, for 0 would say that there is none."""
        for outcome in OUTCOMES:
            self.turns.labels(outcome)
        for feed in feeds:
            self.commit_latency.labels(feed)
            for reason in REASONS:
                self.quarantined.labels(feed, reason)
            for kind in Kind:
                for family in (
                    self.committed_ticks, self.duplicates, self.gaps_opened, self.gaps_open, self.missing_ids,
                    self.unfillable,
                ):  # fmt: skip
                    family.labels(feed, kind.label)
