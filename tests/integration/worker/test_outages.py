"""Databases that die and come back: waited out, not restarted through."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis as redis_driver

from deploy import databases
from nightdesk.errors import UnavailableError
from nightdesk.store import migrate
from tests.conftest import PASSWORDS, Database
from tests.integration.worker.conftest import SYMBOLS, Desk, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.slow]


class Servers:
    """A PostgreSQL and a Redis that can be killed and started again where they were."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stack = ExitStack()
        self.postgres_port, self.redis_port = databases.free_port(), databases.free_port()
        self.start_postgres()
        self.start_redis()

    def start_postgres(self) -> None:
        """Start it, as often as it takes: a killed server's children may linger for a moment."""
        wait_for(self._postgres_starts, "PostgreSQL to start")

    def _postgres_starts(self) -> bool:
        try:
            self.postgres = self._stack.enter_context(
                databases.postgres(self._directory / "postgres", port=self.postgres_port, password="secret")
            )
        except UnavailableError:
            return False
        return True

    def start_redis(self) -> None:
        settings = {"appendonly": "no"}
        self.redis = self._stack.enter_context(
            databases.redis(self._directory / "redis", port=self.redis_port, settings=settings)
        )

    def kill(self, process_id: int) -> None:
        os.kill(process_id, signal.SIGKILL)
        os.waitpid(process_id, 0)

    def stop(self) -> None:
        self._stack.close()


@pytest.fixture
def servers(directory: Path, request: pytest.FixtureRequest) -> Iterator[Servers]:
    own = directory / request.node.name.replace("[", "-").strip("]")
    own.mkdir()
    own.chmod(0o755)
    one = Servers(own)
    yield one
    one.stop()


@pytest.fixture
def desk(servers: Servers, tmp_path: Path) -> Iterator[Desk]:
    database = Database(server=servers.postgres, name="nightdesk")
    migrate.migrate(database.url(), database.password(), PASSWORDS)
    one = Desk(database, servers.redis, tmp_path)
    yield one
    one.workers.stop()
    one.client.close()


def send_all(desk: Desk) -> None:
    for symbol in SYMBOLS:
        desk.market.send(symbol, 10)


def test_a_postgres_that_is_killed_is_waited_for(servers: Servers, desk: Desk) -> None:
    worker = desk.workers.start()
    send_all(desk)
    desk.settle()

    servers.kill(servers.postgres.process_id)
    send_all(desk)
    wait_for(lambda: b"turn.failed" in desk.log(0), "the worker to notice")
    servers.start_postgres()
    send_all(desk)
    desk.settle()

    assert worker.poll() is None
    assert desk.stored() == desk.expected()


def test_a_redis_that_is_killed_and_forgets_is_waited_for(servers: Servers, desk: Desk) -> None:
    worker = desk.workers.start()
    send_all(desk)
    desk.settle()

    servers.kill(servers.redis.process_id)
    wait_for(lambda: b"turn.failed" in desk.log(0), "the worker to notice")
    servers.start_redis()
    with pytest.raises(redis_driver.ResponseError):
        desk.client.xinfo_stream(desk.market.spool[0][0])
    for entry in desk.market.spool:
        desk.market.put(*entry)
    send_all(desk)
    desk.settle()

    assert worker.poll() is None
    assert desk.stored() == desk.expected()


def test_a_worker_started_before_its_databases_waits(servers: Servers, desk: Desk) -> None:
    servers.kill(servers.postgres.process_id)
    servers.kill(servers.redis.process_id)
    worker = desk.workers.start()
    wait_for(lambda: b"database.awaited" in desk.log(0), "the worker to wait")

    servers.start_redis()
    servers.start_postgres()
    send_all(desk)
    desk.settle()

    assert worker.poll() is None


@pytest.mark.parametrize("table", ["bars", "leases"])
def test_a_table_locked_for_long_ends_no_worker(desk: Desk, table: str) -> None:
    worker = desk.workers.start()
    send_all(desk)
    desk.settle()

    with desk.locked(table):
        wait_for(lambda: b"lock timeout" in desk.log(0), "the worker to be refused")
        wait_for(lambda: desk.log(0).count(b"lock timeout") > 1 or worker.poll() is not None, "another try")
    send_all(desk)
    desk.settle()

    assert worker.poll() is None
    assert desk.stored() == desk.expected()


def test_a_database_that_only_reads_for_a_while_is_waited_for(desk: Desk) -> None:
    worker = desk.workers.start()
    send_all(desk)
    desk.settle()
    connections = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'nightdesk_writer'"

    desk.execute("ALTER ROLE nightdesk_writer SET default_transaction_read_only = on")
    desk.execute(connections)
    send_all(desk)
    wait_for(lambda: b"read-only transaction" in desk.log(0), "the worker to be refused")
    late = desk.workers.start()
    wait_for(lambda: b"database.awaited" in desk.log(1) or late.poll() is not None, "the second worker to wait")
    desk.execute("ALTER ROLE nightdesk_writer RESET default_transaction_read_only")
    desk.execute(connections)
    desk.settle()

    assert (worker.poll(), late.poll()) == (None, None)
    assert desk.stored() == desk.expected()
