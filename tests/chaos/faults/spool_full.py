"""The disk of the spool is full while Redis is away: the socket is paused, and goes on once there is room."""

import math
import time
from collections.abc import Mapping
from typing import Final

from tests.chaos.injection import Injected
from tests.chaos.replicas import feed_facts
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack

LEFT_BYTES: Final = 1_500_000
PAUSE_LIMIT_S: Final = 60.0
PAUSED_S: Final = 6.0
LOOK_S: Final = 0.1


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Take the room, stop Redis, wait until the collector reads no more, and give both back."""
    stack.fill_spool(LEFT_BYTES)
    try:
        stack.stop("redis")
        paused_s, unread = _until_paused(stack, simulator)
        time.sleep(PAUSED_S)
        still = _is_paused(stack)
    finally:
        stack.free_spool()
        stack.start("redis")
    wrong = () if paused_s and still else ("the socket was not paused although the disk was full",)
    return Injected(at_s=time.time(), cut_within_s=((paused_s or math.inf, math.inf),), unread=unread, wrong=wrong)


def _until_paused(stack: Stack, simulator: Simulator) -> tuple[float | None, Mapping[str, int]]:
    """Return when the collector was seen not to read any more, and the last ids sent a moment before."""
    deadline_s = time.monotonic() + PAUSE_LIMIT_S
    while time.monotonic() < deadline_s:
        at_s, sent = time.time(), simulator.market().last
        time.sleep(LOOK_S)
        if _is_paused(stack):
            return at_s, sent
    return None, {}


def _is_paused(stack: Stack) -> bool:
    return feed_facts(stack, "feed").get("pressure") == "pause"
