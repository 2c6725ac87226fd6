"""``kill -9`` Redis: it may forget a second of what it acknowledged, and the spool sends that again."""

import time

from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Kill it, once."""
    at_s = time.time()
    stack.kill("redis")
    return Injected(at_s=at_s)
