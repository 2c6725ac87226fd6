"""The exchange accepts connections, answers, and closes them before the first tick: the waits grow until ticks come."""

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack
from tests.chaos.waiting import within

CLOSING_S: Final = 12.0
OPEN_S: Final = 0.3
"""Long enough for the subscriptions' answers and the books' snapshots."""
BACK_LIMIT_S: Final = 40.0
BASE_S: Final = 1.0
"""``RECONNECT_BASE_DELAY``, which doubles; of each wait half is random."""
SLACK_S: Final = 0.05


def inject(_stack: Stack, simulator: Simulator) -> Injected:
    """Close the connection and every new one for a while; then close a good one once more."""
    before = simulator.market().listening
    simulator.fault("accept_then_close", seconds=CLOSING_S, after_s=OPEN_S)
    simulator.fault("close")
    time.sleep(CLOSING_S)
    back = within(BACK_LIMIT_S, lambda: any(one.first for one in simulator.market().since(before.since_s)))
    market = simulator.market()
    tries_s = [one.since_s for one in market.since(before.since_s)]
    first_s = market.closed_s(before) or time.time()
    wrong = [] if back else [f"no connection stayed within {BACK_LIMIT_S:.0f} s"]
    wrong += hammering([first_s, *tries_s])
    simulator.fault("close")
    closed_s = time.time()
    if not within(2 * BASE_S, lambda: bool(simulator.market().since(closed_s))):
        wrong.append(f"after a connection with ticks the next one came later than {2 * BASE_S:.0f} s")
    return Injected(
        at_s=closed_s,
        withheld=True,
        wrong=tuple(wrong),
        notes=(f"{len(tries_s)} connections in {tries_s[-1] - first_s:.0f} s" if tries_s else "no connection",),
    )


def hammering(moments_s: Sequence[float]) -> list[str]:
    """Return which of the waits between connections was shorter than half of a base that doubles each time."""
    waits_s = [after - before for before, after in pairwise(moments_s)]
    return [
        f"wait {place + 1} was {wait_s:.2f} s, at least {BASE_S * 2**place / 2:g} s is due"
        for place, wait_s in enumerate(waits_s)
        if wait_s < BASE_S * 2**place / 2 - SLACK_S
    ]
