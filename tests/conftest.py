"""Fixtures that every kind of test may use: a real PostgreSQL and a real Redis, started once a session."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import psycopg
import pytest
import redis as redis_driver
from hypothesis import HealthCheck, settings

from deploy import databases
from nightdesk.store import migrate

# No test asserts a time, and how long an example takes is the machine's affair.
settings.register_profile("nightdesk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nightdesk")

ROLES = (migrate.OWNER, migrate.WRITER, migrate.READER, migrate.BACKUP, migrate.CLERK)
PASSWORDS = {role: secrets.token_urlsafe(12) for role in ROLES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One test's own database on the session's server."""

    server: databases.RunningPostgres
    name: str

    def url(self, role: str = databases.SUPERUSER) -> str:
        return self.server.url(self.name, role)

    def password(self, role: str = databases.SUPERUSER) -> str:
        return self.server.password if role == databases.SUPERUSER else PASSWORDS[role]

    def connect(self, role: str = databases.SUPERUSER) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(self.url(role), password=self.password(role), autocommit=True)


@pytest.fixture(scope="session")
def directory() -> Iterator[Path]:
    """A directory that PostgreSQL's own user may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="nightdesk-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture(scope="session")
def postgres_server(directory: Path) -> Iterator[databases.RunningPostgres]:
    fast = {"fsync": "off", "max_connections": "60", "shared_buffers": "32MB"}
    with databases.postgres(directory / "postgres", settings=fast) as server:
        yield server


@pytest.fixture(scope="session")
def template(postgres_server: databases.RunningPostgres) -> str:
    migrate.migrate(postgres_server.url("nightdesk_template"), postgres_server.password, PASSWORDS)
    return "nightdesk_template"


@pytest.fixture
def database(postgres_server: databases.RunningPostgres, template: str) -> Iterator[Database]:
    """A database with the schema and nothing in it."""
    with a_database(postgres_server, template) as one:
        yield one


@pytest.fixture(scope="module")
def module_database(postgres_server: databases.RunningPostgres, template: str) -> Iterator[Database]:
    """The same for a module that fills it once and only reads."""
    with a_database(postgres_server, template) as one:
        yield one


@contextmanager
def a_database(postgres_server: databases.RunningPostgres, template: str) -> Iterator[Database]:
    """Make a database of the template, and drop it at the end."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_server.url(), password=postgres_server.password, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {migrate.OWNER}")
        one = Database(server=postgres_server, name=name)
        with one.connect() as inside:  # what belongs to a database itself is not copied from its template
            inside.execute(files("nightdesk.store").joinpath("roles.sql").read_bytes())
        yield one
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def redis_server(directory: Path) -> Iterator[databases.RunningRedis]:
    with databases.redis(directory / "redis", settings={"appendonly": "no"}) as server:
        yield server


@pytest.fixture
def redis(redis_server: databases.RunningRedis) -> Iterator["redis_driver.Redis"]:
    """An empty Redis."""
    client = redis_driver.Redis.from_url(redis_server.url, protocol=2)
    client.flushall()
    yield client
    client.close()
