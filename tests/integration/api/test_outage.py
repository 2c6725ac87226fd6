"""The api while its database is away: quick, honest, and back by itself."""

from pathlib import Path

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from deploy import databases
from nightdesk.store import migrate
from services.api.app import compose
from tests.conftest import PASSWORDS, Database
from tests.integration.api.conftest import SEED, settings

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_an_outage_is_answered_and_ends_by_itself(directory: Path) -> None:
    place, port = directory / "outage", databases.free_port()
    with databases.postgres(place, port=port, password="x", settings={"fsync": "off"}) as server:
        migrate.migrate(server.url("nightdesk"), "x", PASSWORDS)
        database = Database(server=server, name="nightdesk")
        with database.connect() as connection:
            connection.execute(SEED)
        client = TestClient(compose(settings(database), CollectorRegistry())).__enter__()
        assert client.get("/symbols").status_code == 200

    for path in ("/symbols", "/ticks/latest", "/bars?symbol=BTCUSDT", "/gaps"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    first = client.get("/", headers={"Accept": "text/html"})
    assert (first.status_code, first.text.count("Not known: the database does not answer.")) == (200, 2)
    assert client.get("/livez").status_code == 200
    assert client.get("/health").status_code == 503

    with databases.postgres(place, port=port, password="x", settings={"fsync": "off"}):
        while client.get("/symbols").status_code != 200:
            pass  # each question waits for a connection up to its limit; the test's timeout ends what never comes back
    client.__exit__(None, None, None)


def test_a_database_without_a_schema_is_not_ready_and_no_crash(postgres_server: databases.RunningPostgres) -> None:
    with psycopg.connect(postgres_server.url(), password=postgres_server.password, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bare")
    bare = Database(server=postgres_server, name="bare")
    superuser = settings(bare, database_url=bare.url(), database_password=postgres_server.password)

    with TestClient(compose(superuser, CollectorRegistry())) as client:
        assert client.get("/symbols").json()["detail"] == "the database has no schema yet"
        assert client.get("/health").status_code == 503


def test_a_database_that_stalls_does_not_make_health_slow(seeded: Database) -> None:
    app = compose(settings(seeded), CollectorRegistry())
    with TestClient(app) as client, seeded.connect() as other, other.transaction():
        other.execute("LOCK TABLE leases IN ACCESS EXCLUSIVE MODE")

        found = client.get("/health").json()["parts"]
        while not any("did not answer within 1 s" in part["detail"] for part in found):  # a survey from before the lock
            found = client.get("/health").json()["parts"]
