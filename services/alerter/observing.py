"""From what sources report to alerts that begin and end. Pure.

An alert is over once its source has not reported it for ``watch.resolve_after``: Prometheus forgets its alerts at a
restart until it has evaluated its rules again. One that began too often lately is held for longer (``flapping``).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final, TypeAlias

from services.alerter.alerts import (
    NAME,
    SEVERITY,
    Alert,
    Episode,
    Group,
    Report,
    Source,
    fingerprint_of,
    key_of,
    tier_of,
)
from services.alerter.matching import Labels
from services.alerter.messages import Tier
from services.alerter.policy import DIGEST, LOG, PAGE, Policy, Way
from services.alerter.turn import DIGEST_GROUP, LOG_GROUP, Turn

Words: TypeAlias = Callable[[Labels], Mapping[str, str]]
"""Return the annotations of an alert that only its labels are known of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What a job or a strategy has to say: told once, or, where it is critical, until somebody acknowledges it.

    ``fields`` are labels that routes can match; ``dedup_key`` makes a second one like it, within a day, the same.
    """

    level: Tier
    title: str
    text: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    dedup_key: str = ""


POSTED: Final = "Notification"
"""The name, as a label, of everything that was posted."""

SAMPLE_S: Final = 0.001
"""How exact the times of Prometheus's samples are; when an alert began it says more exactly."""

SAME_S: Final = 86_400.0
"""How long a key of a post stands for the first post that had it."""


def observe(
    turn: Turn,
    policy: Policy,
    reports: Iterable[Report],
    source: Source,
    *,
    pending: Collection[str] = frozenset(),
    is_complete: bool = True,
) -> None:
    """Take what a source reports now; what it does not report any more is missing from now on, if that is complete.

    ``pending`` holds the fingerprints whose condition holds, but not for long enough: a restarted Prometheus counts
    anew.
    """
    reported = {fingerprint_of(report.labels): report for report in reports}
    for fingerprint, report in reported.items():
        known = turn.current(fingerprint)
        if known is not None and known.missing_s is not None:
            known = _back(turn, policy, known, report.started_s, known.missing_s)
        if known is None:
            begin(turn, policy, report, source)
        elif known.annotations != report.annotations:
            turn.reword(replace(known, annotations=report.annotations))
    for alert in list(turn.firing()):
        if alert.source is not source or alert.fingerprint in reported or not is_complete:
            continue
        missing_s = None if alert.fingerprint in pending else alert.missing_s or turn.now_s
        if missing_s != alert.missing_s:
            turn.put(replace(alert, missing_s=missing_s))


def settle(turn: Turn, policy: Policy, source: Source, asked_s: float) -> None:
    """End what its source, asked at ``asked_s``, has not reported for long enough."""
    for alert in list(turn.firing()):
        if alert.source is source and alert.missing_s is not None:
            _leave(turn, policy, alert, alert.missing_s, asked_s)


def recall(
    turn: Turn,
    policy: Policy,
    episodes: Iterable[Episode],
    words: Words,
    *,
    since_s: float,
    asked_s: float,
    knows_ends: bool = True,
    reports: Iterable[Report] = (),
) -> None:
    """Take what Prometheus, asked at ``asked_s``, remembers of the time since it was last asked with success.

    Where it does not ``know_ends``, since it has just started, what was known goes on. So does what it ``reports`` to
    have fired ever since: an evaluation that takes long has written the watchdog's sample, and not yet this one.
    """
    fires_since_s = {fingerprint_of(report.labels): report.started_s for report in reports}
    for episode in sorted(episodes, key=lambda one: one.started_s):
        known = turn.current(fingerprint_of(episode.labels))
        if _was_seen_to_end(known, episode, since_s - policy.watch.resolve_after):
            continue
        if known is not None:
            gone_s = since_s if known.missing_s is None else known.missing_s
            known = _back(turn, policy, known, episode.started_s, gone_s, apart_s=episode.apart_s)
        is_new = known is None
        if known is None:
            report = Report(labels=episode.labels, annotations=words(episode.labels), started_s=episode.started_s)
            known = begin(turn, policy, report, Source.PROMETHEUS)
        goes_on = fires_since_s.get(known.fingerprint, inf) <= episode.last_s + SAMPLE_S
        if episode.is_over and not goes_on and (knows_ends or is_new):
            _leave(turn, policy, known, episode.last_s, asked_s)


def _was_seen_to_end(known: Alert | None, episode: Episode, ended_s: float) -> bool:
    """Return whether an episode is none that was missed; what ended after ``ended_s`` would be known had it been seen.

    A sample may show only after a question that is later than it: an evaluation takes its time.
    """
    if known is None:
        return episode.last_s <= ended_s
    is_gone = known.missing_s is not None and episode.last_s <= known.missing_s
    return is_gone or episode.last_s < known.started_s - SAMPLE_S


def _back(
    turn: Turn, policy: Policy, known: Alert, began_s: float, gone_s: float, *, apart_s: float = 0.0
) -> Alert | None:
    """Return an alert that goes on when its condition holds anew; None where it was over before that."""
    quiet_s = began_s - gone_s
    if quiet_s >= max(apart_s, hold_s(turn, policy, known.fingerprint)):
        end(turn, known, gone_s)
        return None
    if quiet_s >= policy.watch.resolve_after:
        _remember(turn, policy, known.fingerprint, began_s)  # it would have begun anew, were it not held
    return known if known.missing_s is None else turn.put(replace(known, missing_s=None))


def _leave(turn: Turn, policy: Policy, alert: Alert, gone_s: float, asked_s: float) -> None:
    """End an alert that had been gone for long enough when that was asked, else note since when it is."""
    if asked_s - gone_s >= hold_s(turn, policy, alert.fingerprint):
        end(turn, alert, gone_s)
    elif alert.missing_s != gone_s:
        turn.put(replace(alert, missing_s=gone_s))


def post(turn: Turn, policy: Policy, posted: Post) -> int:
    """Take what a job has to say and return its number; key and level of something said within a day mean that."""
    key = {"post": str(turn.next_alert_id)}
    if posted.dedup_key:  # what has become worse is no repetition
        key = {"dedup_key": posted.dedup_key, "level": posted.level.value}
    fingerprint = fingerprint_of(key)
    known_id, said_s = turn.posted.get(fingerprint, (0, 0.0))
    if known_id and turn.now_s - said_s < SAME_S:
        return known_id
    labels = {**posted.fields, NAME: POSTED, SEVERITY: posted.level.value, "title": posted.title}
    words = {"summary": posted.title, "description": posted.text}
    report = Report(labels=labels, annotations=words, started_s=turn.now_s)
    alert = begin(turn, policy, report, Source.POST, fingerprint)
    turn.posted[fingerprint] = (alert.alert_id, turn.now_s)
    if alert.is_momentary:
        end(turn, alert, turn.now_s)
    return alert.alert_id


def begin(turn: Turn, policy: Policy, report: Report, source: Source, fingerprint: str | None = None) -> Alert:
    """Make a new alert in the group where its labels lead it."""
    tier = tier_of(report.labels)
    way = policy.route_of(report.labels, tier)
    fingerprint = fingerprint or fingerprint_of(report.labels)
    alert = Alert(
        alert_id=turn.new_alert_id(),
        fingerprint=fingerprint,
        source=source,
        tier=tier,
        group=_group_of(turn, way, tier, _shared(policy, report.labels, source, fingerprint)),
        labels=dict(report.labels),
        annotations=dict(report.annotations),
        started_s=report.started_s,
        seen_s=turn.now_s,
        is_momentary=source is Source.POST and not _calls(tier, way),
    )
    if source is not Source.POST:
        _remember(turn, policy, fingerprint, report.started_s)
    return turn.put(alert)


def _calls(tier: Tier, way: Way) -> bool:
    """Return whether somebody is called until they acknowledge."""
    return way.to == PAGE or (tier is Tier.CRITICAL and way.to not in {DIGEST, LOG})


def end(turn: Turn, alert: Alert, ended_s: float) -> Alert:
    """End an alert, not before it began."""
    return turn.put(replace(alert, ended_s=max(ended_s, alert.started_s), missing_s=None))


def hold_s(turn: Turn, policy: Policy, fingerprint: str) -> float:
    """Return how long an alert has to be missing before it is over."""
    flapping = policy.flapping
    lately = [one for one in turn.episodes.get(fingerprint, ()) if turn.now_s - one <= flapping.within]
    return (
        max(flapping.hold, policy.watch.resolve_after)
        if len(lately) >= flapping.episodes
        else policy.watch.resolve_after
    )


def _shared(policy: Policy, labels: Labels, source: Source, fingerprint: str) -> dict[str, str]:
    """Return the labels that an alert shares with its group; what was posted stands alone."""
    if source is Source.POST:
        return {"post": fingerprint}
    return {name: labels[name] for name in policy.group_by if labels.get(name)}


def _group_of(turn: Turn, way: Way, tier: Tier, shared: Labels) -> str:
    """Return the key of the alert's group, which begins with it unless it is there already."""
    if way.to == DIGEST:
        return DIGEST_GROUP
    if way.to == LOG:
        return LOG_GROUP
    key = key_of(way.to, tier, shared)
    if key not in turn.groups:
        turn.put_group(Group(key=key, to=way.to, tier=tier, is_always=way.always, opened_s=turn.now_s))
    return key


def _remember(turn: Turn, policy: Policy, fingerprint: str, began_s: float) -> None:
    """Note when an alert began, among the latest of its kind."""
    lately = [one for one in turn.episodes.get(fingerprint, ()) if turn.now_s - one <= policy.flapping.within]
    turn.episodes[fingerprint] = (*lately, began_s)[-policy.flapping.episodes :]
