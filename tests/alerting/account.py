"""What was told against what was true: each beginning and each end at least once, in order, and nothing else. Pure.

The truth is the series that Prometheus wrote while an alert fired. An alert that came and went before anybody was told
has its beginning and its end in one telling.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, TypeAlias

Labels: TypeAlias = frozenset[tuple[str, str]]

CALLS: Final = frozenset({"escalation", "repeat"})
NEAR_S: Final = 0.1
"""Moments this close are the same: both sides round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """One episode of one alert: its first and its last evaluation, Unix seconds.

    ``gone_s`` is for how long it had been gone by then.
    """

    labels: Labels
    began_s: float
    last_s: float
    gone_s: float = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One alert in a message; ``ended_s`` is None while it fires. Unix seconds."""

    alert_id: int
    labels: Labels
    started_s: float
    ended_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message that a channel took, and when; Unix seconds."""

    notification_id: int
    kind: str
    at_s: float
    told: tuple[Telling, ...]


@dataclass(slots=True, kw_only=True)
class Account:
    """The sums, and in words what is wrong. A transition is a beginning or an end; delays are in seconds."""

    transitions: int = 0
    lost: int = 0
    invented: int = 0
    out_of_order: int = 0
    duplicates: list[float] = field(default_factory=list)
    """When messages arrived that had arrived before, Unix seconds."""

    missed: int = 0
    """Episodes that were over before anybody was told, and told as that."""

    joined: int = 0
    """Episodes so close to the one before that both may be told as one, and were."""

    beginnings_s: list[float] = field(default_factory=list)
    ends_s: list[float] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def delivered(self) -> int:
        """Transitions that arrived."""
        return self.transitions - self.lost


@dataclass(slots=True)
class _Span:
    """One alert of the alerter's, by what arrived: when it began, and when that and its end were first told."""

    alert_id: int
    started_s: float
    fired_at_s: float | None = None
    ended_at_s: float | None = None

    @property
    def told_at_s(self) -> float:
        return min(at_s for at_s in (self.fired_at_s, self.ended_at_s) if at_s is not None)


def episodes(samples: Mapping[Labels, Iterable[float]], evaluated: Iterable[float], apart_s: float) -> list[Fired]:
    """Return the episodes of every series; samples ``apart_s`` or more apart belong to two.

    ``evaluated`` is when rules were: a time of ``apart_s`` or more in which none were does not count.
    """
    pauses = [(one, other) for one, other in pairwise(sorted(evaluated)) if other - one >= apart_s]

    def gone_s(one: float, other: float) -> float:
        return other - one - sum(end - begin for begin, end in pauses if one <= begin and end <= other)

    return [
        episode for labels, times in samples.items() for episode in _episodes_of(labels, sorted(times), gone_s, apart_s)
    ]


def account(fired: Iterable[Fired], arrivals: Sequence[Arrival], *, sure_s: float) -> Account:
    """Compare. Episodes less than ``sure_s`` apart may be told as one."""
    sums = Account()
    told = _spans(arrivals)
    true: dict[Labels, list[Fired]] = {labels: [] for labels in told}
    for one in fired:
        true.setdefault(one.labels, []).append(one)
    for labels, ones in true.items():
        _compare(sums, sorted(ones, key=lambda one: one.began_s), told.get(labels, []), labels, sure_s)
    for line in disorder(arrivals):
        sums.out_of_order += 1
        sums.findings.append(line)
    sums.duplicates = duplicates(arrivals)
    return sums


def disorder(arrivals: Iterable[Arrival]) -> Iterator[str]:
    """Yield what was told of an alert after something later had been.

    Within one message there is no order, and one that comes twice in a row is told as it was before.
    """
    latest: dict[Labels, tuple[int, bool]] = {}
    last: dict[Labels, int] = {}
    for arrival in arrivals:
        places = [(one.labels, (one.alert_id, one.ended_s is not None)) for one in arrival.told]
        for labels, place in places:
            if place < latest.get(labels, place) and last[labels] != arrival.notification_id:
                yield f"{named(labels)}: {_said(place)} after {_said(latest[labels])}"
        for labels, place in places:
            latest[labels] = max(place, latest.get(labels, place))
            last[labels] = arrival.notification_id


def duplicates(arrivals: Iterable[Arrival]) -> list[float]:
    """Return when messages arrived that had arrived before, Unix seconds."""
    came: set[int] = set()
    again = []
    for arrival in arrivals:
        if arrival.notification_id in came:
            again.append(arrival.at_s)
        came.add(arrival.notification_id)
    return again


def blamed(again_s: Iterable[float], kills: Sequence[tuple[float, str]]) -> Counter[str]:
    """Return how many of these moments came after a kill of each kind: the last before the moment is to blame."""
    names = ((name for at_s, name in reversed(kills) if at_s < moment_s) for moment_s in again_s)
    return Counter(next(before, "no kill") for before in names)


def lost_messages(committed: Iterable[int], arrivals: Iterable[Arrival]) -> list[str]:
    """Return which messages the alerter says it delivered and nobody got."""
    came = {arrival.notification_id for arrival in arrivals}
    return [f"message {number} is noted as delivered and never came" for number in sorted(set(committed) - came)]


def needless_calls(
    arrivals: Iterable[Arrival], created_s: Mapping[int, float], acknowledged_s: Mapping[int, float]
) -> list[str]:
    """Return the calls about an alert that were made when it had been acknowledged. Unix seconds, by number."""
    return [
        f"alert {one.alert_id}: a call ({arrival.kind}) after it was acknowledged"
        for arrival in arrivals
        if arrival.kind in CALLS
        for one in arrival.told
        if acknowledged_s.get(one.alert_id, float("inf")) < created_s[arrival.notification_id]
    ]


def named(labels: Labels) -> str:
    """Return an alert's labels, for reading."""
    kept = {name: value for name, value in labels if name not in {"instance", "job", "severity"}}
    return " ".join([kept.pop("alertname", "?"), *(kept[name] for name in sorted(kept))])


def _compare(sums: Account, true: Sequence[Fired], told: Sequence[_Span], labels: Labels, sure_s: float) -> None:
    homes = _homes(true, told)
    for span in told:
        if span.alert_id not in homes:
            _invented(sums, f"{named(labels)}: alert {span.alert_id} was told and never fired")
    for place, one in enumerate(true):
        here = [span for span in told if homes.get(span.alert_id) == place]
        if not here and one.gone_s < sure_s:
            sums.joined += 1
            continue
        _weigh(sums, one, here)


def _homes(true: Sequence[Fired], told: Iterable[_Span]) -> dict[int, int]:
    """Return the place of the episode in which each alert began, by the alert's number."""
    return {
        span.alert_id: place
        for span in told
        for place, one in enumerate(true)
        if one.began_s - NEAR_S <= span.started_s <= one.last_s + NEAR_S
    }


def _weigh(sums: Account, one: Fired, here: Sequence[_Span]) -> None:
    sums.transitions += 2
    if not here:
        sums.lost += 2
        sums.findings.append(f"{named(one.labels)}: fired at {one.began_s:.3f}, and nothing of it arrived")
        return
    for extra in here[1:]:
        _invented(sums, f"{named(one.labels)}: alert {extra.alert_id} began within alert {here[0].alert_id}'s time")
    last = here[-1]
    sums.beginnings_s.append(here[0].told_at_s - one.began_s)
    sums.missed += here[0].fired_at_s is None
    if last.ended_at_s is None:
        sums.lost += 1
        sums.findings.append(f"{named(one.labels)}: the end of alert {last.alert_id} did not arrive")
    else:
        sums.ends_s.append(last.ended_at_s - one.last_s)


def _invented(sums: Account, line: str) -> None:
    sums.invented += 1
    sums.findings.append(line)


def _spans(arrivals: Iterable[Arrival]) -> dict[Labels, list[_Span]]:
    found: dict[Labels, dict[int, _Span]] = {}
    for arrival in arrivals:
        for one in arrival.told:
            ours = found.setdefault(one.labels, {})
            span = ours.setdefault(one.alert_id, _Span(one.alert_id, one.started_s))
            if one.ended_s is None:
                span.fired_at_s = _first(span.fired_at_s, arrival.at_s)
            else:
                span.ended_at_s = _first(span.ended_at_s, arrival.at_s)
    return {labels: [spans[number] for number in sorted(spans)] for labels, spans in found.items()}


def _first(known_s: float | None, now_s: float) -> float:
    return now_s if known_s is None else min(known_s, now_s)


def _episodes_of(
    labels: Labels, times: Sequence[float], gone_s: Callable[[float, float], float], apart_s: float
) -> Iterator[Fired]:
    gaps = [gone_s(one, other) for one, other in pairwise(times)]
    begins = [0, *(place for place, gap_s in enumerate(gaps, 1) if gap_s >= apart_s)]
    for begin, end in pairwise([*begins, len(times)]):
        if begin < end:
            before_s = gaps[begin - 1] if begin else float("inf")
            yield Fired(labels=labels, began_s=times[begin], last_s=times[end - 1], gone_s=before_s)


def _said(place: tuple[int, bool]) -> str:
    return f"{'the end' if place[1] else 'the beginning'} of alert {place[0]}"
