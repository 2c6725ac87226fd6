"""A clock that is set back: what waits does not wait for so much longer. Pure.

Set forward, everything comes due at once, and needs nothing.
"""

from dataclasses import replace

from services.alerter.turn import Turn


def set_back(turn: Turn, by_s: float) -> None:
    """Move what is measured against the clock by as much as it was set back."""
    for group in list(turn.groups.values()):
        turn.put_group(
            replace(
                group,
                opened_s=group.opened_s - by_s,
                told_s=_earlier(group.told_s, by_s),
                due_s=_earlier(group.due_s, by_s),
            )
        )
    for alert in [one for one in turn.firing() if one.missing_s is not None]:
        turn.put(replace(alert, missing_s=_earlier(alert.missing_s, by_s)))
    for silence in list(turn.silences.values()):
        turn.put_silence(replace(silence, starts_s=silence.starts_s - by_s, ends_s=silence.ends_s - by_s))
    turn.watched_s = _earlier(turn.watched_s, by_s)


def _earlier(moment_s: float | None, by_s: float) -> float | None:
    return None if moment_s is None else moment_s - by_s
