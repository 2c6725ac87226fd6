"""A week of a desk in a real database, and the api that reads it."""

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from services.api.app import compose
from tests.conftest import Database
from tests.golden import week
from tests.integration.api.conftest import settings


@pytest.fixture(scope="module")
def filled(module_database: Database) -> Database:
    with module_database.connect() as connection:
        week.fill(connection)
    return module_database


@pytest.fixture(scope="module")
def client(filled: Database) -> Iterator[TestClient]:
    with TestClient(compose(settings(filled), CollectorRegistry())) as running:
        yield running
