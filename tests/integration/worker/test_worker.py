"""Real worker processes, really killed."""

import signal
import threading
from pathlib import Path

import pytest

from nightdesk.service import EXIT_CONFIGURATION
from nightdesk.shards import position_key, shard_of, stream_key
from tests.integration.worker.conftest import FEED, ROOT, SHARDS, SYMBOLS, Desk, wait_for

pytestmark = pytest.mark.integration


def test_workers_share_evenly_and_a_leaver_hands_over(desk: Desk) -> None:
    first = desk.workers.start()
    wait_for(lambda: desk.owner_of(first) == 8, "the first to own all")
    others = [desk.workers.start(), desk.workers.start()]
    wait_for(lambda: sorted(desk.owners().values()) == [2, 3, 3], "three shares")

    first.terminate()
    assert first.wait(30) == 0
    assert desk.owner_of(first) == 0
    wait_for(lambda: sorted(desk.owners().values()) == [4, 4], "two shares")
    assert all(one.poll() is None for one in others)


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP])
def test_a_silent_workers_consumers_are_taken_over_and_nothing_is_lost_or_doubled(
    desk: Desk, trading: threading.Event, fault: signal.Signals
) -> None:
    victim, survivor = desk.workers.start(), desk.workers.start()
    wait_for(lambda: desk.owner_of(victim) == desk.owner_of(survivor) == 4, "two shares")
    wait_for(lambda: len(desk.stored()) == len(SYMBOLS), "trades of every symbol")

    victim.send_signal(fault)
    wait_for(lambda: desk.owner_of(survivor) == 8, "the survivor to own all")
    wait_for(lambda: desk.client.xlen(stream_key(FEED, 0)) <= 2, "the backlog to be committed")
    if fault == signal.SIGSTOP:
        victim.send_signal(signal.SIGCONT)
        wait_for(lambda: desk.owner_of(victim) == 4, "the one that woke up to own its share again")
    trading.set()
    desk.settle()

    assert desk.stored() == desk.expected()
    assert desk.rows("SELECT * FROM gaps") == []
    assert desk.rows("SELECT sum(duplicates) FROM marks") == [(0,)]


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


def test_a_shard_whose_frames_are_refused_holds_up_no_other(desk: Desk) -> None:
    desk.workers.start()
    wait_for(lambda: desk.owners() != {}, "an owner")
    desk.execute("ALTER TABLE trades ADD CONSTRAINT odd CHECK (trade_id < 2000)")
    desk.market.last["BTCUSDT"] = 3000
    desk.market.send("BTCUSDT", 1)
    for symbol in SYMBOLS[1:]:
        desk.market.send(symbol, 3)
    wait_for(lambda: len(desk.stored()) == len(SYMBOLS) - 1, "all others")
    assert desk.rows("SELECT count(*) FROM quarantine") == [(0,)]

    desk.execute("ALTER TABLE trades DROP CONSTRAINT odd")
    wait_for(lambda: "BTCUSDT" in desk.stored(), "the refused frame, once it is not refused")


def test_the_number_of_shards_may_change_once_everything_is_committed(desk: Desk, tmp_path: Path) -> None:
    first = desk.workers.start()
    for symbol in SYMBOLS:
        desk.market.send(symbol, 3)
    desk.settle()
    first.terminate()
    first.wait()
    config = tmp_path / "feeds.yaml"
    config.write_text((ROOT / "config" / "feeds.yaml").read_text().replace("shards: 8", "shards: 3"))

    desk.market.send("BTCUSDT", 1)
    refused = desk.workers.start(FEEDS_CONFIG=str(config))
    assert refused.wait(30) == EXIT_CONFIGURATION
    assert b"set shards back to 8" in desk.log(1)

    again = desk.workers.start()
    desk.settle()
    again.terminate()
    again.wait()
    changed = desk.workers.start(FEEDS_CONFIG=str(config))
    wait_for(lambda: desk.owner_of(changed) == 8, "the consumers that were known before")
    assert desk.rows("SELECT shards FROM feeds") == [(3,)]
    assert dict(desk.rows("SELECT symbol, shard FROM symbols")) == {symbol: shard_of(symbol, 3) for symbol in SYMBOLS}


def test_a_partition_that_refuses_one_shards_rows_holds_that_shard_until_it_is_mended(desk: Desk) -> None:
    worker = desk.workers.start()
    for symbol in SYMBOLS:
        desk.market.send(symbol, 10)
    desk.settle()
    (victim,) = desk.rows(f"SELECT symbol_id FROM symbols WHERE symbol = '{SYMBOLS[0]}'")[0]
    (partition,) = desk.rows("SELECT tableoid::regclass::text FROM trades LIMIT 1")[0]
    shard = shard_of(SYMBOLS[0], SHARDS)
    others = [symbol for symbol in SYMBOLS if shard_of(symbol, SHARDS) != shard]

    desk.execute(f"ALTER TABLE {partition} ADD CONSTRAINT broken CHECK (symbol_id <> {victim}) NOT VALID")
    for symbol in SYMBOLS:
        desk.market.send(symbol, 10)
    wait_for(lambda: b"consumer.refused" in desk.log(0), "the shard to be refused by itself")
    wait_for(lambda: all(desk.stored()[symbol] == desk.expected()[symbol] for symbol in others), "the other shards")
    assert desk.stored()[SYMBOLS[0]][0] == 10

    desk.execute(f"ALTER TABLE {partition} DROP CONSTRAINT broken")
    desk.settle()
    assert desk.stored() == desk.expected()
    assert desk.rows("SELECT * FROM quarantine") == []
    assert worker.poll() is None


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
