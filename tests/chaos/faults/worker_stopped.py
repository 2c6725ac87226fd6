"""A worker is stopped (SIGSTOP) past its lease: another takes over, and the first finds its lease gone."""

import time

from tests.chaos.injection import Injected
from tests.chaos.replicas import scale_workers
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack, suspend
from tests.chaos.zombie import waking


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Call a second worker and stop the first."""
    wrong = scale_workers(stack, 2)
    stopped = stack.process_ids("worker")[0]
    at_s = time.time()
    suspend(stopped)
    return Injected(at_s=at_s, wrong=wrong, then=waking(stack, stopped, at_s))
