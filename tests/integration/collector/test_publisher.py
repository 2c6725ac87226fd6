"""The publisher against a real Redis that dies, forgets, fills up and is written by others."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from redis import Redis
from redis.exceptions import RedisError

from deploy.databases import free_port, redis_command
from nightdesk import frames
from nightdesk.clock import Clock
from nightdesk.errors import ForeignWriterError
from nightdesk.shards import position_key, shard_of, stream_key
from nightdesk.ticks import Event, Trade
from services.collector.entry_ids import EntryId
from services.collector.metrics import PublisherFamilies, PublisherMetrics
from services.collector.publisher import Pressure, Publisher, PublisherLimits
from services.collector.redis_streams import RedisStreams
from services.collector.spool import Spool

pytestmark = pytest.mark.integration

FEED = "simulator"
SHARDS = 2
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


class RealRedis:
    """A Redis that a test may kill, empty and bring back."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = Redis(port=self.port)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **settings: str) -> None:
        self.directory.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            redis_command(self.directory, self.port, settings), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(200):
            try:
                if self.client.ping():
                    return
            except RedisError:
                time.sleep(0.02)
        raise AssertionError("Redis did not start")

    def kill(self) -> None:
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def trades(self) -> dict[str, list[int]]:
        """Return every symbol's trade ids in stream order, without the ids that a restart repeats."""
        found: dict[str, list[int]] = {symbol: [] for symbol in SYMBOLS}
        for shard in range(SHARDS):
            for _, fields in self.client.xrange(stream_key(FEED, shard)):
                for tick in frames.decode(fields[b"f"]).ticks():
                    if isinstance(tick, Trade):
                        found[tick.symbol].append(tick.trade_id)
        return found

    def forget_everything(self) -> None:
        self.kill()
        shutil.rmtree(self.directory)


class Feed:
    """Trades with contiguous ids for every symbol."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.sent: dict[str, list[int]] = {symbol: [] for symbol in SYMBOLS}

    def trade(self, count: int = 1) -> None:
        now_ns = Clock().wall_ns()
        for _ in range(count):
            for symbol in SYMBOLS:
                trade_id = len(self.sent[symbol]) + 1
                self.sent[symbol].append(trade_id)
                self._publisher.take([Trade(symbol, trade_id, 1.0, 1.0, 1, now_ns, now_ns)])


async def until(condition: Callable[[], bool], *, limit_s: float = 15.0) -> None:
    for _ in range(int(limit_s / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen in time")


@pytest.fixture
def redis(tmp_path: Path) -> RealRedis:
    one = RealRedis(tmp_path / "redis")
    one.start()
    yield one  # type: ignore[misc]
    one.client.close()
    one.kill()


@asynccontextmanager
async def running(
    redis: RealRedis,
    directory: Path,
    *,
    max_bytes: int = 10**8,
    limits: PublisherLimits | None = None,
    monitor: type[RedisStreams] = RedisStreams,
) -> AsyncIterator[tuple[Publisher, "asyncio.Task[None]"]]:
    spool = Spool(directory, shards=SHARDS, max_bytes=max_bytes, segment_bytes=50_000)
    assert spool.lock()
    spool.open()
    publisher = Publisher(
        feed=FEED,
        shards=SHARDS,
        spool=spool,
        streams=RedisStreams(url=redis.url, password=None),
        monitor=monitor(url=redis.url, password=None),
        clock=Clock(),
        limits=limits or PublisherLimits(),
        metrics=PublisherMetrics(PublisherFamilies(CollectorRegistry()), FEED),
    )
    task = asyncio.create_task(publisher.run())
    try:
        yield publisher, task
    finally:
        await publisher.close()
        await asyncio.wait([task], timeout=5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        spool.close()


def scenario(body: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(body(), 60))  # type: ignore[arg-type]


def test_ticks_reach_their_streams_in_order(redis: RealRedis, tmp_path: Path) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool") as (publisher, _):
            await publisher.started()
            feed = Feed(publisher)
            for _ in range(50):
                feed.trade(20)
                await asyncio.sleep(0)
            await until(lambda: redis.trades() == feed.sent)

    scenario(body)


def test_an_event_reaches_every_shard(redis: RealRedis, tmp_path: Path) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool") as (publisher, _):
            await publisher.started()
            publisher.event(Event("", "connected", 0, -1, -1, 0, "collector started", Clock().wall_ns()))
            await until(lambda: all(redis.client.xlen(stream_key(FEED, shard)) == 1 for shard in range(SHARDS)))

    scenario(body)


def test_a_killed_redis_costs_no_tick(redis: RealRedis, tmp_path: Path) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool") as (publisher, _):
            await publisher.started()
            feed = Feed(publisher)
            for round_ in range(60):
                feed.trade(10)
                await asyncio.sleep(0.005)
                if round_ == 20:
                    redis.kill()
                if round_ == 40:
                    redis.start()
            await until(lambda: redis.trades() == feed.sent)

    scenario(body)


def test_a_redis_that_forgot_everything_gets_it_again(redis: RealRedis, tmp_path: Path) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool") as (publisher, _):
            await publisher.started()
            feed = Feed(publisher)
            feed.trade(500)
            await until(lambda: redis.trades() == feed.sent)
            redis.forget_everything()
            feed.trade(10)
            redis.start()
            feed.trade(10)
            await until(lambda: redis.trades() == feed.sent)

    scenario(body)


def test_an_idle_connection_that_was_replaced_is_noticed_before_the_next_frame(
    redis: RealRedis, tmp_path: Path
) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool") as (publisher, _):
            await publisher.started()
            feed = Feed(publisher)
            feed.trade(50)
            await until(lambda: redis.trades() == feed.sent)
            redis.forget_everything()
            redis.start()
            feed.trade(1)
            await until(lambda: redis.trades() == feed.sent)

    scenario(body)


def test_a_restarted_collector_sends_what_the_last_one_could_not(redis: RealRedis, tmp_path: Path) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool") as (publisher, _):
            await publisher.started()
            feed = Feed(publisher)
            feed.trade(100)
            await until(lambda: redis.trades() == feed.sent)
            redis.kill()
            feed.trade(100)
            await asyncio.sleep(0.1)
        redis.start()
        async with running(redis, tmp_path / "spool") as (publisher, _):
            await publisher.started()
            await until(lambda: redis.trades() == feed.sent)

    scenario(body)


def test_the_queue_limit_moves_the_wait_to_the_disk_and_loses_nothing(redis: RealRedis, tmp_path: Path) -> None:
    async def body() -> None:
        limits = PublisherLimits(max_ticks=50, queue_ticks=500)
        async with running(redis, tmp_path / "spool", limits=limits) as (publisher, _):
            await publisher.started()
            feed = Feed(publisher)
            for _ in range(20):
                feed.trade(200)
                assert publisher.queue_ratio < 1.5
                await asyncio.sleep(0)
            await until(lambda: redis.trades() == feed.sent)
            await until(lambda: publisher.live)

    scenario(body)


def test_a_full_spool_asks_for_a_pause_and_keeps_the_order(redis: RealRedis, tmp_path: Path) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool", max_bytes=120_000) as (publisher, _):
            await publisher.started()
            feed = Feed(publisher)
            while publisher.pressure is not Pressure.PAUSE:
                feed.trade(100)
                await asyncio.sleep(0.005)
            feed.trade(400)
            for shard in range(SHARDS):
                await until(lambda shard=shard: bool(redis.client.exists(stream_key(FEED, shard))))  # type: ignore[misc]
            while publisher.pressure is Pressure.PAUSE or redis.trades() != feed.sent:
                for shard in range(SHARDS):
                    top = redis.client.xrevrange(stream_key(FEED, shard), count=1)[0][0]
                    redis.client.set(position_key(FEED, shard), top)
                await asyncio.sleep(0.1)

    scenario(body)


def test_redis_near_its_memory_limit_gets_no_more_frames_until_it_has_room(redis: RealRedis, tmp_path: Path) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool") as (publisher, _):
            await publisher.started()
            feed = Feed(publisher)
            feed.trade(10)
            redis.client.set("ballast", b"x" * 20_000_000)
            redis.client.config_set("maxmemory", 26_000_000)
            await until(lambda: publisher.held_back)
            entries = redis.client.xlen(stream_key(FEED, 0))
            feed.trade(100)
            await asyncio.sleep(0.2)
            assert redis.client.xlen(stream_key(FEED, 0)) == entries
            redis.client.config_set("maxmemory", 100_000_000)
            await until(lambda: redis.trades() == feed.sent)

    scenario(body)


def test_a_refusal_by_redis_keeps_the_order(redis: RealRedis, tmp_path: Path) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool") as (publisher, _):
            await publisher.started()
            feed = Feed(publisher)
            feed.trade(10)
            await until(lambda: redis.trades() == feed.sent)
            redis.client.config_set("maxmemory", 1)
            for _ in range(10):
                feed.trade(20)
                await asyncio.sleep(0.02)
            redis.client.config_set("maxmemory", 0)
            await until(lambda: redis.trades() == feed.sent)

    scenario(body)


def test_another_writer_is_named_and_stops_the_publisher(redis: RealRedis, tmp_path: Path) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool") as (publisher, task):
            await publisher.started()
            feed = Feed(publisher)
            feed.trade(10)
            await until(lambda: redis.trades() == feed.sent)
            key = stream_key(FEED, shard_of("BTCUSDT", SHARDS))
            redis.client.xadd(key, {"f": b"", "w": "desk-b"}, id="99999999999999-0")
            feed.trade(1)
            with pytest.raises(ForeignWriterError, match="written by desk-b"):
                await asyncio.wait_for(asyncio.shield(task), 10)

    scenario(body)


def test_a_fresh_spool_begins_above_what_the_streams_already_hold(redis: RealRedis, tmp_path: Path) -> None:
    async def body() -> None:
        key = stream_key(FEED, shard_of("BTCUSDT", SHARDS))
        redis.client.xadd(key, {"f": b"", "w": "an-older-spool"}, id="99999999999999-5")
        async with running(redis, tmp_path / "spool") as (publisher, _):
            await publisher.started()
            publisher.take([Trade("BTCUSDT", 1, 1.0, 1.0, 1, 0, Clock().wall_ns())])
            await until(lambda: redis.client.xlen(key) == 2)
            assert redis.client.xrevrange(key, count=1)[0][0] == b"99999999999999-6"

    scenario(body)


def test_a_redis_emptied_under_a_living_connection_gets_everything_again_in_order(
    redis: RealRedis, tmp_path: Path
) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool") as (publisher, _):
            await publisher.started()
            feed = Feed(publisher)
            feed.trade(50)
            await until(lambda: redis.trades() == feed.sent)
            redis.client.flushall()
            feed.trade(1)
            await until(lambda: redis.trades() == feed.sent)

    scenario(body)


def test_one_deleted_stream_is_filled_again_before_it_goes_on(redis: RealRedis, tmp_path: Path) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool") as (publisher, _):
            await publisher.started()
            feed = Feed(publisher)
            feed.trade(50)
            await until(lambda: redis.trades() == feed.sent)
            redis.client.delete(stream_key(FEED, shard_of("BTCUSDT", SHARDS)))
            feed.trade(1)
            await until(lambda: redis.trades() == feed.sent)

    scenario(body)


def test_a_redis_emptied_in_a_quiet_market_is_noticed_by_its_missing_positions(
    redis: RealRedis, tmp_path: Path
) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool") as (publisher, _):
            await publisher.started()
            feed = Feed(publisher)
            feed.trade(50)
            await until(lambda: redis.trades() == feed.sent)
            redis.client.set(position_key(FEED, 0), "1-0")
            await asyncio.sleep(1)
            redis.client.flushall()
            await until(lambda: redis.trades() == feed.sent)

    scenario(body)


def test_a_frame_is_on_disk_soon_even_while_redis_hangs(redis: RealRedis, tmp_path: Path) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool") as (publisher, _):
            await publisher.started()
            feed = Feed(publisher)
            feed.trade(1)
            await until(lambda: redis.trades() == feed.sent)
            redis.client.client_pause(3000)
            feed.trade(1)
            await asyncio.sleep(0.2)
            feed.trade(1)
            await asyncio.sleep(0.2)
            frames_on_disk = publisher.facts()["spool_frames"]
            await until(lambda: redis.trades() == feed.sent)
            assert publisher.facts()["spool_frames"] == frames_on_disk

    scenario(body)


class BrokenMonitor(RedisStreams):
    """A watch with a mistake of its own."""

    async def committed(self, keys: Sequence[str]) -> list[EntryId]:
        raise ValueError(f"no position of {keys[0]}")


def test_the_publisher_ends_when_its_watch_over_redis_does_even_while_it_connects(
    redis: RealRedis, tmp_path: Path
) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool", monitor=BrokenMonitor) as (_, task):
            with pytest.raises(ValueError, match="no position"):
                await asyncio.wait_for(asyncio.shield(task), 10)

    scenario(body)


@pytest.mark.parametrize("spoilt", ["no position", "", "\xff", "-5-0", f"{2**64}-0"])
def test_a_position_that_somebody_spoilt_stops_nobody_and_trims_nothing(
    redis: RealRedis, tmp_path: Path, spoilt: str
) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool") as (publisher, task):
            await publisher.started()
            for shard in range(SHARDS):
                redis.client.set(position_key(FEED, shard), spoilt)
            publisher.take([Trade("BTCUSDT", 1, 1.0, 1.0, 1, 0, Clock().wall_ns())])
            await until(lambda: bool(redis.client.exists(stream_key(FEED, shard_of("BTCUSDT", SHARDS)))))
            await asyncio.sleep(1)
            assert not task.done()
            assert publisher.facts()["spool_frames"] == 1

    scenario(body)


def test_a_position_published_late_still_lies_below_every_later_frame(redis: RealRedis, tmp_path: Path) -> None:
    async def body() -> None:
        async with running(redis, tmp_path / "spool") as (publisher, _):
            await publisher.started()
            shard = shard_of("BTCUSDT", SHARDS)
            redis.client.set(position_key(FEED, shard), "99999999999999-5")
            await asyncio.sleep(1)
            publisher.take([Trade("BTCUSDT", 1, 1.0, 1.0, 1, 0, Clock().wall_ns())])
            await until(lambda: bool(redis.client.exists(stream_key(FEED, shard))))
            assert redis.client.xrevrange(stream_key(FEED, shard), count=1)[0][0] == b"99999999999999-6"

    scenario(body)
