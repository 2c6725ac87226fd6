"""What the alerter says about itself: alerts that no rule of Prometheus could raise. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services.alerter.alerts import NAME, SEVERITY, Report
from services.alerter.messages import Tier

TOLD_OF_DAMAGE_S: Final = 3600.0
"""For how long a state file that was put aside is an alert."""


UNREACHABLE: Final = "PrometheusUnreachable"
NO_WATCHDOG: Final = "WatchdogMissing"
BLIND: Final = frozenset({UNREACHABLE, NO_WATCHDOG})
"""While one of these holds, nobody knows what fires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A channel that failed for good, or for long: since when, why, and whether a page would use it."""

    channel: str
    since_s: float
    reason: str
    is_paged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How the alerter is at a moment. Times are Unix seconds."""

    now_s: float
    began_s: float
    answered_s: float
    answers_since_s: float
    silent_since_s: float | None
    evaluated_s: float
    unreachable_after_s: float
    is_sure: bool = True
    """Whether the last answer of Prometheus was sure."""

    known: frozenset[str] = frozenset()
    """The names of those of these alerts that fire already, as they may have before a restart."""

    broken: tuple[Broken, ...] = ()
    damage: str = ""
    adrift_s: float | None = None


def reports_of(condition: Condition) -> list[Report]:
    """Return what is wrong with the alerter itself and with what it stands on."""
    return [*_prometheus(condition), *_channels(condition.broken), *_state(condition)]


def _prometheus(condition: Condition) -> Iterator[Report]:
    since_s, limit_s = condition.silent_since_s, condition.unreachable_after_s
    if since_s is not None and (condition.now_s - since_s > limit_s or UNREACHABLE in condition.known):
        yield _report(
            UNREACHABLE,
            Tier.CRITICAL,
            since_s,
            summary="Prometheus does not answer the alerter",
            description="Until it does, nothing else that goes wrong is noticed.",
        )
    if _has_no_watchdog(condition):
        yield _report(
            NO_WATCHDOG,
            Tier.CRITICAL,
            condition.evaluated_s,
            summary="Prometheus answers but its watchdog does not fire",
            description="It does not evaluate its rules, the rule is gone, or its clock is far off: nothing else that "
            "goes wrong is noticed.",
        )


def _has_no_watchdog(condition: Condition) -> bool:
    """Return whether the rules are not evaluated; once that was said, only a sure answer ends it, and silence is none.

    It counts by the time of the last answer, for a machine that slept has asked nobody, and a Prometheus that has just
    come back is given the time to evaluate its rules.
    """
    if NO_WATCHDOG in condition.known:
        return not condition.is_sure
    unsure_s = condition.answered_s - max(condition.evaluated_s, condition.answers_since_s)
    return condition.silent_since_s is None and unsure_s > condition.unreachable_after_s


def _channels(broken: Iterable[Broken]) -> Iterator[Report]:
    for one in broken:
        yield _report(
            "ChannelFailing",
            Tier.CRITICAL if one.is_paged else Tier.WARNING,
            one.since_s,
            labels={"channel": one.channel},
            summary=f"The channel {one.channel} does not deliver: {one.reason}",
            description="What it should deliver goes to the next channel meanwhile; it is tried again and again.",
        )


def _state(condition: Condition) -> Iterator[Report]:
    if condition.adrift_s is not None:
        yield _report(
            "StateDamaged",
            Tier.CRITICAL,
            condition.adrift_s,
            labels={"problem": "not_saved"},
            summary="The alerter cannot save what it knows: its disk takes nothing",
            description="It goes on in memory. After a restart, what is acknowledged would be told again.",
        )
    if condition.damage and condition.now_s - condition.began_s < TOLD_OF_DAMAGE_S:
        yield _report(
            "StateDamaged",
            Tier.WARNING,
            condition.began_s,
            labels={"problem": "begun_anew"},
            summary="The alerter began with an empty memory",
            description=f"{condition.damage}. Acknowledgements, silences and history from before are not known.",
        )


def _report(
    name: str, tier: Tier, started_s: float, *, labels: Mapping[str, str] | None = None, **words: str
) -> Report:
    return Report(
        labels={NAME: name, SEVERITY: tier.value, **(labels or {})},
        annotations={**words, "runbook_url": f"docs/runbooks/{name}.md"},
        started_s=started_s,
    )
