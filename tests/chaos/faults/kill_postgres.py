"""``kill -9`` PostgreSQL's postmaster: the turn in hand is lost as a whole, and done again."""

from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Kill it, once."""
    return Injected(at_s=stack.kill("postgres"))
