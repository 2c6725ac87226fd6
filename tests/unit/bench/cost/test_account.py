import json
from dataclasses import replace

import pytest

from bench.cost.account import Account, Look, account, without_answers
from bench.cost.report import as_json, as_table
from bench.desk.processes import Usage

BEFORE = Look(
    at_s=100.0,
    used={"collector": Usage(cpu_s=1.0), "simulator": Usage(cpu_s=9.0), "worker": Usage(cpu_s=2.0)},
    stored={"trade": 1000},
    tables={"trades": (8192, 0), "quotes": (8192, 0), "depths": (8192, 0), "bars": (16384, 8192)},
    wal_bytes=1_000_000,
    wal_files_bytes=16_000_000,
    transactions=10,
    spool_bytes=0,
    aof_bytes=0,
)
AFTER = Look(
    at_s=200.0,
    used={
        "collector": Usage(cpu_s=3.0, written_bytes=5_000_000, private_bytes=60_000_000),
        "simulator": Usage(cpu_s=19.0),
        "worker": Usage(cpu_s=5.0),
    },
    stored={"trade": 51_000, "quote": 50_000},
    tables={
        "trades": (8192 + 5_000_000, 50_000),
        "quotes": (8192 + 6_000_000, 0),
        "depths": (8192, 0),
        "bars": (24576, 8192),
    },
    wal_bytes=31_000_000,
    wal_files_bytes=48_000_000,
    transactions=5010,
    spool_bytes=8_000_000,
    aof_bytes=20_000_000,
)


def accounted() -> Account:
    return account(1.0, BEFORE, AFTER)


def test_cpu_is_told_for_a_million_ticks_and_for_a_day() -> None:
    collector = accounted().parts[0]

    assert collector.cpu_s_per_million == 20.0
    assert collector.cpu_s_per_day == 2.0 / 100 * 86_400
    assert collector.written_mb_per_million == 50.0


def test_the_path_is_without_what_stands_in_for_the_exchange() -> None:
    one = accounted()

    assert one.path_cpu_s_per_million == 50.0
    assert one.path_cores == pytest.approx(0.05)


def test_a_row_takes_what_its_table_grew_by_and_a_day_leaves_the_sum() -> None:
    one = accounted()

    assert [(table.kind, table.bytes_a_row) for table in one.tables] == [
        ("trade", 100.0),
        ("quote", 120.0),
        ("depth", 0.0),
    ]
    assert one.tables[0].index_bytes_a_row == 1.0
    assert one.kept_mb_per_day == pytest.approx((100 + 120) * 500 * 86_400 / 1e6)


def test_the_log_is_told_for_a_million_ticks_and_small_tables_as_they_are() -> None:
    one = accounted()

    assert one.wal_mb_per_million == 300.0
    assert one.other_tables_mb == 0.0
    assert one.transactions_per_s == 50.0


def test_nothing_stored_is_nothing_to_account_for() -> None:
    with pytest.raises(ValueError, match="0 ticks"):
        account(1.0, BEFORE, replace(BEFORE, at_s=200.0))


def test_what_redis_answers_is_not_on_disk() -> None:
    assert without_answers(Usage(written_bytes=1000), 400).written_bytes == 600


def test_file_and_table_hold_every_part() -> None:
    document = json.loads(json.dumps(as_json("compose", [accounted()])))

    assert document["accounts"][0]["path_cpu_s_per_million"] == 50.0
    assert [part["part"] for part in document["accounts"][0]["parts"]] == ["collector", "simulator", "worker"]
    assert {"collector", "worker", "trade", "quote", "depth"} <= {
        line.split()[0] for line in as_table(accounted()).splitlines() if line
    }
