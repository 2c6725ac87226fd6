"""Somebody says FLUSHALL: the streams vanish under a collector that stays connected."""

import time

from tests.chaos.databases import redis_client
from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Say it."""
    with redis_client(stack) as client:
        at_s = time.time()
        client.flushall()
    return Injected(at_s=at_s)
