"""A collector that is run differently for a while: it is exchanged while the market stands still, so nothing passes."""

import time
from typing import Final

from nightdesk.errors import UnavailableError
from tests.chaos.replicas import feed_facts
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Disguise, Stack
from tests.chaos.waiting import within

READ_S: Final = 1.0
"""What was sent to a collector that keeps up is read and spooled by then."""
LISTENING_LIMIT_S: Final = 60.0


def put_on(stack: Stack, simulator: Simulator, disguise: Disguise) -> None:
    """Stop the market, exchange the collector for one in disguise; raises UnavailableError when it does not listen."""
    since_s = _stopped(simulator)
    stack.disguise("collector", disguise)
    _await(stack, simulator, since_s)


def take_off(stack: Stack, simulator: Simulator) -> None:
    """Exchange it for one as delivered, and start the market. Raises UnavailableError when it does not listen."""
    since_s = _stopped(simulator)
    stack.undisguise("collector")
    _await(stack, simulator, since_s)
    simulator.start()


def _stopped(simulator: Simulator) -> float:
    """Stop the market and return when the last who listens came."""
    simulator.stop()
    time.sleep(READ_S)
    return simulator.market().listening.since_s


def _await(stack: Stack, simulator: Simulator, since_s: float) -> None:
    if not within(LISTENING_LIMIT_S, lambda: bool(simulator.market().since(since_s)) and _is_ready(stack)):
        raise UnavailableError(f"no other collector listens after {LISTENING_LIMIT_S:.0f} s")


def _is_ready(stack: Stack) -> bool:
    return bool(feed_facts(stack, "feed").get("ready"))
