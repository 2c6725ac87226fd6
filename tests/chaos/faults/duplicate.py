"""The exchange sends messages twice: of each trade one row, the other is dropped and counted."""

from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack
from tests.chaos.tampered import tampered


def inject(_stack: Stack, simulator: Simulator) -> Injected:
    """Send trades, quotes and depth of every symbol twice."""
    return tampered(simulator, "duplicate", trades=200, others=20, repeats=True)
