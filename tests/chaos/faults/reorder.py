"""The exchange sends runs of messages last one first: the jump opens a gap, and the late ones fill it."""

from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack
from tests.chaos.tampered import tampered


def inject(_stack: Stack, simulator: Simulator) -> Injected:
    """Turn a run of trades, of quotes and of depth of every symbol around."""
    return tampered(simulator, "reorder", trades=500, others=10, repeats=False)
