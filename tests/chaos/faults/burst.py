"""The market runs ten times as fast for twenty seconds: nothing is lost, and nothing waits for long afterwards."""

import time
from typing import Final

from tests.chaos.figures import CONFLATED, total
from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack

FACTOR: Final = 10.0
BURST_S: Final = 20.0


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Run the burst to its end."""
    trades, left_out = simulator.market().trades, total(stack.metrics("collector"), CONFLATED)
    simulator.fault("burst", factor=FACTOR, seconds=BURST_S)
    time.sleep(BURST_S)
    at_s = time.time()
    made = simulator.market().trades - trades
    left_out = total(stack.metrics("collector"), CONFLATED) - left_out
    note = f"{made / BURST_S:,.0f} trades/s, {left_out:.0f} quotes and depths conflated"
    return Injected(at_s=at_s, repeated=0, notes=(note,))
