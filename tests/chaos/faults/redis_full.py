"""Redis at its memory limit: the streams get no more, and what the collector leaves is enough for a job of RQ."""

import time
from typing import Final

import redis

from tests.chaos import rq_job
from tests.chaos.databases import memory, redis_client
from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack, suspend, wake
from tests.chaos.waiting import within

NO_ROOM_BYTES: Final = 1_000_000
NO_ROOM_S: Final = 2.0
"""So long every XADD is refused."""
ROOM_BYTES: Final = 8_000_000
"""What the limit is above use: the streams take seconds to fill their share of it."""
HIGH: Final = 0.70
FULL_LIMIT_S: Final = 60.0
HELD_S: Final = 5.0


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Take all room away for a moment; then let the streams fill theirs while nobody reads them, and run a job."""
    with redis_client(stack) as client:
        before = memory(client)[1]
        client.config_set("maxmemory", NO_ROOM_BYTES)
        time.sleep(NO_ROOM_S)
        client.config_set("maxmemory", memory(client)[0] + ROOM_BYTES)
        workers = stack.process_ids("worker")
        for one in workers:
            suspend(one)
        try:
            wrong, note = _at_the_limit(stack)
        finally:
            for one in workers:
                wake(one)
            client.config_set("maxmemory", before)
    return Injected(at_s=time.time(), wrong=wrong, notes=(note,))


def _at_the_limit(stack: Stack) -> tuple[tuple[str, ...], str]:
    with redis_client(stack) as client:
        full = within(FULL_LIMIT_S, lambda: _ratio(client) >= HIGH)
        wrong = rq_job.run(stack)
        time.sleep(HELD_S)
        used, limit = memory(client)
    if not full:
        wrong = (*wrong, f"the streams did not fill {HIGH:.0%} of Redis's memory within {FULL_LIMIT_S:.0f} s")
    if used >= limit:
        wrong = (*wrong, f"Redis uses {used} of {limit} bytes: the collector left nothing for jobs")
    return wrong, f"Redis used {used / limit:.0%} of its memory, and {'no' if wrong else 'a'} job ran"


def _ratio(client: "redis.Redis") -> float:
    used, limit = memory(client)
    return used / limit
