"""A second copy of every worker: the leases are shared out anew, twice."""

import time
from typing import Final

from tests.chaos.injection import Injected
from tests.chaos.replicas import scale_workers
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack

BESIDE_S: Final = 3.0


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Run twice as many, then as many as before."""
    number = len(stack.process_ids("worker"))
    wrong = scale_workers(stack, 2 * number)
    at_s = time.time()

    def back() -> tuple[str, ...]:
        time.sleep(BESIDE_S)
        return scale_workers(stack, number)

    return Injected(at_s=at_s, wrong=wrong, then=back)
