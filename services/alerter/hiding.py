"""Which alerts are not told for now: silenced by a person, or explained by another alert. Pure."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from services.alerter.alerts import Alert, Silence
from services.alerter.matching import Labels, matches
from services.alerter.policy import Inhibition, Policy
from services.alerter.turn import Turn

_Shared: TypeAlias = tuple[str, ...]
_Explanation: TypeAlias = tuple[list[int], list[int]]
"""The numbers of alerts that explain, and of those that each of them explains."""


def hidden(turn: Turn, policy: Policy) -> frozenset[int]:
    """Return the numbers of the alerts that a silence or another alert hides now.

    An alert stays hidden only if the chain of what explains it ends with one that nothing explains: in a circle all
    would hide each other, and nobody would be told of any.
    """
    alerts = list(turn.alerts.values())
    silences = [one for one in turn.silences.values() if one.starts_s <= turn.now_s < one.ends_s]
    silenced = {alert.alert_id for alert in alerts if silence_of(alert.labels, silences) is not None}
    pairs = [pair for one in policy.inhibit for pair in _explained(alerts, one, turn.now_s)]
    explained = {number for _, numbers in pairs for number in numbers}
    grounded = {alert.alert_id for alert in alerts} - explained
    while more := {one for causes, numbers in pairs if not grounded.isdisjoint(causes) for one in numbers} - grounded:
        grounded |= more
    return frozenset(silenced | (explained & grounded))


def silence_of(labels: Labels, silences: Iterable[Silence]) -> Silence | None:
    """Return the silence that hides an alert of these labels."""
    return next((one for one in silences if matches(one.match, labels)), None)


def _explained(alerts: Iterable[Alert], inhibition: Inhibition, now_s: float) -> Iterator[_Explanation]:
    """Yield which alerts explain which others; of those that explain and are explained none hides another.

    Else two of a kind would hide each other, and nobody would be told of either.
    """
    every: dict[_Shared, list[int]] = {}
    unlike: dict[_Shared, list[int]] = {}
    for alert in alerts:
        if _explains(alert, inhibition, now_s):
            every.setdefault(_shared(alert, inhibition), []).append(alert.alert_id)
            if not matches(inhibition.hide, alert.labels):
                unlike.setdefault(_shared(alert, inhibition), []).append(alert.alert_id)
    if not every:
        return
    others: dict[_Shared, list[int]] = {}
    alike: dict[_Shared, list[int]] = {}
    for alert in alerts:
        if matches(inhibition.hide, alert.labels):
            found = alike if matches(inhibition.when, alert.labels) else others
            found.setdefault(_shared(alert, inhibition), []).append(alert.alert_id)
    yield from ((causes, others[key]) for key, causes in every.items() if key in others)
    yield from ((causes, alike[key]) for key, causes in unlike.items() if key in alike)


def _explains(alert: Alert, inhibition: Inhibition, now_s: float) -> bool:
    """Return whether an alert explains others: while its condition holds, and ``linger`` after that.

    One that is held, because it flaps, is gone all the same. What is gone since a later moment is of a clock that was
    set back.
    """
    gone_s = alert.missing_s if alert.ended_s is None else alert.ended_s
    is_recent = gone_s is None or 0 <= now_s - gone_s < inhibition.linger
    return is_recent and matches(inhibition.when, alert.labels)


def _shared(alert: Alert, inhibition: Inhibition) -> _Shared:
    return tuple(alert.labels.get(name, "") for name in inhibition.same)
