"""Redis as the api sees it: does it answer, and how full is it?"""

import asyncio
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from nightdesk.errors import UnavailableError

TIMEOUT_S: Final = 1.0


class Streams:
    """Ask Redis, briefly and without trying again: the next survey is the next try."""

    def __init__(self, *, url: str, password: str | None) -> None:
        self._redis = Redis.from_url(
            url,
            password=password,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            max_connections=2,
            retry=Retry(NoBackoff(), 0),
        )

    async def memory_ratio(self) -> float | None:
        """Return the share of its memory limit in use, None without a limit; raises UnavailableError."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                memory = await self._redis.info("memory")
        except (RedisError, OSError, TimeoutError) as error:
            raise UnavailableError(f"Redis does not answer ({type(error).__name__})") from error
        limit = memory.get("maxmemory", 0)
        return memory["used_memory"] / limit if limit else None

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()
