"""Which alerts are not told for now: silenced by a person, or explained by another alert. Pure."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from services.alerter.alerts import Alert, Silence
from services.alerter.matching import Labels, matches
from services.alerter.policy import Inhibition, Policy
from services.alerter.turn import Turn

_Shared: TypeAlias = tuple[str, ...]


def hidden(turn: Turn, policy: Policy) -> frozenset[int]:
    """Return the numbers of the alerts that a silence or another alert hides now."""
    alerts = list(turn.alerts.values())
    silences = [one for one in turn.silences.values() if one.starts_s <= turn.now_s < one.ends_s]
    found = {alert.alert_id for alert in alerts if silence_of(alert.labels, silences) is not None}
    for inhibition in policy.inhibit:
        found.update(_explained(alerts, inhibition, turn.now_s))
    return frozenset(found)


def silence_of(labels: Labels, silences: Iterable[Silence]) -> Silence | None:
    """Return the silence that hides an alert of these labels."""
    return next((one for one in silences if matches(one.match, labels)), None)


def _explained(alerts: Iterable[Alert], inhibition: Inhibition, now_s: float) -> Iterator[int]:
    """Yield the alerts that others explain; of those that explain and are explained none hides another.

    Else two of a kind would hide each other, and nobody would be told of either.
    """
    causes = [alert for alert in alerts if _explains(alert, inhibition, now_s)]
    if not causes:
        return
    every = {_shared(alert, inhibition) for alert in causes}
    unlike = {_shared(alert, inhibition) for alert in causes if not matches(inhibition.hide, alert.labels)}
    for alert in alerts:
        if matches(inhibition.hide, alert.labels):
            hiding = unlike if matches(inhibition.when, alert.labels) else every
            if _shared(alert, inhibition) in hiding:
                yield alert.alert_id


def _explains(alert: Alert, inhibition: Inhibition, now_s: float) -> bool:
    is_recent = alert.ended_s is None or now_s - alert.ended_s < inhibition.linger
    return is_recent and matches(inhibition.when, alert.labels)


def _shared(alert: Alert, inhibition: Inhibition) -> _Shared:
    return tuple(alert.labels.get(name, "") for name in inhibition.same)
