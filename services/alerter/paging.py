"""The page: call one channel after the other until somebody acknowledges or all is over. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from services.alerter.alerts import Group
from services.alerter.messages import Kind
from services.alerter.news import Call, Look, Members, may_speak

LOOK_AGAIN_S: Final = 15.0
"""When to look again at a group that is due while all of it is hidden or in doubt."""


def page(look: Look, group: Group) -> None:
    """Tell what is due of one group."""
    members, options = look.of(group), look.policy.page
    has_news = bool(members.fresh or (members.missed and members.firing))
    if look.is_unheard(group) and members.open:
        _call_at_last(look, group, members)
    elif has_news and may_speak(look.now_s, group, options.wait, options.interval):
        _call_first(look, group, members)
    elif group.due_s is not None and group.due_s <= look.now_s and members.firing:
        _call_again(look, group, members)
    elif not members.firing and not members.fresh:
        _close(look, group, members)


def _call_first(look: Look, group: Group, members: Members) -> None:
    """Tell what is new; where nobody has to be called any more, the page begins again with its first step."""
    calls = look.calls()
    ended = [*members.over, *members.missed]
    if not members.fresh:
        look.say(group, Kind.MISSED, look.reached(group, _first(calls)), (), ended)
    elif group.due_s is None:
        look.say(_called(look, group, calls, calls[:1]), Kind.FIRING, _first(calls), members.fresh, ended)
    else:
        look.say(group, Kind.FIRING, look.reached(group, _first(calls)), members.fresh, ended)


def _call_at_last(look: Look, group: Group, members: Members) -> None:
    """Begin with the first step where there was no channel so far to tell anybody."""
    calls = look.calls()
    first = _called(look, group, calls, calls[:1])
    look.say(first, Kind.FIRING, _first(calls), [*members.open, *members.fresh])


def _call_again(look: Look, group: Group, members: Members) -> None:
    """Take the next step that can be taken, or the last one again."""
    if not members.open:
        due_s = look.now_s + LOOK_AGAIN_S if members.is_unattended else None
        look.turn.put_group(replace(group, due_s=due_s))
        return
    calls = look.calls()
    left = [call for call in calls if call.place >= group.step]
    taken = left[:1] or calls[-1:]
    kind = Kind.ESCALATION if left else Kind.REPEAT
    look.say(_called(look, group, calls, taken), kind, _first(taken), members.open)


def _close(look: Look, group: Group, members: Members) -> None:
    """Say that all is over, or that it was before anybody could be told; then let the group go."""
    if members.over or members.missed:
        kind = Kind.RESOLVED if members.over else Kind.MISSED
        channels = look.reached(group, _first(look.calls()))
        look.turn.withdraw(group.key, frozenset({Kind.ESCALATION, Kind.REPEAT}))
        look.say(group, kind, channels, (), [*members.over, *members.missed])
    look.settle(members.ended)
    look.turn.close_group(group.key)


def _called(look: Look, group: Group, calls: Sequence[Call], taken: Sequence[Call]) -> Group:
    """Return the group once a step is taken: which is next, and when."""
    step = taken[0].place + 1 if taken else 0
    following = next((call.after_s for call in calls if call.place >= step), look.policy.page.repeat)
    return replace(group, step=step, due_s=look.now_s + following)


def _first(calls: Sequence[Call]) -> tuple[str, ...]:
    return calls[0].channels if calls else ()
