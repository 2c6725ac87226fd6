"""Redis away for an hour, compressed: as many frames as an hour makes, as fast as they can be made.

While Redis is away a frame closes by age, twenty times a second for every shard with traffic, however many ticks come
(up to 500 in that time). So an hour makes 72,000 frames a shard. The exchange sends as fast as it can until the spool
has so many more; frames close at 50 ticks here (``FRAME_MAX_TICKS``) instead of 500, about what they hold at 5,000
trades/s (69), so that the hour's frames hold about the hour's trades, too.
"""

import time
from collections.abc import Iterable
from typing import Final

from nightdesk.shards import DEFAULT_SHARDS, shard_of
from services.collector.publisher import CLOSE_POLL_S
from tests.chaos.injection import Injected
from tests.chaos.replicas import feed_facts
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack
from tests.chaos.waiting import within

HOUR_S: Final = 3600
SETTLED_S: Final = 2.0
LOOK_S: Final = 1.0
"""Asking a container costs more than what it does meanwhile."""
FILL_LIMIT_S: Final = 1500.0
DRAIN_LIMIT_S: Final = 1800.0


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Stop Redis, fill the spool with an hour's frames, and start Redis."""
    wanted, rates = frames_an_hour(simulator.symbols()), simulator.rates()
    usual = rates.pop("trades_per_s")
    stack.stop("redis")
    try:
        time.sleep(SETTLED_S)
        began, began_s = _frames(stack), time.monotonic()
        simulator.set_rates(trades_per_s="max", **rates)
        full = within(FILL_LIMIT_S, lambda: _frames_soon(stack) - began >= wanted)
        simulator.set_rates(trades_per_s=usual, **rates)
        made, took_s = _frames(stack) - began, time.monotonic() - began_s
    finally:
        stack.start("redis")
    return Injected(
        at_s=time.time(),
        wrong=() if full else (f"only {made} of {wanted} frames were made in {took_s:.0f} s",),
        notes=(f"{made} frames in {took_s:.0f} s, {wanted} make an hour",),
        recovery_limit_s=DRAIN_LIMIT_S,
    )


def frames_an_hour(symbols: Iterable[str]) -> int:
    """Return how many frames these symbols make in an hour without Redis: by age, whatever the rate."""
    shards = {shard_of(symbol, DEFAULT_SHARDS) for symbol in symbols}
    return round(HOUR_S / CLOSE_POLL_S) * len(shards)


def _frames(stack: Stack) -> int:
    """How many frames the spool holds."""
    return int(feed_facts(stack, "spool").get("spool_frames", 0))


def _frames_soon(stack: Stack) -> int:
    time.sleep(LOOK_S)
    return _frames(stack)
