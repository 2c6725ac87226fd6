"""What bare ``websockets`` receives: connect, count messages until the server closes, do nothing with them.

python -m bench.receive PORT
"""

import asyncio
import json
import sys
import time

from websockets.asyncio.client import connect

from bench.market import CHUNK


async def receive(port: int) -> dict[str, float]:
    """Return how many messages came and in how many seconds, the first one's arrival being the start."""
    count = 0
    async with connect(f"ws://127.0.0.1:{port}/stream", proxy=None) as connection:
        await connection.send('{"method":"SUBSCRIBE","params":[],"id":1}')
        await connection.recv()
        began = ended = time.perf_counter()
        async for _ in connection:
            count += 1
            if count % CHUNK == 0:
                ended = time.perf_counter()
    return {"count": count, "seconds": ended - began}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(receive(int(sys.argv[1])))), flush=True)
