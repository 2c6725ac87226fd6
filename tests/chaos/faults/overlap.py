"""The exchange sends runs of messages and then the same runs again: every trade of the second run is dropped."""

from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack
from tests.chaos.tampered import tampered


def inject(_stack: Stack, simulator: Simulator) -> Injected:
    """Repeat a run of trades, of quotes and of depth of every symbol."""
    return tampered(simulator, "overlap", trades=500, others=20, repeats=True)
