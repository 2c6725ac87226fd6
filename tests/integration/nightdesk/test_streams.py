"""The store's side of Redis."""

import pytest
import redis as redis_driver

from nightdesk import streams
from nightdesk.consumer import Position
from nightdesk.errors import UnavailableError
from nightdesk.shards import consumer_name, position_key, stream_key
from nightdesk.streams import RedisStreams, Top

pytestmark = pytest.mark.integration


def at(entry_id: str, shard: int = 0) -> Position:
    name = consumer_name("store", "f", shard)
    return Position(consumer=name, stream=stream_key("f", shard), entry_id=entry_id, feed="f", shard=shard)


def fill(redis: "redis_driver.Redis", shard: int = 0, count: int = 3) -> None:
    for number in range(1, count + 1):
        redis.xadd(stream_key("f", shard), {"f": b"frame %d" % number, "w": "me"}, id=f"{number}000-0")


def test_a_read_gives_what_follows_each_position_in_order(redis: "redis_driver.Redis") -> None:
    fill(redis, 0)
    fill(redis, 1)
    found = RedisStreams(redis).read([at("1000-0", 0), at("2000-0", 1), at("0-0", 2)], frames=30, block_ms=1)

    assert [(one.position.shard, [entry.payload for entry in one.entries]) for one in found] == [
        (0, [b"frame 2", b"frame 3"]),
        (1, [b"frame 3"]),
    ]
    assert found[0].following == "3000-0"


def test_a_read_is_bounded(redis: "redis_driver.Redis") -> None:
    fill(redis, count=9)

    (one,) = RedisStreams(redis).read([at("0-0")], frames=4, block_ms=1)
    assert len(one.entries) == 4


def test_nothing_to_read_is_no_delivery(redis: "redis_driver.Redis") -> None:
    assert RedisStreams(redis).read([at("0-0")], frames=4, block_ms=1) == []


def test_publishing_leaves_the_position_and_nothing_below_it(redis: "redis_driver.Redis") -> None:
    fill(redis)
    RedisStreams(redis).publish([at("2000-0")])

    assert redis.get(position_key("f", 0)) == b"2000-0"
    assert [entry_id for entry_id, _ in redis.xrange(stream_key("f", 0))] == [b"2000-0", b"3000-0"]


def test_redis_says_for_how_long_it_runs(redis: "redis_driver.Redis") -> None:
    assert RedisStreams(redis).uptime_s() >= 0


def test_tops_say_what_waits(redis: "redis_driver.Redis") -> None:
    fill(redis)
    client = RedisStreams(redis)
    client.publish([at("2000-0")])

    assert client.tops([at("2000-0"), at("0-0", 5)]) == {
        at("2000-0").consumer: Top(entry_id="3000-0", first_id="2000-0", waiting=1)
    }
    assert client.tops([at("3000-0")])[at("3000-0").consumer].waiting == 0


def test_a_redis_that_is_away_is_unavailable_even_to_one_who_owns_nothing() -> None:
    client = RedisStreams(streams.connect("redis://127.0.0.1:1/0", None))

    for ask in (
        lambda: client.read([at("0-0")], frames=1, block_ms=1),
        lambda: client.publish([at("1-0")]),
        lambda: client.tops([]),
    ):
        with pytest.raises(UnavailableError):
            ask()
