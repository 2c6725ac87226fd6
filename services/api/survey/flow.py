"""How ticks flow through one feed, and where they wait.

Along the path of a tick: the collector receives and publishes, Redis holds the streams, the worker commits to the
database. The bottleneck is the stage before which work piles up; further down wins, since a stage that is held up
holds up those before it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from services.api.survey.samples import Reading, Where, rate, total
from services.api.survey.survey import Backlog, Survey

LAG_LIMIT_S: Final = 2.0
"""An entry that waits for longer is a backlog; a turn takes milliseconds."""

QUEUE_LIMIT_RATIO: Final = 0.2
"""A queue filled beyond this share has a backlog; a framer's open frames stay far below."""

SLOW_PUBLISH_S: Final = 0.05
"""An acknowledged XADD that takes longer on average is Redis's slowness, not the collector's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One feed's rates in ticks a second and what waits; None is "not known"."""

    feed: str
    received_per_s: float | None = None
    published_per_s: float | None = None
    committed_per_s: float | None = None
    queue_ticks: float | None = None
    queue_limit_ticks: float | None = None
    spool_bytes: float | None = None
    stream_entries: float | None = None
    lag_s: float | None = None
    publish_s: float | None = None
    redis_up: bool | None = None
    database_up: bool | None = None

    def facts(self) -> dict[str, float | int | str | bool | None]:
        """Return the numbers that are known, rounded for reading."""
        named = {name: getattr(self, name) for name in self.__slots__ if name != "feed"}
        return {name: _short(value) for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottleneck:
    """The part that holds the others up, or None, and why in one line."""

    part: str | None
    feed: str | None
    detail: str


def feeds_of(survey: Survey) -> list[str]:
    """Return the names of the feeds that any service or stream speaks of, sorted."""
    named = {sample.labels["feed"] for sample in survey.reading.samples if "feed" in sample.labels}
    return sorted(named | {backlog.feed for backlog in survey.redis.state.backlogs})


def flow_of(feed: str, survey: Survey) -> Flow:
    """Return how one feed flows between the survey's two readings."""
    before, now, this = survey.before, survey.reading, _labelled(feed)
    backlogs = [backlog for backlog in survey.redis.state.backlogs if backlog.feed == feed]
    return Flow(
        feed=feed,
        received_per_s=rate(before, now, "nightdesk_feed_ticks_total", this),
        published_per_s=rate(before, now, "nightdesk_published_ticks_total", this),
        committed_per_s=rate(before, now, "nightdesk_store_committed_ticks_total", this),
        queue_ticks=total(now, "nightdesk_queue_ticks", this),
        queue_limit_ticks=total(now, "nightdesk_queue_limit_ticks", this),
        spool_bytes=total(now, "nightdesk_spool_bytes", this),
        stream_entries=sum(backlog.entries for backlog in backlogs) if backlogs else None,
        lag_s=lag_s(backlogs, survey.unix_s),
        publish_s=_mean(before, now, "nightdesk_publish_seconds", this),
        redis_up=survey.redis.problem is None,
        database_up=survey.database.problem is None,
    )


def lag_s(backlogs: Sequence[Backlog], unix_s: float) -> float | None:
    """Return for how long the oldest entry that is not committed has waited; None when no stream is known."""
    waits = [0.0 if one.oldest_ms is None else max(0.0, unix_s - one.oldest_ms / 1000) for one in backlogs]
    return max(waits, default=None)


def bottleneck(flows: list[Flow]) -> Bottleneck:
    """Return what holds ticks up most; part None when nothing does."""
    for flow in sorted(flows, key=lambda flow: flow.lag_s or 0.0, reverse=True):
        for held_up in (_without_redis, _at_the_store, _before_the_stream):
            found = held_up(flow)
            if found is not None:
                return found
    return Bottleneck(part=None, feed=None, detail=_flowing(flows))


def _without_redis(flow: Flow) -> Bottleneck | None:
    if flow.redis_up is not False:
        return None
    detail = f"{flow.feed}: Redis does not answer, so that {per_s(flow.received_per_s)} received wait in the spool"
    return Bottleneck(part="redis", feed=flow.feed, detail=detail)


def _at_the_store(flow: Flow) -> Bottleneck | None:
    if flow.lag_s is None or flow.lag_s <= LAG_LIMIT_S:
        return None
    part = "database" if flow.database_up is False else "worker"
    rates = f"commits {per_s(flow.committed_per_s)} of {per_s(flow.published_per_s)} published"
    return Bottleneck(part=part, feed=flow.feed, detail=f"{flow.feed}: {part} is {flow.lag_s:.1f} s behind, {rates}")


def _before_the_stream(flow: Flow) -> Bottleneck | None:
    if not flow.queue_ticks or not flow.queue_limit_ticks:
        return None
    if flow.queue_ticks / flow.queue_limit_ticks <= QUEUE_LIMIT_RATIO:
        return None
    redis = flow.redis_up is False or (flow.publish_s or 0.0) > SLOW_PUBLISH_S
    part = "redis" if redis else "collector"
    waiting = f"{flow.queue_ticks:,.0f} of {flow.queue_limit_ticks:,.0f} ticks wait to be published"
    rates = f"{per_s(flow.published_per_s)} of {per_s(flow.received_per_s)} received"
    return Bottleneck(part=part, feed=flow.feed, detail=f"{flow.feed}: {waiting}, {rates}")


def _flowing(flows: list[Flow]) -> str:
    if not flows:
        return "no service speaks of a feed"
    sums = [_sum(flows, one) for one in (_received, _published, _committed)]
    slowest = max((flow.lag_s for flow in flows if flow.lag_s is not None), default=None)
    behind = "lag unknown" if slowest is None else f"{slowest:.1f} s behind"
    received, published, committed = (per_s(value) for value in sums)
    return f"nothing piles up: {received} received, {published} published, {committed} committed, {behind}"


def per_s(value: float | None) -> str:
    """Return a rate for reading."""
    return "?/s" if value is None else f"{value:,.0f}/s"


def _received(flow: Flow) -> float | None:
    return flow.received_per_s


def _published(flow: Flow) -> float | None:
    return flow.published_per_s


def _committed(flow: Flow) -> float | None:
    return flow.committed_per_s


def _sum(flows: list[Flow], one: Callable[[Flow], float | None]) -> float | None:
    known = [value for value in map(one, flows) if value is not None]
    return sum(known) if known else None


def _labelled(feed: str) -> Where:
    return lambda labels: labels.get("feed") == feed


def _mean(before: Reading | None, now: Reading, name: str, where: Where) -> float | None:
    seconds = rate(before, now, f"{name}_sum", where)
    count = rate(before, now, f"{name}_count", where)
    return seconds / count if seconds is not None and count else None


def _short(value: float | bool) -> float | bool:  # noqa: FBT001  a fact is a number or a yes
    return value if isinstance(value, bool) else round(value, 3)
