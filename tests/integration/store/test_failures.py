"""What fails beside the data: the program itself, and tables that cannot be written."""

import contextlib

import psycopg
import pytest

from nightdesk.errors import UnavailableError, UnforeseenError
from nightdesk.store import migrate
from nightdesk.store import store as store_module
from nightdesk.store.batch import Batch, Source
from nightdesk.store.database import RefusedError, connect
from nightdesk.store.unit import UnitOfWork
from nightdesk.ticks import Kind
from tests.integration.store.conftest import Desk, a_quote, a_trade
from tests.integration.worker.conftest import wait_for

pytestmark = pytest.mark.integration


def test_a_failure_of_the_program_is_said_and_leaves_nothing_behind(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(sources: list[Source], **_: int) -> Batch:
        raise ZeroDivisionError(f"{len(sources)} frames")

    desk.commit([a_trade(1)])
    with monkeypatch.context() as patch:
        patch.setattr(store_module, "gather", broken)
        with pytest.raises(UnforeseenError, match="ZeroDivisionError: 1 frames"):
            desk.commit([a_trade(2)])
    desk.commit([a_trade(2)])

    assert desk.one("SELECT array_agg(trade_id ORDER BY trade_id) FROM trades") == [1, 2]


def test_a_frame_that_is_set_aside_moves_the_position_and_its_ids_become_a_gap(desk: Desk) -> None:
    desk.commit([a_trade(1)])
    bad = desk.delivery([a_trade(2)])
    desk.store.set_aside(bad, "ZeroDivisionError: why")
    desk.commit([a_trade(3)])

    assert desk.rows("SELECT entry_id, reason, error FROM quarantine") == [
        (bad.following, "program_failed", "ZeroDivisionError: why")
    ]
    assert desk.one("SELECT missing::text FROM gaps") == "{[2,3)}"
    assert desk.done[1].quarantined == {("simulator", "program_failed"): 1}


@pytest.mark.parametrize("sqlstate", ["58030", "58P01", "XX001", "55P03", "57014", "23514", "54000"])
def test_a_table_that_fails_refuses_its_turn_and_the_connection_lives(desk: Desk, sqlstate: str) -> None:
    fail_on(desk, "quotes", sqlstate)
    backend = desk.store.backend()

    with pytest.raises(RefusedError):
        desk.commit([a_trade(1), a_quote(1)], shard=0)
    desk.commit([a_trade(1, symbol="ETHUSDT")], shard=1)
    desk.execute("DROP TRIGGER broken ON quotes")
    desk.commit([a_trade(1), a_quote(1)], shard=0)

    assert desk.store.backend() == backend
    assert desk.one("SELECT (SELECT count(*) FROM trades), (SELECT count(*) FROM quotes)") == (2, 1)


@pytest.mark.parametrize("sqlstate", ["53100", "53300", "57P03", "40P01", "25006", "25P03"])
def test_a_server_that_can_do_nothing_now_is_away(desk: Desk, sqlstate: str) -> None:
    fail_on(desk, "quotes", sqlstate)

    with pytest.raises(UnavailableError):
        desk.commit([a_quote(1)])


def test_the_database_says_what_time_it_is(desk: Desk) -> None:
    said: list[int] = []
    desk.leases._on_time = said.append

    desk.leases.beat()

    assert abs(said[0] / 1e9 - desk.one("SELECT extract(epoch FROM now())::float8")) < 60


def test_a_transaction_that_pauses_over_its_marks_is_ended_by_the_server(desk: Desk) -> None:
    desk.commit([a_trade(1)])
    settings = {"idle_in_transaction_session_timeout": "200"}
    url, password = desk.database.url(migrate.WRITER), desk.database.password(migrate.WRITER)
    with contextlib.closing(connect(url, password, name="paused", settings=settings)) as paused:
        UnitOfWork(paused).begin([(1, Kind.TRADE)])
        wait_for(lambda: not desk.rows("SELECT 1 FROM pg_stat_activity WHERE application_name = 'paused'"), "its end")


def test_a_server_process_whose_client_was_cut_off_is_ended_by_the_next(desk: Desk) -> None:
    desk.commit([a_trade(1)])
    cut = desk.store._connection
    assert cut is not None
    UnitOfWork(cut).begin([(1, Kind.TRADE)])
    desk.store._connection = None

    desk.commit([a_trade(2)])

    assert desk.one("SELECT array_agg(trade_id ORDER BY trade_id) FROM trades") == [1, 2]
    with pytest.raises(psycopg.OperationalError):
        cut.execute("SELECT 1")


def fail_on(desk: Desk, table: str, sqlstate: str) -> None:
    desk.execute(
        f"CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'damaged' USING ERRCODE = '{sqlstate}'; END $$"
    )
    desk.execute(f"CREATE TRIGGER broken BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION broken()")
