"""Days of ticks become files and come back, whatever happens on the way."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from services.jobs import archive_ticks, restore_day
from services.jobs.archive import days
from services.jobs.runner.job import Desk, FindingError
from tests.conftest import Database
from tests.integration.jobs.conftest import Told
from tests.integration.jobs.ticks import OLD, TODAY, contents, everything, fill, partitions

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Desks = Callable[..., Desk]
ALL = {"trades", "agg_trades", "quotes", "depths"}


def archive(desk: Desk, **arguments: Any) -> Any:
    return archive_ticks.run(desk, archive_ticks.Arguments(**arguments))


def restore(desk: Desk, **arguments: Any) -> Any:
    return restore_day.run(desk, restore_day.Arguments(day=OLD, **arguments))


def files(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "archive").rglob("*") if path.is_file())


def only_file(tmp_path: Path, table: str) -> Path:
    (one,) = [path for path in files(tmp_path) if path.parent.name == table]
    return one


def add_trade(database: Database, trade_id: int, at: datetime | None = None) -> None:
    with database.connect() as connection:
        connection.execute("SELECT ensure_day('trades', %s)", (OLD,))
        connection.execute(
            "INSERT INTO trades VALUES (1, 1, %s, %s, 5, 5, NULL, now())",
            (at or datetime.combine(OLD, datetime.min.time(), UTC), trade_id),
        )


def test_archived_dropped_and_restored_every_row_is_as_it_was(database: Database, desk: Desks) -> None:
    fill(database)
    before = everything(database)

    archived = archive(desk())
    gone = everything(database), partitions(database)
    restored = restore(desk())

    assert archived["rows"] == 12_000
    assert gone == ({table: [] for table in ALL}, set())
    assert restored["rows"] == dict.fromkeys(sorted(ALL), 3000)
    assert everything(database) == before


def test_the_file_can_be_read_without_the_database(database: Database, desk: Desks, tmp_path: Path) -> None:
    fill(database, tables=("trades",))
    archive(desk())

    table = pq.read_table(only_file(tmp_path, "trades"))

    assert set(table.column("symbol").to_pylist()) == {"BTCUSDT", "ETHUSDT", "Größe"}
    assert set(table.column("feed").to_pylist()) == {"simulator"}
    assert [str(table.schema.field(name).type) for name in ("time", "trade_id", "price")] == [
        "timestamp[us, tz=UTC]", "int64", "double",
    ]  # fmt: skip
    assert {moment.date() for moment in table.column("time").to_pylist()} == {OLD}
    rows = list(zip(*(table.column(name).to_pylist() for name in ("symbol_id", "time")), strict=True))
    assert rows == sorted(rows)


def test_what_is_written_down_is_what_the_file_is(database: Database, desk: Desks, tmp_path: Path) -> None:
    fill(database, tables=("depths",))
    archive(desk())

    file = only_file(tmp_path, "depths")
    with database.connect() as connection:
        row = connection.execute(
            "SELECT location, rows, bytes, file_sha256, dropped_at > now() - interval '1 min' FROM archives"
        ).fetchone()

    assert row == (
        f"depths/{file.name}",
        3000,
        file.stat().st_size,
        hashlib.sha256(file.read_bytes()).hexdigest(),
        True,
    )


def test_recent_days_stay(database: Database, desk: Desks) -> None:
    recent = TODAY - timedelta(days=7)
    fill(database, recent, tables=("trades",))

    assert archive(desk())["rows"] == 0
    assert partitions(database, recent) == {"trades"}
    assert archive(desk(retention_days=5))["rows"] == 3000


def test_who_keeps_ticks_for_ever_keeps_them_in_postgresql(database: Database, desk: Desks) -> None:
    fill(database, tables=("trades",))

    assert "for ever" in archive(desk(retention_days=0))["reason"]
    assert archive(desk(retention_days=0), keep_days=5)["rows"] == 3000


def test_an_empty_day_is_dropped_and_has_no_file(database: Database, desk: Desks, tmp_path: Path) -> None:
    fill(database, rows=0)

    assert archive(desk())["empty_days"] == 4
    assert (partitions(database), files(tmp_path)) == (set(), [])


def test_a_day_waits_for_its_gaps_but_not_for_ever(database: Database, desk: Desks) -> None:
    fill(database, tables=("trades", "quotes"))
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO gaps (symbol_id, kind, from_time, to_time, cause, state)"
            " VALUES (1, 1, %(day)s::date - interval '1 hour', %(day)s::date + interval '1 hour', 'test', 'open')",
            {"day": OLD},
        )

    waiting = archive(desk())
    patience_lost = archive(desk(), max_wait_days=8)

    assert waiting["waiting_for_gaps"] == [f"trades of {OLD}"]
    assert [one["day"] for one in waiting["days"]] == [f"quotes of {OLD}"]
    assert [one["day"] for one in patience_lost["days"]] == [f"trades of {OLD}"]


def test_rows_that_arrive_while_the_day_is_archived_are_in_the_file(
    database: Database, desk: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database, tables=("trades",))
    settle = days.Archive._settled

    def late(*arguments: Any) -> Any:
        settled = settle(*arguments)
        if not contents_of_one():
            add_trade(database, 10**6)
        return settled

    def contents_of_one() -> bool:
        with database.connect() as connection:
            return connection.execute("SELECT count(*) FROM trades WHERE trade_id = 1000000").fetchone() == (1,)

    monkeypatch.setattr(days.Archive, "_settled", late)
    (done,) = archive(desk())["days"]

    assert (done["rows"], done["dropped"]) == (3001, True)


def test_a_backfill_into_an_archived_day_rewrites_its_file(database: Database, desk: Desks, tmp_path: Path) -> None:
    fill(database, tables=("trades",))
    archive(desk())
    first = only_file(tmp_path, "trades")
    add_trade(database, 10**6)
    add_trade(database, 4)  # of another symbol in the file: ids are a symbol's own
    add_trade(database, 3)  # in the file already
    before = contents(database, "trades")

    (done,) = archive(desk())["days"]
    second = only_file(tmp_path, "trades")

    assert (done["rows"], done["duplicates"], done["dropped"]) == (3002, 1, True)
    assert first != second
    assert restore(desk())["rows"] == {"trades": 3002}
    assert set(before) < set(contents(database, "trades"))


def test_a_restore_into_a_day_with_newer_rows_keeps_both(database: Database, desk: Desks) -> None:
    fill(database, tables=("trades",))
    before = contents(database, "trades")
    archive(desk())
    add_trade(database, 10**6)
    newer = contents(database, "trades")

    restore(desk())

    assert contents(database, "trades") == sorted(before + newer)
    assert archive(desk(), keep_restored_days=0)["rows"] == 3001


def test_a_restored_day_stays_for_a_while_and_is_dropped_with_its_file_unchanged(
    database: Database, desk: Desks, tmp_path: Path
) -> None:
    fill(database, tables=("trades",))
    archive(desk())
    before = only_file(tmp_path, "trades").stat()
    restore(desk())

    assert restore(desk())["rows"] == {"trades": 0}
    assert archive(desk())["restored"] == [f"trades of {OLD}"]
    assert partitions(database) == {"trades"}
    assert archive(desk(), keep_restored_days=0)["rows"] == 0
    assert partitions(database) == set()
    assert only_file(tmp_path, "trades").stat().st_mtime_ns == before.st_mtime_ns


def test_a_file_is_never_replaced_by_fewer_rows(database: Database, desk: Desks) -> None:
    fill(database, tables=("trades",))
    archive(desk())
    restore(desk())
    with database.connect() as connection:
        connection.execute("DELETE FROM trades WHERE trade_id % 2 = 0")

    archive(desk(), keep_restored_days=0)

    # Which rows without an id are the same nobody can say: they are kept from both.
    assert restore(desk())["rows"]["trades"] == 3000 + 3000 // 7


def test_a_damaged_file_is_not_restored(database: Database, desk: Desks, tmp_path: Path) -> None:
    fill(database, tables=("trades",))
    archive(desk())
    file = only_file(tmp_path, "trades")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)

    with pytest.raises(FindingError, match="digest"):
        restore(desk())
    file.unlink()
    with pytest.raises(FindingError, match="no such file"):
        restore(desk())

    assert partitions(database) == set()


def test_what_is_read_back_wrong_is_not_dropped(
    database: Database, desk: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database, tables=("trades", "quotes"))
    add = days.Draft._add

    def lossy(self: Any, writer: Any, rows: Any) -> None:
        add(self, writer, rows)
        if self._kind.label == "trade":
            self.sum += days.Checksum(0, 1, 0)

    monkeypatch.setattr(days.Draft, "_add", lossy)

    with pytest.raises(FindingError, match="read back") as raised:
        archive(desk())

    assert raised.value.result["rows"] == 3000
    assert partitions(database) == {"trades"}


def test_a_day_that_is_not_archived_cannot_be_restored(database: Database, desk: Desks) -> None:
    with pytest.raises(FindingError, match="not archived"):
        restore(desk())


def test_a_day_in_use_is_left_to_the_next_run(database: Database, desk: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.jobs.archive.tables.DROP_TRIES", 1)
    fill(database, tables=("trades",))
    with database.connect() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM trades")

        held = archive(desk())

    assert held["not_dropped"] == [f"trades of {OLD}"]
    assert archive(desk())["days"][0]["dropped"]
    assert partitions(database) == set()


def test_a_file_of_another_database_is_restored_by_the_names_of_its_symbols(database: Database, desk: Desks) -> None:
    fill(database, tables=("trades",))
    archive(desk())
    with database.connect() as connection:
        connection.execute("UPDATE symbols SET symbol_id = DEFAULT WHERE symbol = 'ETHUSDT'")

    restore(desk())

    with database.connect() as connection:
        found = connection.execute(
            "SELECT symbol, count(*) FROM trades JOIN symbols USING (symbol_id) GROUP BY 1 ORDER BY 1"
        )
        assert found.fetchall() == [("BTCUSDT", 1000), ("ETHUSDT", 1000), ("Größe", 1000)]


def test_it_says_how_far_it_is(database: Database, desk: Desks, told: Told) -> None:
    fill(database, tables=("trades",))
    archive(desk())

    done, total, what = told.progress[-1]
    assert (done, total, what) == (1, 1, f"trades of {OLD}")
    assert [one[0] for one in told.progress] == sorted(one[0] for one in told.progress)
