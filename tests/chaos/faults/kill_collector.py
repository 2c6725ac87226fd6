"""``kill -9`` the collector: what it had received and not spooled dies with it, and the ledger names it."""

from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Kill it, once."""
    at_s = stack.kill("collector")
    return Injected(at_s=at_s, cuts_s=(at_s,))
