"""The exchange says ``serverShutdown`` and closes: the next connection takes over before, and nothing is lost."""

import time
from typing import Final

from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack
from tests.chaos.waiting import within

WARNED_S: Final = 8.0


def inject(_stack: Stack, simulator: Simulator) -> Injected:
    """Announce the end of every connection, and wait for it."""
    before = simulator.market().listening
    simulator.fault("rollover", seconds=WARNED_S, warn=True)
    within(2 * WARNED_S, lambda: simulator.market().closed_s(before) is not None)
    market = simulator.market()
    ended_s, new = market.closed_s(before), market.since(before.since_s)
    wrong = [] if len(new) == 1 else [f"{len(new)} new connections instead of one"]
    if ended_s is None or not new or new[0].since_s >= ended_s:
        wrong.append("the old connection ended before the new one was open, or never")
    return Injected(
        at_s=ended_s or time.time(),
        repeated=0,
        received_late=len(market.symbols),
        receipts_overlap=True,
        wrong=tuple(wrong),
    )
