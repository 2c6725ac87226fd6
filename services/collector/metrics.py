"""The collector's metrics; the names are listed in ARCHITECTURE.md."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class PublisherFamilies:
    """The publisher's metric families, declared once a process and labelled by feed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        feed = ["feed"]
        self.queue_ticks = Gauge(
            "nightdesk_queue_ticks", "Ticks in memory that Redis has not acknowledged.", feed, registry=registry
        )
        self.queue_limit_ticks = Gauge(
            "nightdesk_queue_limit_ticks",
            "MAX_QUEUE_DEPTH: beyond it frames wait in the spool.",
            feed,
            registry=registry,
        )
        self.spool_bytes = Gauge("nightdesk_spool_bytes", "Bytes in the spool.", feed, registry=registry)
        self.spool_limit_bytes = Gauge("nightdesk_spool_limit_bytes", "SPOOL_MAX_BYTES.", feed, registry=registry)
        self.spool_frames = Gauge(
            "nightdesk_spool_frames",
            "Frames in the segments of the spool that are not committed as a whole.",
            feed,
            registry=registry,
        )
        self.published_frames = Counter(
            "nightdesk_published_frames_total", "Frames acknowledged by Redis.", feed, registry=registry
        )
        self.published_ticks = Counter(
            "nightdesk_published_ticks_total", "Ticks acknowledged by Redis.", feed, registry=registry
        )
        self.unframeable = Counter(
            "nightdesk_unframeable_ticks_total",
            "Ticks that no frame can hold: a codec let a wrong value through.",
            feed,
            registry=registry,
        )
        self.publish_seconds = Histogram(
            "nightdesk_publish_seconds",
            "From sending frames to Redis's acknowledgement.",
            feed,
            registry=registry,
            buckets=_SECONDS,
        )
        self.redis_up = Gauge("nightdesk_redis_up", "Whether Redis answered last time.", registry=registry)
        self.redis_memory_ratio = Gauge(
            "nightdesk_redis_memory_ratio", "Redis's used over allowed memory.", registry=registry
        )


class PublisherMetrics:
    """One feed's children of the families, made at the start so that a rate sees the first event."""

    def __init__(self, families: PublisherFamilies, feed: str) -> None:
        self.queue_ticks = families.queue_ticks.labels(feed)
        self.queue_limit_ticks = families.queue_limit_ticks.labels(feed)
        self.spool_bytes = families.spool_bytes.labels(feed)
        self.spool_limit_bytes = families.spool_limit_bytes.labels(feed)
        self.spool_frames = families.spool_frames.labels(feed)
        self.published_frames = families.published_frames.labels(feed)
        self.published_ticks = families.published_ticks.labels(feed)
        self.unframeable = families.unframeable.labels(feed)
        self.publish_seconds = families.publish_seconds.labels(feed)
        self.redis_up = families.redis_up
        self.redis_memory_ratio = families.redis_memory_ratio
