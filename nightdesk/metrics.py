"""The metrics every service has; each service declares its own beside its code."""

import time

from prometheus_client import CollectorRegistry, Gauge, Info
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from nightdesk import __version__


def service_registry(service: str) -> CollectorRegistry:
    """Return a registry with the process's own figures and ``nightdesk_service_info``."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    Info("nightdesk_service", "Which service and version this is.", registry=registry).info(
        {"service": service, "version": __version__}
    )
    started = Gauge("nightdesk_started_timestamp_seconds", "When the process started, Unix time.", registry=registry)
    started.set(time.time())
    return registry
