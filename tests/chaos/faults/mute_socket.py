"""Connected but mute, pings answered: the silence is noticed, and another connection takes its place."""

import time
from typing import Final

from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack
from tests.chaos.waiting import within

LIMIT_S: Final = 60.0
"""``silence_s`` of the feed is 30."""


def inject(_stack: Stack, simulator: Simulator) -> Injected:
    """Let every open connection fall silent, and wait until another one is open."""
    before = simulator.market().listening
    at_s = time.time()
    simulator.fault("mute_socket")
    back = within(LIMIT_S, lambda: bool(simulator.market().since(before.since_s)))
    return Injected(
        at_s=at_s,
        withheld=True,
        wrong=() if back else (f"a mute connection was kept for {LIMIT_S:.0f} s",),
    )
