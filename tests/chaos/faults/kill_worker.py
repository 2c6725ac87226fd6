"""``kill -9`` a worker in the middle of its turn: the position it had committed is where the next one resumes."""

from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Kill it, once."""
    return Injected(at_s=stack.kill("worker"))
