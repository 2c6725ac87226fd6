"""``docker compose restart`` of everything but the exchange."""

import math
import time

from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Restart it all in good order; the collector's socket ends with it."""
    began_s = time.time()
    stack.restart()
    return Injected(at_s=time.time(), cut_within_s=((began_s, math.inf),))
