"""JSON alone: parse the same messages with ``msgspec``, one core, nothing else.

python -m bench.parse SECONDS
"""

import json
import sys
import time

import msgspec

from bench.market import CHUNK, Market


def parse(seconds: float) -> dict[str, float]:
    """Return how many messages were parsed into dicts, and in how many seconds."""
    messages = Market().messages(1_700_000_000_000)
    decode = msgspec.json.Decoder().decode
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for message in messages:
            decode(message)
        count += CHUNK
    return {"count": count, "seconds": time.perf_counter() - began}


if __name__ == "__main__":
    print(json.dumps(parse(float(sys.argv[1]))), flush=True)
