"""Redis as the api sees it: does it answer, how full is it, and what waits in the streams?"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from nightdesk.errors import UnavailableError
from nightdesk.shards import position_key
from services.api.survey.survey import Backlog, RedisState, stream_of

TIMEOUT_S: Final = 1.0
STREAMS: Final = "ticks:*"
BEGINNING: Final = "0-0"


class Streams:
    """Ask Redis, briefly and without trying again: the next survey is the next try."""

    def __init__(self, *, url: str, password: str | None) -> None:
        self._redis = Redis.from_url(
            url,
            password=password,
            protocol=2,
            decode_responses=False,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            max_connections=2,
            retry=Retry(NoBackoff(), 0),
        )

    async def look(self) -> RedisState:
        """Return how full Redis is and what waits for the store; raises UnavailableError."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return RedisState(memory_ratio=await self._memory_ratio(), backlogs=await self._backlogs())
        except (RedisError, OSError, TimeoutError) as error:
            raise UnavailableError(f"Redis does not answer ({type(error).__name__})") from error

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()

    async def _memory_ratio(self) -> float | None:
        memory = await self._redis.info("memory")
        limit = memory.get("maxmemory", 0)
        return memory["used_memory"] / limit if limit else None

    async def _backlogs(self) -> tuple[Backlog, ...]:
        """Two round trips, whatever the number of streams: the positions, then the first entry after each."""
        keys = [key.decode() async for key in self._redis.scan_iter(match=STREAMS, count=1000)]
        streams = {key: found for key in sorted(keys) if (found := stream_of(key))}
        positions = await self._all([("GET", position_key(*found)) for found in streams.values()])
        after = [f"({(position or BEGINNING.encode()).decode()}" for position in positions]
        firsts = await self._all(
            [("XRANGE", key, start, "+", "COUNT", "1") for key, start in zip(streams, after, strict=True)]
        )
        lengths = await self._all([("XLEN", key) for key in streams])
        return tuple(
            Backlog(feed=feed, entries=length, oldest_ms=_milliseconds(first))
            for (feed, _), length, first in zip(streams.values(), lengths, firsts, strict=True)
        )

    async def _all(self, commands: Sequence[tuple[str, ...]]) -> list[Any]:
        if not commands:
            return []
        pipeline = self._redis.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        return await pipeline.execute()


def _milliseconds(entries: Sequence[tuple[bytes, object]]) -> int | None:
    return int(entries[0][0].partition(b"-")[0]) if entries else None
