"""Frames that cannot be stored come into a stream: exactly they are set aside and counted, all else goes on."""

import time
from typing import Any, Final

from nightdesk import frames
from nightdesk.shards import DEFAULT_SHARDS, shard_of, stream_key
from nightdesk.ticks import Trade
from tests.chaos.databases import redis_client
from tests.chaos.evidence import FEED
from tests.chaos.figures import QUARANTINED, total
from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack
from tests.chaos.waiting import within

REST_S: Final = 1.0
"""By then the collector has sent what it has, so that the ids above the last one are free."""
COUNTED_LIMIT_S: Final = 20.0
FUTURE_NS: Final = 4_000_000_000_000_000_000
NO_ID_OF_ANYONE: Final = 2**63 - 1


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Add the poison right behind the collector's last frame, while the market stands still."""
    symbol = simulator.symbols()[0]
    stream = stream_key(FEED, shard_of(symbol, DEFAULT_SHARDS))
    before = total(stack.metrics("worker"), QUARANTINED)
    frame = _frame_from(stack, stream)
    simulator.stop()
    time.sleep(REST_S)
    poison = poisons(frame[b"f"], symbol)
    _add(stack, stream, poison, frame[b"w"])
    simulator.start()
    at_s = time.time()
    counted = within(COUNTED_LIMIT_S, lambda: total(stack.metrics("worker"), QUARANTINED) == before + len(poison))
    found = total(stack.metrics("worker"), QUARANTINED) - before
    wrong = () if counted else (f"{found:.0f} of {len(poison)} poisoned frames are counted for the alert",)
    return Injected(at_s=at_s, repeated=0, quarantined=len(poison), wrong=wrong)


def poisons(frame: bytes, symbol: str) -> dict[str, bytes]:
    """Return a frame with a wrong version, torn, no frame at all, and two whose trade nobody can have made."""
    now_ns = time.time_ns()
    return {
        "another version": bytes([frame[0] ^ 0x80]) + frame[1:],
        "torn": frame[: len(frame) // 2],
        "no frame": b"}{ not a frame",
        "an id that is no exchange's": frames.encode([Trade(symbol, NO_ID_OF_ANYONE, 1.0, 1.0, 1, now_ns, now_ns)]),
        "of another century": frames.encode([Trade(symbol, NO_ID_OF_ANYONE, 1.0, 1.0, 1, FUTURE_NS, now_ns)]),
    }


def _frame_from(stack: Stack, stream: str) -> dict[bytes, bytes]:
    """The next frame that the collector adds."""
    with redis_client(stack) as client:
        answer: Any = client.xread({stream: "$"}, count=1, block=4000)
        ((_, ((_, fields),)),) = answer
        return dict(fields)


def _add(stack: Stack, stream: str, poison: dict[str, bytes], writer: bytes) -> None:
    with redis_client(stack) as client:
        info: Any = client.xinfo_stream(stream)
        ms, _, sequence = info["last-generated-id"].decode().partition("-")
        for place, payload in enumerate(poison.values(), int(sequence) + 1):
            client.xadd(stream, {"f": payload, "w": writer}, id=f"{ms}-{place}")
