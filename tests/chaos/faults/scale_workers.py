"""``docker compose up -d --scale worker=1..4`` while it runs."""

import time
from typing import Final

from tests.chaos.injection import Injected
from tests.chaos.replicas import scale_workers
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack

EACH_S: Final = 2.0


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Go up to four, one at a time, and down to one at once."""
    wrong: tuple[str, ...] = ()
    for number in (2, 3, 4):
        wrong += scale_workers(stack, number)
        time.sleep(EACH_S)
    at_s = time.time()
    return Injected(at_s=at_s, wrong=(*wrong, *scale_workers(stack, 1)))
