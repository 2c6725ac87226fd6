"""What waits in a real Redis."""

import asyncio

import pytest
from redis import Redis

from deploy.databases import RunningRedis, free_port
from nightdesk.errors import UnavailableError
from nightdesk.shards import position_key, stream_key
from services.api.streams import Streams
from services.api.survey.survey import Backlog, RedisState

pytestmark = pytest.mark.integration


def look(url: str) -> RedisState:
    async def once() -> RedisState:
        streams = Streams(url=url, password=None)
        try:
            return await streams.look()
        finally:
            await streams.close()

    return asyncio.run(once())


def test_an_empty_redis_has_no_streams(redis: Redis, redis_server: RunningRedis) -> None:
    assert look(redis_server.url).backlogs == ()


def test_what_is_after_the_committed_position_waits(redis: Redis, redis_server: RunningRedis) -> None:
    for ms in (1000, 2000, 3000):
        redis.xadd(stream_key("simulator", 7), {"f": b""}, id=f"{ms}-0")
    redis.set(position_key("simulator", 7), "2000-0")

    assert look(redis_server.url).backlogs == (Backlog(feed="simulator", entries=3, oldest_ms=3000),)


def test_a_stream_that_nobody_committed_waits_from_its_beginning(redis: Redis, redis_server: RunningRedis) -> None:
    redis.xadd(stream_key("simulator", 0), {"f": b""}, id="1000-0")

    assert look(redis_server.url).backlogs[0].oldest_ms == 1000


def test_a_stream_that_is_all_committed_does_not_wait(redis: Redis, redis_server: RunningRedis) -> None:
    redis.xadd(stream_key("simulator", 0), {"f": b""}, id="1000-5")
    redis.set(position_key("simulator", 0), "1000-5")

    assert look(redis_server.url).backlogs == (Backlog(feed="simulator", entries=1, oldest_ms=None),)


def test_the_memory_in_use_is_a_share_of_the_limit(redis: Redis, redis_server: RunningRedis) -> None:
    assert look(redis_server.url).memory_ratio is None
    redis.config_set("maxmemory", 10**9)
    try:
        share = look(redis_server.url).memory_ratio
    finally:
        redis.config_set("maxmemory", 0)

    assert share is not None
    assert 0 < share < 1


def test_a_redis_that_is_away_is_said_so() -> None:
    with pytest.raises(UnavailableError, match="Redis does not answer"):
        look(f"redis://127.0.0.1:{free_port()}/0")
