"""Exactly once: whoever lost a consumer commits nothing, and whatever dies halfway leaves nothing."""

import threading
from collections.abc import Iterator

import psycopg
import pytest

from nightdesk.errors import LeaseLostError, UnavailableError
from nightdesk.leases import Keeper
from nightdesk.shards import consumer_name
from nightdesk.store.database import Connection, RefusedError
from nightdesk.store.unit import UnitOfWork
from tests.conftest import Database
from tests.integration.store.conftest import FEED, Desk, a_trade

pytestmark = pytest.mark.integration

CONSUMER = consumer_name("store", FEED, 0)
STORED = "SELECT coalesce(array_agg(trade_id ORDER BY trade_id), '{}') FROM trades"


@pytest.fixture
def other(database: Database) -> Iterator[Desk]:
    """A second worker, which owns nothing yet."""
    one = Desk(database, worker="second")
    yield one
    one.close()


def expire(desk: Desk) -> None:
    with desk.database.connect() as connection:
        connection.execute("UPDATE leases SET expires_at = now() - interval '1 second'")


def test_only_free_and_expired_leases_are_taken(desk: Desk, other: Desk) -> None:
    assert other.take() == []

    expire(desk)
    taken = other.take()

    assert {one.consumer for one in taken} == {CONSUMER, consumer_name("store", FEED, 1)}
    assert {(one.old_owner, one.old_backend, one.epoch) for one in taken} == {("first", desk.store.backend(), 2)}
    assert desk.leases.renew() == {}


def test_a_zombie_commits_nothing(desk: Desk, other: Desk) -> None:
    prepared = desk.delivery([a_trade(1)])
    expire(desk)
    other.take()

    with pytest.raises(LeaseLostError):
        desk.store.commit([prepared])

    assert desk.one(STORED) == []
    assert desk.store.positions([CONSUMER]) == []


def test_the_owner_itself_cannot_commit_the_same_entries_twice(desk: Desk) -> None:
    delivery = desk.delivery([a_trade(1)])
    desk.store.commit([delivery])

    with pytest.raises(LeaseLostError):
        desk.store.commit([delivery])

    assert desk.one(STORED) == [1]


def test_one_lost_consumer_takes_the_joint_turn_with_it(desk: Desk, other: Desk) -> None:
    deliveries = [desk.delivery([a_trade(1)]), desk.delivery([a_trade(2, symbol="ETHUSDT")], shard=1)]
    desk.leases.release([CONSUMER])
    other.take(1)

    with pytest.raises(LeaseLostError):
        desk.store.commit(deliveries)

    assert desk.one(STORED) == []


def test_what_the_new_owner_reads_is_where_the_old_one_committed(desk: Desk, other: Desk) -> None:
    delivery = desk.delivery([a_trade(1)])
    desk.store.commit([delivery])
    expire(desk)
    other.take()

    (position,) = other.store.positions([CONSUMER])
    assert position.entry_id == delivery.following
    other.commit([a_trade(2)])
    assert desk.one(STORED) == [1, 2]


class TestDying:
    @pytest.mark.parametrize("step", ["begin", "copy", "commit"])
    def test_a_backend_that_dies_before_the_commit_leaves_nothing(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        original = getattr(UnitOfWork, step)

        def dying(unit: UnitOfWork, *arguments: object, **named: object) -> object:
            process_id = desk.store.backend().process_id
            if step != "commit":
                original(unit, *arguments, **named)
            desk.rows("SELECT pg_terminate_backend(%s, 5000)", process_id)
            return original(unit, *arguments, **named)

        desk.commit([a_trade(1)])
        delivery = desk.delivery([a_trade(2)])
        monkeypatch.setattr(UnitOfWork, step, dying)
        with pytest.raises(UnavailableError):
            desk.store.commit([delivery])
        monkeypatch.undo()
        assert desk.one(STORED) == [1]

        assert desk.store.positions([CONSUMER]) == [delivery.position]
        desk.store.commit([delivery])
        assert desk.one(STORED) == [1, 2]

    def test_a_commit_whose_answer_is_lost_is_found_by_its_position(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original = UnitOfWork.commit

        def lost(unit: UnitOfWork, *arguments: object, **named: object) -> None:
            original(unit, *arguments, **named)
            raise UnavailableError("the answer never came")

        delivery = desk.delivery([a_trade(1)])
        monkeypatch.setattr(UnitOfWork, "commit", lost)
        with pytest.raises(UnavailableError):
            desk.store.commit([delivery])
        monkeypatch.undo()
        desk.store.close()

        (position,) = desk.store.positions([CONSUMER])
        assert position.entry_id == delivery.following
        assert desk.one(STORED) == [1]

    def test_what_postgresql_refuses_is_not_put_into_quarantine(self, desk: Desk) -> None:
        with desk.database.connect() as connection:
            connection.execute("ALTER TABLE trades ADD CONSTRAINT odd CHECK (trade_id <> 2)")

        with pytest.raises(RefusedError):
            desk.commit([a_trade(2)])
        desk.commit([a_trade(3)])

        assert desk.one("SELECT count(*) FROM quarantine") == 0
        assert desk.one(STORED) == [3]

    def test_a_transaction_left_open_ends_by_itself(self, desk: Desk) -> None:
        with desk.connect() as connection:
            connection.execute("SET idle_in_transaction_session_timeout = '50ms'")
            connection.execute("BEGIN")
            threading.Event().wait(0.3)
            with pytest.raises(Exception, match="idle-in-transaction"):
                connection.execute("SELECT 1")


def a_copy_holding_the_marks(connection: Connection) -> "psycopg.pq.abc.PGconn":
    """What a process that was stopped halfway leaves behind: a lock, and a COPY that waits for its data."""
    connection.execute("BEGIN")
    connection.execute("SELECT * FROM marks FOR UPDATE")
    connection.pgconn.exec_(b"COPY trades FROM STDIN")
    connection.pgconn.put_copy_data(b"1\t1\t2026-03-01")
    return connection.pgconn


class TestTakeover:
    def test_an_owner_stopped_in_the_middle_of_a_copy_gives_up_its_locks(self, desk: Desk, other: Desk) -> None:
        desk.commit([a_trade(1)])
        copying = a_copy_holding_the_marks(desk.store._live())
        expire(desk)

        keeper(other).tick()
        other.commit([a_trade(2)])

        copying.put_copy_end()
        answer = copying.get_result()
        assert answer is not None
        assert b"terminating connection" in answer.error_message
        assert desk.one(STORED) == [1, 2]

    def test_a_backend_that_was_given_an_old_number_is_left_alone(self, desk: Desk, other: Desk) -> None:
        with desk.database.connect() as connection:
            connection.execute("UPDATE leases SET backend_start = backend_start - interval '1 hour'")
        expire(desk)
        keeper(other).tick()

        assert desk.one("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", desk.store.backend().process_id) == 1


def keeper(desk: Desk) -> Keeper:
    one = Keeper(worker=desk.worker, leases=desk.leases, lease_s=5, now_s=lambda: 0.0)
    one.serve_with(desk.store.backend())
    return one


class TestSharing:
    def test_workers_come_to_own_equal_shares_and_a_leaver_leaves_its_own(self, desk: Desk, other: Desk) -> None:
        first, second = keeper(desk), keeper(other)
        first.tick()
        second.tick()
        assert (len(first.held()), len(second.held())) == (2, 0)

        first.tick()
        desk.leases.release(first.surplus())
        second.tick()
        first.tick()
        assert (len(first.held()), len(second.held())) == (1, 1)

        desk.leases.release(list(first.held()))
        desk.leases.leave()
        second.tick()
        assert len(second.held()) == 2
