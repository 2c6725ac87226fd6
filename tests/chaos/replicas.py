"""Several workers, several collectors: call them, and know when they are at work."""

from typing import Any, Final

from nightdesk.errors import UnavailableError
from tests.chaos.databases import owners
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack
from tests.chaos.waiting import within

SHARED_LIMIT_S: Final = 30.0
STANDBY_LIMIT_S: Final = 20.0
LISTENING_LIMIT_S: Final = 30.0


def scale_workers(stack: Stack, number: int) -> tuple[str, ...]:
    """Run so many workers and wait until each owns consumers; return what is wrong."""
    stack.scale("worker", number)
    if within(SHARED_LIMIT_S, lambda: owners(stack) == number):
        return ()
    return (f"after {SHARED_LIMIT_S:.0f} s {owners(stack)} workers own consumers, not {number}",)


def call_standby(stack: Stack) -> tuple[str, ...]:
    """Run a second collector and wait until it stands by; return what is wrong."""
    stack.scale("collector", 2)
    if within(STANDBY_LIMIT_S, lambda: _standbys(stack) == 1):
        return ()
    return (f"after {STANDBY_LIMIT_S:.0f} s {_standbys(stack)} collectors stand by, not 1",)


def end_one_collector(stack: Stack, simulator: Simulator) -> tuple[str, ...]:
    """Go back to one collector, whichever it is, and wait until it listens; return what is wrong."""
    stack.scale("collector", 1)
    if within(LISTENING_LIMIT_S, lambda: is_heard(simulator)):
        return ()
    return (f"nobody listened {LISTENING_LIMIT_S:.0f} s after the second collector was gone",)


def is_heard(simulator: Simulator) -> bool:
    """Return whether somebody is connected to the exchange."""
    return any(one.closed_s is None for one in simulator.market().connections)


def feed_facts(stack: Stack, part: str) -> dict[str, Any]:
    """Return the facts of one part of the collector's health: ``feed`` or ``spool``; none while it does not say."""
    try:
        reports = stack.health("collector")
    except UnavailableError:
        return {}
    parts = [one for report in reports for one in report["parts"] if one["part"].startswith(f"{part}/")]
    return dict(parts[0]["facts"]) if parts else {}


def _standbys(stack: Stack) -> int:
    try:
        reports = stack.health("collector")
    except UnavailableError:
        return 0
    return sum(1 for report in reports for part in report["parts"] if part["facts"].get("standby"))
