"""Redis comes back with an append-only file from seconds ago: the spool sends again what it forgot."""

import time
from typing import Final

from tests.chaos.forgetting import forgotten, remember
from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack, suspend, wake

OLDER_S: Final = 3.0
KEEP: Final = "rm -rf .older && mkdir .older && cp -a [!.]* .older/"
PUT_BACK: Final = "rm -rf [!.]* && cp -a .older/. . && rm -rf .older"


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Keep a copy of its file, and seconds later put it back under a Redis that is killed."""
    (process_id,) = stack.process_ids("redis")
    suspend(process_id)
    stack.in_redis_data(KEEP)
    wake(process_id)
    remember(stack)
    time.sleep(OLDER_S)
    suspend(process_id)
    stack.in_redis_data(PUT_BACK)
    at_s = stack.kill("redis")
    return Injected(at_s=at_s, wrong=forgotten(stack))
