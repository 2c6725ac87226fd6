"""How far a replay is, and what it left: numbers from the services, rows from the database. Pure but for ``read``."""

import http.client
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, TypeAlias

from prometheus_client.parser import text_string_to_metric_families

from nightdesk.ticks import Kind

Figures: TypeAlias = Mapping[tuple[str, str], float]
"""Values by metric and by the one label that tells them apart (reason, kind; else empty), summed over the others."""

REJECTED: Final = "nightdesk_feed_rejected_total"
CONFLATED: Final = "nightdesk_feed_conflated_total"
COMMITTED: Final = "nightdesk_store_committed_ticks_total"
QUARANTINED: Final = "nightdesk_store_quarantined_total"
_TELLING: Final = ("reason", "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One look at a running replay; counts are of messages before the collector and of ticks after it."""

    sent: int = 0
    skipped: int = 0
    total: int = 0
    played: bool = False
    received: int = 0
    published: int = 0
    spooled: int = 0
    committed: int = 0
    ready: bool = False
    rejected: Mapping[str, int] = field(default_factory=dict)
    conflated: Mapping[str, int] = field(default_factory=dict)
    quarantined: Mapping[str, int] = field(default_factory=dict)

    def is_like(self, other: "Progress") -> bool:
        """Return whether nothing of the recording moved since; answers to the collector's own pings do not count."""
        return replace(self, received=min(self.received, self.sent)) == replace(
            other, received=min(other.received, other.sent)
        )

    def arrived(self) -> bool:
        """Return whether everything sent was received and everything received is committed."""
        return self.played and self.received >= self.sent and self.spooled == 0 and self.ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the database has of one symbol and kind."""

    symbol: str
    kind: Kind
    stored: int
    duplicates: int
    gaps: int
    missing_ids: int
    first: datetime | None
    last: datetime | None


def progress_of(state: Mapping[str, Any], health: Mapping[str, Any], collector: Figures, worker: Figures) -> Progress:
    """Return a look, from the simulator's state, the collector's health and both services' metrics."""
    replay = state.get("replay") or {}
    facts = [part.get("facts", {}) for part in health.get("parts", ()) if part["part"].startswith("feed/")]
    return Progress(
        sent=int(replay.get("sent", 0)),
        skipped=int(replay.get("skipped", 0)),
        total=int(replay.get("total", 0)),
        played=bool(replay.get("done", False)),
        received=_total(collector, "nightdesk_feed_messages_total"),
        published=_total(collector, "nightdesk_published_ticks_total"),
        spooled=_total(collector, "nightdesk_spool_frames") + _total(collector, "nightdesk_queue_ticks"),
        committed=_total(worker, COMMITTED),
        ready=any(one.get("ready", False) for one in facts),
        rejected=_by_label(collector, REJECTED),
        conflated=_by_label(collector, CONFLATED),
        quarantined=_by_label(worker, QUARANTINED),
    )


def figures_of(exposition: str) -> Figures:
    """Return the values of a page in Prometheus's text format."""
    values: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            label = next((sample.labels[name] for name in _TELLING if name in sample.labels), "")
            values[sample.name, label] = values.get((sample.name, label), 0.0) + sample.value
    return values


def stored_of(rows: Iterable[Sequence[Any]]) -> list[Stored]:
    """Return the rows of ``stored.sql``."""
    return [
        Stored(
            symbol=symbol, kind=Kind(kind), stored=stored, duplicates=duplicates, gaps=gaps, missing_ids=missing_ids,
            first=first, last=last,
        )
        for symbol, kind, stored, duplicates, gaps, missing_ids, first, last in rows
    ]  # fmt: skip


def read(port: int, path: str) -> bytes:
    """Return what a local service answers; raises OSError or HTTPException."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


def read_json(port: int, path: str) -> dict[str, Any]:
    """Return a JSON object that a local service answers."""
    document: dict[str, Any] = json.loads(read(port, path))
    return document


def _total(figures: Figures, name: str) -> int:
    return int(sum(value for (metric, _), value in figures.items() if metric == name))


def _by_label(figures: Figures, name: str) -> dict[str, int]:
    return {label: int(value) for (metric, label), value in figures.items() if metric == name and value}
