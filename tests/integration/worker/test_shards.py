"""Workers share the shards: evenly, whoever comes, goes or falls silent; no shard holds up another."""

import signal
import threading
from pathlib import Path

import pytest

from nightdesk.service import EXIT_CONFIGURATION
from nightdesk.shards import shard_of, stream_key
from tests.integration.worker.conftest import FEED, ROOT, SHARDS, SYMBOLS, Desk, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.slow]


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
