"""A week of a desk in a real database, and the api that reads it."""

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from deploy.databases import RunningPostgres
from services.api.app import compose
from tests.conftest import Database, a_database
from tests.golden import week
from tests.integration.api.conftest import settings


@pytest.fixture(scope="session")
def filled(postgres_server: RunningPostgres, template: str) -> Iterator[Database]:
    """The golden week, which tests only read."""
    with a_database(postgres_server, template) as one:
        with one.connect() as connection:
            week.fill(connection)
        yield one


@pytest.fixture(scope="session")
def client(filled: Database) -> Iterator[TestClient]:
    with TestClient(compose(settings(filled), CollectorRegistry())) as running:
        yield running
