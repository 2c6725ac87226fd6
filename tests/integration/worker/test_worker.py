"""Real worker processes, really killed."""

import threading

import pytest

from nightdesk.shards import position_key, shard_of, stream_key
from tests.integration.worker.conftest import FEED, SHARDS, SYMBOLS, Desk, wait_for

pytestmark = pytest.mark.integration


@pytest.mark.slow
def test_a_worker_killed_again_and_again_stores_everything_once(desk: Desk, trading: threading.Event) -> None:
    for _ in range(3):
        before = {symbol: one[2] for symbol, one in desk.stored().items()}
        victim = desk.workers.start()
        wait_for(lambda: moved(desk, before), "progress")  # noqa: B023  called at once
        victim.kill()
        victim.wait()
    desk.workers.start()
    trading.set()
    desk.settle()

    assert desk.stored() == desk.expected()


def moved(desk: Desk, before: dict[str, int]) -> bool:
    return any(one[2] > before.get(symbol, 0) for symbol, one in desk.stored().items())


def test_a_redis_that_forgets_everything_is_harmless(desk: Desk) -> None:
    desk.workers.start()
    for symbol in SYMBOLS:
        desk.market.send(symbol, 20)
    desk.settle()

    desk.client.flushall()
    for entry in desk.market.spool:
        desk.market.put(*entry)
    for symbol in SYMBOLS:
        desk.market.send(symbol, 20)
    desk.settle()

    assert desk.stored() == desk.expected()
    shard = shard_of("BTCUSDT", SHARDS)
    wait_for(lambda: desk.client.get(position_key(FEED, shard)) is not None, "the position to be published again")


def test_frames_sent_again_under_new_ids_are_duplicates(desk: Desk) -> None:
    desk.workers.start()
    desk.market.send("BTCUSDT", 20)
    for _, _, payload in list(desk.market.spool):
        desk.market.issue(shard_of("BTCUSDT", SHARDS), payload)
    desk.market.send("BTCUSDT", 20)
    desk.settle()

    assert desk.stored() == desk.expected()
    assert desk.rows("SELECT kind, duplicates FROM marks ORDER BY kind") == [(1, 20), (3, 1)]


def test_the_committed_position_is_published_and_the_stream_trimmed_to_it(desk: Desk) -> None:
    desk.workers.start()
    for _ in range(5):
        desk.market.send("BTCUSDT", 5)
    desk.settle()

    shard = shard_of("BTCUSDT", SHARDS)
    last = desk.market.spool[-1][1]
    wait_for(lambda: desk.client.get(position_key(FEED, shard)) == last.encode(), "the last position")
    wait_for(lambda: desk.client.xlen(stream_key(FEED, shard)) == 1, "the stream to be trimmed")


def test_a_backend_terminated_under_load_is_replaced(desk: Desk, trading: threading.Event) -> None:
    worker = desk.workers.start()
    for _ in range(3):
        before = desk.rows("SELECT count(*) FROM trades")
        desk.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'worker/%'")
        wait_for(lambda: desk.rows("SELECT count(*) FROM trades") > before, "progress")  # noqa: B023  called at once
    trading.set()
    desk.settle()

    assert worker.poll() is None
    assert desk.stored() == desk.expected()


def test_a_database_that_takes_no_more_connections_is_waited_for(desk: Desk) -> None:
    worker = desk.workers.start()
    for symbol in SYMBOLS:
        desk.market.send(symbol, 10)
    desk.settle()

    desk.execute("ALTER ROLE nightdesk_writer CONNECTION LIMIT 0")
    try:
        desk.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'nightdesk_writer'")
        for symbol in SYMBOLS:
            desk.market.send(symbol, 10)
        wait_for(lambda: b"too many connections" in desk.log(0), "the worker to be refused")
    finally:
        desk.execute("ALTER ROLE nightdesk_writer CONNECTION LIMIT -1")
    desk.settle()

    assert desk.stored() == desk.expected()
    assert worker.poll() is None


@pytest.mark.slow
def test_a_locked_partition_holds_no_turn_for_ever_and_is_waited_for(desk: Desk) -> None:
    worker = desk.workers.start()
    for symbol in SYMBOLS:
        desk.market.send(symbol, 10)
    desk.settle()

    with desk.locked(desk.rows("SELECT tableoid::regclass::text FROM trades LIMIT 1")[0][0]):
        for symbol in SYMBOLS:
            desk.market.send(symbol, 10)
        wait_for(lambda: b"lock timeout" in desk.log(0), "the turn to be given up")
    desk.settle()

    assert desk.stored() == desk.expected()
    assert worker.poll() is None
