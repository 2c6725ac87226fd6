"""Redis away for an hour, compressed: as many frames as an hour at the usual rate makes, as fast as they can be made.

While Redis is away a frame closes by age or by count. How many that makes in a second is measured first, at the usual
rate; then the exchange sends as fast as it can until the spool has 3,600 times as many more. Frames close at 50 ticks
here instead of 500 (``FRAME_MAX_TICKS``), about what they hold at 5,000 trades/s, so that the hour's frames are the
hour's trades as well.
"""

import time
from typing import Final

from tests.chaos.injection import Injected
from tests.chaos.replicas import feed_facts
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack
from tests.chaos.waiting import within

HOUR_S: Final = 3600
MEASURED_S: Final = 10.0
SETTLED_S: Final = 2.0
FILL_LIMIT_S: Final = 1200.0
DRAIN_LIMIT_S: Final = 1800.0


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Stop Redis, fill the spool with an hour's frames, and start Redis."""
    stack.stop("redis")
    try:
        time.sleep(SETTLED_S)
        rates, (began, began_s) = simulator.rates(), _frames(stack)
        time.sleep(MEASURED_S)
        measured, measured_s = _frames(stack)
        per_s = (measured - began) / (measured_s - began_s)
        wanted = began + round(HOUR_S * per_s)
        usual, others = rates.pop("trades_per_s"), rates
        simulator.set_rates(trades_per_s="max", **others)
        full = within(FILL_LIMIT_S, lambda: _frames(stack)[0] >= wanted)
        simulator.set_rates(trades_per_s=usual, **others)
        made, made_s = _frames(stack)
    finally:
        stack.start("redis")
    note = f"{per_s:.0f} frames/s at the usual rate; {made - began} frames in {made_s - began_s:.0f} s"
    wrong = () if full else (f"only {made - began} of {wanted - began} frames after {FILL_LIMIT_S:.0f} s",)
    return Injected(at_s=time.time(), wrong=wrong, notes=(note,), recovery_limit_s=DRAIN_LIMIT_S)


def _frames(stack: Stack) -> tuple[int, float]:
    """How many frames the spool holds, and when."""
    return int(feed_facts(stack, "spool").get("spool_frames", 0)), time.monotonic()
