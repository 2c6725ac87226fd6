"""A worker that sleeps past its lease, and wakes."""

import time
from collections.abc import Callable
from typing import Final

from tests.chaos.replicas import scale_workers
from tests.chaos.stacks import Stack, wake

PAST_LEASE_S: Final = 8.0
"""``LEASE_SECONDS`` is 5."""
AWAKE_S: Final = 2.0


def waking(stack: Stack, process_id: int, stopped_s: float) -> Callable[[], tuple[str, ...]]:
    """Return what wakes a stopped worker once its lease is over, and sends the second one home."""

    def then() -> tuple[str, ...]:
        time.sleep(max(0.0, stopped_s + PAST_LEASE_S - time.time()))
        wake(process_id)
        time.sleep(AWAKE_S)
        return scale_workers(stack, 1)

    return then
