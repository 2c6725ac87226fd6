"""A second collector of the feed stands by, takes over when the first is killed, and goes again."""

import math
import time
from typing import Final

from tests.chaos.injection import Injected
from tests.chaos.replicas import call_standby, end_one_collector
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack

BESIDE_S: Final = 2.0


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Run two, kill the one that collects, and end whichever is too many."""
    before = len(simulator.market().connections)
    wrong = call_standby(stack)
    time.sleep(BESIDE_S)
    if len(simulator.market().connections) != before:
        wrong = (*wrong, "the standby connected to the exchange")
    at_s = stack.kill("collector")
    return Injected(
        at_s=at_s,
        cut_within_s=((at_s, math.inf),),
        wrong=wrong,
        then=lambda: end_one_collector(stack, simulator),
    )
