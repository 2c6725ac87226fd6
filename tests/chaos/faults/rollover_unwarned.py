"""The exchange closes without a word: what passes until the next connection is open is in the ledger, exactly."""

import time
from typing import Final

from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack
from tests.chaos.waiting import within

CLOSES_AFTER_S: Final = 0.5
LIMIT_S: Final = 30.0


def inject(_stack: Stack, simulator: Simulator) -> Injected:
    """Close every connection, and wait until another one is open."""
    before = simulator.market().listening
    simulator.fault("rollover", seconds=CLOSES_AFTER_S, warn=False)
    back = within(LIMIT_S, lambda: bool(simulator.market().since(before.since_s)))
    return Injected(
        at_s=simulator.market().closed_s(before) or time.time(),
        withheld=True,
        wrong=() if back else (f"no new connection within {LIMIT_S:.0f} s",),
    )
