"""Redis is stopped for a minute: frames wait in the spool, and arrive."""

from tests.chaos.injection import Injected
from tests.chaos.outage import away
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Stop it, and start it after a minute."""
    return away(stack, "redis")
