"""From a survey to one word, one line a part, and what holds the others up. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from nightdesk.backpressure import REDIS_FULL_RATIO
from nightdesk.health import Part, Status, worst
from services.api.survey.flow import Bottleneck, Flow, bottleneck, feeds_of, flow_of, per_s
from services.api.survey.survey import DatabaseReport, RedisReport, Report, Survey

ANSWER_THRESHOLD_S: Final = 5.0
LAG_DEGRADED_S: Final = 5.0
LAG_DOWN_S: Final = 60.0
UNOWNED_DOWN_S: Final = 15.0
"""A lease is taken over within ten seconds; one without an owner for longer has nobody to take it."""

HOLDS_NOTHING_UP: Final = frozenset({"simulator", "alerter", "scheduler", "jobs"})
"""What degrades the whole at most: an exchange, whose trouble shows as its feed's, and what ticks flow and are stored
without."""

ALERTER: Final = "alerter"
PLAIN: Final = frozenset({"alerts", "channels"})
"""The alerter's parts that are known by their own names; the others' (``state``, ``watch``) could be any service's."""

Facts: TypeAlias = dict[str, float | int | str | bool | None]

_ORDER: Final = (
    "feed", "spool", "streams", "consumers", "database", "redis", "alerts", "channels", "collector", "worker",
    "alerter", "schedule", "job workers", "runs", "scheduler", "jobs", "simulator",
)  # fmt: skip
_RANK: Final = {Status.OK: 0, Status.DEGRADED: 1, Status.DOWN: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The state of the whole."""

    status: Status
    bottleneck: Bottleneck
    parts: tuple[Part, ...]


def verdict(survey: Survey) -> Verdict:
    """Return how everything is; the worst part decides."""
    flows = [flow_of(feed, survey) for feed in feeds_of(survey)]
    found = [
        database_part(survey.database),
        redis_part(survey.redis),
        *consumer_parts(survey.database),
        *(stream_part(flow) for flow in flows),
        *service_parts(survey.reports),
        *(_capped(report.service, _named(report.service, part)) for report in survey.reports for part in report.parts),
    ]
    parts = tuple(sorted(merged(found), key=_place))
    return Verdict(status=worst(parts), bottleneck=bottleneck(flows), parts=parts)


def database_part(database: DatabaseReport) -> Part:
    """Return the database as the api's own query sees it."""
    facts: Facts = {"latency_ms": _ms(database.latency_s)}
    return Part(
        part="database",
        status=Status.OK if database.problem is None else Status.DOWN,
        detail=database.problem or f"answers in {_ms(database.latency_s):g} ms",
        age_s=database.age_s,
        threshold_s=ANSWER_THRESHOLD_S,
        facts=facts if database.problem is None else {},
    )


def redis_part(redis: RedisReport) -> Part:
    """Return Redis as the api itself sees it; from the ratio at which frames wait in the spool it is degraded."""
    full = redis.state.memory_ratio or 0.0
    status = Status.DEGRADED if full >= REDIS_FULL_RATIO else Status.OK
    facts: Facts = {"latency_ms": _ms(redis.latency_s), "memory_ratio": round(full, 3)}
    return Part(
        part="redis",
        status=status if redis.problem is None else Status.DOWN,
        detail=redis.problem or f"answers in {_ms(redis.latency_s):g} ms, {full:.0%} of its memory used",
        age_s=redis.age_s,
        threshold_s=ANSWER_THRESHOLD_S,
        facts=facts if redis.problem is None else {},
    )


def consumer_parts(database: DatabaseReport) -> list[Part]:
    """Return one part a feed: are all its consumers owned?"""
    return [_consumers(row) for row in database.leases]


def stream_part(flow: Flow) -> Part:
    """Return one feed's streams: how far the store is behind, and whether it moves."""
    return Part(
        part=f"streams/{flow.feed}",
        status=_stream_status(flow),
        detail=_stream_detail(flow),
        age_s=flow.lag_s,
        threshold_s=LAG_DEGRADED_S,
        facts=flow.facts(),
    )


def service_parts(reports: Sequence[Report]) -> list[Part]:
    """Return one part a service: how many of its instances answer."""
    return [
        _service(service, [one for one in reports if one.service == service])
        for service in dict.fromkeys(report.service for report in reports)
    ]


def merged(parts: Iterable[Part]) -> list[Part]:
    """Return one part a name: of several instances' words the worst counts, then the one that knows an age."""
    kept: dict[str, Part] = {}
    for part in parts:
        known = kept.get(part.part)
        if known is None or _weight(part) > _weight(known):
            kept[part.part] = part
    return list(kept.values())


def line(part: Part) -> str:
    """Return a part as one plain line."""
    limit = "" if part.threshold_s is None else f" of {part.threshold_s:g}"
    age = "" if part.age_s is None else f" ({part.age_s:.1f}{limit} s)"
    return f"{part.status.value:<8} {part.part}: {part.detail}{age}"


def _weight(part: Part) -> tuple[int, bool]:
    return _RANK[part.status], part.age_s is not None


def _ms(seconds: float | None) -> float:
    return round((seconds or 0.0) * 1000, 1)


def _consumers(row: Mapping[str, object]) -> Part:
    total, owned, workers = (_int(row[name]) for name in ("consumers", "owned", "workers"))
    unowned_s = _float(row["unowned_s"])
    status = Status.OK
    if owned < total:
        status = Status.DOWN if unowned_s is None or unowned_s > UNOWNED_DOWN_S else Status.DEGRADED
    return Part(
        part=f"consumers/{row['feed']}",
        status=status,
        detail=f"{owned} of {total} owned by {workers} worker{'' if workers == 1 else 's'}",
        age_s=0.0 if owned == total else unowned_s,
        threshold_s=UNOWNED_DOWN_S,
        facts={"consumers": total, "owned": owned, "workers": workers},
    )


def _stream_status(flow: Flow) -> Status:
    if flow.lag_s is None:
        return Status.DEGRADED
    if flow.lag_s > LAG_DOWN_S and not flow.committed_per_s:
        return Status.DOWN
    return Status.DEGRADED if flow.lag_s > LAG_DEGRADED_S else Status.OK


def _stream_detail(flow: Flow) -> str:
    if flow.lag_s is None:
        return "not known while Redis does not answer"
    rates = f"{per_s(flow.received_per_s)} received, {per_s(flow.committed_per_s)} committed"
    return f"{flow.lag_s:.1f} s behind, {rates}"


def _service(service: str, reports: Sequence[Report]) -> Part:
    silent = [report for report in reports if report.problem is not None]
    answering = len(reports) - len(silent)
    status = Status.OK if not silent else Status.DEGRADED if answering else Status.DOWN
    problem = "" if not silent else f": {silent[0].problem}"
    facts: Facts = {"instances": len(reports), "answering": answering}
    part = Part(part=service, status=status, detail=f"{answering} of {len(reports)} answer{problem}", facts=facts)
    return _capped(service, part)


def _named(service: str, part: Part) -> Part:
    """Parts are merged by name, which is right for replicas only."""
    return replace(part, part=f"{service}/{part.part}") if service == ALERTER and part.part not in PLAIN else part


def _capped(service: str, part: Part) -> Part:
    if service in HOLDS_NOTHING_UP and part.status is Status.DOWN:
        return replace(part, status=Status.DEGRADED)
    return part


def _place(part: Part) -> tuple[int, int, str]:
    first = part.part.split("/", 1)[0]
    return -_RANK[part.status], _ORDER.index(first) if first in _ORDER else len(_ORDER), part.part


def _int(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))
