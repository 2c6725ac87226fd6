"""The real collector on one core: from its socket to Redis's acknowledgement, spool included."""

from bench.workbench import Workbench, wait_for

PUBLISHED = "nightdesk_published_ticks_total"


def measure(bench: Workbench, transport: str = "websockets") -> float:
    """Return messages a second, from the first one sent to the last one acknowledged."""
    with bench.redis() as redis, bench.flood() as flood, bench.collector(flood, redis, transport) as metrics:
        sent = flood.sent()
        # The feed's word about its connection, one event a shard, is published as well.
        published = lambda: metrics.value(PUBLISHED)  # noqa: E731
        ended_ns = wait_for(published, sent["sent"], "messages published")
    return float(sent["sent"] / (ended_ns - sent["began_ns"]) * 1e9)
