"""Redis alone: add the frames of the same trades to streams, as many in a transaction as the collector sends.

python -m bench.add REDIS_URL SECONDS
"""

import itertools
import json
import sys
import time
from collections.abc import Sequence

import redis

from bench.market import SYMBOLS
from bench.trades import frames_of_trades
from nightdesk.shards import stream_key

FRAMES_A_TRANSACTION = 20
"""About what the collector has ready while Redis answers."""


def add(url: str, seconds: float) -> dict[str, float]:
    """Return how many ticks were acknowledged, and in how many seconds."""
    frames, ticks = frames_of_trades(FRAMES_A_TRANSACTION)
    count, began = 0, time.perf_counter()
    with redis.Redis.from_url(url) as client:
        for number in itertools.count(1):
            _add(client, number, frames)
            count += ticks
            if time.perf_counter() - began > seconds:
                break
    return {"count": count, "seconds": time.perf_counter() - began}


def _add(client: "redis.Redis", number: int, frames: Sequence[bytes]) -> None:
    pipeline = client.pipeline(transaction=True)
    for place, frame in enumerate(frames):
        pipeline.xadd(stream_key("bench", place % len(SYMBOLS)), {"f": frame}, id=f"{number}-{place + 1}")
    pipeline.execute()


if __name__ == "__main__":
    print(json.dumps(add(sys.argv[1], float(sys.argv[2]))), flush=True)
