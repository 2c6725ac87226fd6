"""``kill -9`` Redis: it may forget a second of what it acknowledged, and the spool sends that again."""

from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Kill it, once."""
    return Injected(at_s=stack.kill("redis"))
