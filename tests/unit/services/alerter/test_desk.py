"""A turn is decided, committed and only then true: whatever fails in between, nothing is lost, nothing told twice."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from services.alerter.alerts import NAME, SEVERITY, Report, Source
from services.alerter.desk import Desk
from services.alerter.observing import observe
from services.alerter.store import file as store
from services.alerter.store.file import StateFile
from services.alerter.store.outbox import Outbox
from services.alerter.turn import Turn
from tests.unit.services.alerter.desks import Told, desk_over
from tests.unit.services.alerter.stage import BASE, MONDAY_NOON, policy_of

POLICY = policy_of(BASE)


class House:
    """A desk over a file whose disk can fail."""

    def __init__(self, path: Path) -> None:
        self.now_s = MONDAY_NOON
        self.path = path
        self.told = Told()
        self.file = StateFile(path)
        self.desk = self._desk()

    def wall_s(self) -> float:
        return self.now_s

    def fires(self, *feeds: str) -> None:
        """Let these feeds be silent."""
        reports = [
            Report(
                labels={NAME: "FeedSilent", SEVERITY: "critical", "feed": feed},
                annotations={"summary": feed},
                started_s=MONDAY_NOON,
            )
            for feed in feeds
        ]
        self.desk.change(lambda turn: observe(turn, POLICY, reports, Source.PROMETHEUS))

    def is_killed_and_starts(self) -> None:
        """Forget everything but the file."""
        self.file.close()
        self.file = StateFile(self.path)
        self.desk = self._desk()

    def waiting(self) -> list[str]:
        """Return what waits to be delivered on Slack."""
        rows = self.file._connection.execute(
            "SELECT notification_id FROM deliveries WHERE channel = 'slack' AND ended_s IS NULL ORDER BY delivery_id"
        )
        return [f"{row['notification_id']}" for row in rows]

    def _desk(self) -> Desk:
        made = desk_over(self.file, self.wall_s, self.told, policy=POLICY)
        made.is_ready = True
        return made


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "alerter.sqlite")
    yield made
    made.file.close()


class Failing(sqlite3.Connection):
    """A connection that fails at its n-th statement that writes, as a disk may."""

    left: int | None = None
    error: sqlite3.Error = sqlite3.OperationalError("disk I/O error")

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:  # type: ignore[override]
        first = next(line.split()[0] for line in sql.splitlines() if not line.startswith("--"))
        if self.left is not None and first in {"INSERT", "UPDATE", "DELETE", "COMMIT"}:
            self.left -= 1
            if self.left == 0:
                raise self.error
        return super().execute(sql, *values)


@pytest.fixture
def failing_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    def connect(path: str) -> sqlite3.Connection:
        kind = sqlite3.Connection if path == store.MEMORY else Failing
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=kind)

    monkeypatch.setattr(store, "_connect", connect)
    made = House(tmp_path / "alerter.sqlite")
    yield made
    made.file.close()


def fail_at(house: House, statement: int, error: sqlite3.Error | None = None) -> None:
    connection = house.file._connection
    assert isinstance(connection, Failing)
    connection.left = statement
    connection.error = error or Failing.error


def test_a_turn_is_told_once_it_is_committed(house: House) -> None:
    house.fires("binance")

    assert house.told.story() == ["firing slack: binance"]
    assert house.waiting() == ["1"]


def test_what_was_committed_is_true_after_a_kill_and_nothing_is_told_again(house: House) -> None:
    house.fires("binance")
    house.told.story()
    house.is_killed_and_starts()
    house.fires("binance")

    assert house.told.story() == []
    assert house.waiting() == ["1"]


def test_what_was_not_committed_is_done_again_after_a_kill(house: House) -> None:
    house.desk._records.commit = lambda _turn: exit_at_once()  # type: ignore[method-assign,assignment]
    with pytest.raises(SystemExit):
        house.fires("binance")
    house.is_killed_and_starts()
    assert (house.desk.state.alerts, house.waiting()) == ({}, [])

    house.fires("binance")
    assert house.told.story() == ["firing slack: binance"]


def exit_at_once() -> None:
    raise SystemExit


STATEMENTS = 15


@pytest.mark.parametrize("statement", range(1, STATEMENTS + 1))
def test_a_disk_that_fails_at_any_statement_of_a_turn_loses_and_repeats_nothing(
    failing_house: House, statement: int
) -> None:
    failing_house.fires("binance")
    fail_at(failing_house, statement)
    failing_house.now_s += 5
    failing_house.fires("binance", "coinbase")

    assert failing_house.told.story() == ["firing slack: binance", "firing slack: coinbase"]
    assert failing_house.waiting() == ["1", "2"]
    assert sorted(failing_house.desk.state.alerts) == [1, 2]
    if failing_house.file.adrift_s is not None:
        assert failing_house.file.come_back()
    failing_house.is_killed_and_starts()
    failing_house.fires("binance", "coinbase")
    assert failing_house.told.story() == []


def test_the_statements_that_may_fail_are_all_of_a_turn(failing_house: House) -> None:
    failing_house.fires("binance")
    fail_at(failing_house, 10_000)
    failing_house.fires("binance", "coinbase")
    connection = failing_house.file._connection

    assert isinstance(connection, Failing)
    assert connection.left is not None
    assert 5 < 10_000 - connection.left < STATEMENTS


def test_an_error_that_is_none_of_the_disks_leaves_everything_as_it_was(failing_house: House) -> None:
    failing_house.fires("binance")
    before = failing_house.desk.state
    fail_at(failing_house, 2, sqlite3.IntegrityError("a fault of this program"))
    with pytest.raises(sqlite3.IntegrityError):
        failing_house.fires("binance", "coinbase")

    assert failing_house.desk.state is before
    assert failing_house.told.story() == ["firing slack: binance"]
    failing_house.fires("binance", "coinbase")
    assert failing_house.told.story() == ["firing slack: coinbase"]


def test_an_attempt_whose_end_cannot_be_written_is_known_in_memory(failing_house: House) -> None:
    failing_house.fires("binance")
    outbox = Outbox(failing_house.file, failing_house.wall_s)
    delivery = outbox.next("slack")
    assert delivery is not None
    fail_at(failing_house, 1)
    assert outbox.start(delivery)

    assert failing_house.file.adrift_s is not None
    assert outbox.next("slack") is None


def test_until_it_is_known_what_fires_nobody_is_told(house: House) -> None:
    house.desk.is_ready = False
    house.fires("binance")
    assert house.told.story() == []

    house.desk.is_ready = True
    house.desk.change(lambda _turn: None)
    assert house.told.story() == ["firing slack: binance"]


def test_what_is_acknowledged_before_that_is_acknowledged(house: House) -> None:
    house.desk.is_ready = False
    house.fires("binance")
    house.desk.acknowledge([1], by="me")
    house.desk.is_ready = True
    house.desk.change(lambda _turn: None)

    assert house.told.story() == ["acknowledged -: Acknowledged by me: binance"]
    assert house.desk.state.alerts[1].acknowledged is not None


def test_it_says_for_how_long_a_call_has_been_due(house: House) -> None:
    assert house.desk.overdue_s() == 0

    house.fires("binance")
    house.now_s += 900 + 30
    assert house.desk.overdue_s() == 30
    house.desk.change(lambda _turn: None)
    assert house.desk.overdue_s() <= 0


LABELS: Mapping[str, str] = {
    "quotes": "a \"quoted\" 'value' `here`",
    "newlines": "a\r\nb\u2028c\x00d",
    "emoji": "🔥👩‍👩‍👧",
    "sql": "'; DROP TABLE alerts; --",
    "json": '{"a":["b"]}',
    "long": "x" * 10_000,
    "nothing": "",
}


@pytest.mark.parametrize("value", LABELS.values(), ids=LABELS)
def test_whatever_a_label_holds_it_is_told_acknowledged_and_over(house: House, value: str) -> None:
    report = Report(labels={NAME: "FeedSilent", SEVERITY: "critical", "feed": value}, started_s=MONDAY_NOON)

    def act(turn: Turn) -> None:
        observe(turn, POLICY, [report], Source.PROMETHEUS)

    house.desk.change(act)
    assert house.waiting() == ["1"]
    house.desk.acknowledge([1], by="me")
    assert house.waiting() == ["2"]

    house.is_killed_and_starts()
    house.desk.change(act)
    assert house.waiting() == ["2"]
    assert house.desk.state.alerts[1].labels == report.labels
