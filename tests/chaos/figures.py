"""What the services say of themselves, in figures."""

from collections.abc import Iterable
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

QUARANTINED: Final = "nightdesk_store_quarantined_total"
CONFLATED: Final = "nightdesk_feed_conflated_total"


def total(texts: Iterable[str], name: str, **labels: str) -> float:
    """Return the sum of a metric over all replicas and over the labels that are not given."""
    return sum(
        sample.value
        for text in texts
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
