"""Bring a database to this version's schema: ``python -m nightdesk.store.migrate``.

As superuser it makes the database, the roles and their passwords, and nothing else; everything in the database
is made by the owner, from ``migrations/*.sql``, through yoyo. Safe to repeat and to run twice at once.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import Any, Final

import psycopg
import structlog
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import parse_uri

from nightdesk import logs, service
from nightdesk.backoff import delays_s
from nightdesk.errors import UnavailableError
from nightdesk.settings import DatabaseSettings, Settings, load
from nightdesk.store.database import Connection, connect, translated

log = structlog.get_logger()

SERVICE: Final = "migrate"
OWNER: Final = "nightdesk_owner"
WRITER: Final = "nightdesk_writer"
READER: Final = "nightdesk_reader"
BACKUP: Final = "nightdesk_backup"
CLERK: Final = "nightdesk_clerk"
PATIENCE_S: Final = 60.0

_LOCK: Final = "SELECT pg_advisory_lock(hashtext('nightdesk.migrate'))"


class MigrateSettings(Settings, DatabaseSettings):
    """What ``migrate`` needs to know; ``DATABASE_URL`` names a superuser."""

    database_url: str = Field(
        "postgresql://postgres@127.0.0.1:5432/nightdesk",
        pattern="^postgres(ql)?://",
        description="PostgreSQL as superuser, without the password",
    )
    owner_password: SecretStr = Field(description="password that nightdesk_owner is given")
    writer_password: SecretStr = Field(description="password that nightdesk_writer is given")
    reader_password: SecretStr = Field(description="password that nightdesk_reader is given")
    backup_password: SecretStr | None = Field(
        None, description="password that nightdesk_backup is given; without one there are no backups"
    )
    clerk_password: SecretStr | None = Field(
        None, description="password that nightdesk_clerk is given; without one the api records no orders"
    )

    def password(self) -> str | None:
        """Return the superuser's password."""
        return self.database_password.get_secret_value() if self.database_password else None

    def passwords(self) -> dict[str, str]:
        """Return the passwords to set, by role."""
        given = {
            OWNER: self.owner_password,
            WRITER: self.writer_password,
            READER: self.reader_password,
            BACKUP: self.backup_password,
            CLERK: self.clerk_password,
        }
        return {role: secret.get_secret_value() for role, secret in given.items() if secret}


def run(environ: Mapping[str, str]) -> None:
    """Do it all once; raises UnavailableError when PostgreSQL does not answer for a minute."""
    settings = load(MigrateSettings, environ)
    logs.configure(SERVICE, settings)
    _patiently(lambda: migrate(settings.database_url, settings.password(), settings.passwords()))


def migrate(url: str, password: str | None, passwords: Mapping[str, str]) -> None:
    """Make database, roles and schema, whatever of them is missing. ``passwords`` are by role."""
    make_roles(url, password, passwords)
    apply_migrations(url, passwords[OWNER])


def make_roles(url: str, password: str | None, passwords: Mapping[str, str]) -> None:
    """Make the database and the roles, and set the roles' passwords.

    Only a verifier leaves this process: a password in a statement would end up in PostgreSQL's log.
    """
    with _superuser(url, password) as connection, translated():
        connection.execute(_LOCK)
        connection.execute(files("nightdesk.store").joinpath("roles.sql").read_bytes())
        for role, secret in passwords.items():
            verifier = connection.pgconn.encrypt_password(secret.encode(), role.encode(), b"scram-sha-256").decode()
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier)))


def apply_migrations(url: str, owner_password: str | None) -> list[str]:
    """Apply the migrations that are missing, as the owner; return their names.

    Each is applied and marked in one transaction. The lock is PostgreSQL's own, which a killed process cannot leave
    behind; yoyo's, a row in a table, would stay for ever, so that what lies there is removed under ours.
    """
    with _connected(_as(url, OWNER), owner_password) as connection, translated():
        connection.execute(_LOCK)
        backend = _Backend(connection)
        backend.init_database()
        backend.break_lock()
        with as_file(files("nightdesk.store").joinpath("migrations")) as directory, backend.lock():
            missing = list(backend.to_apply(read_migrations(str(directory))))
            for migration in missing:
                with backend.transaction():
                    migration.process_steps(backend, "apply")
                    backend.mark_one(migration, log=False)
                log.info("migration.applied", migration=migration.id)
    return [migration.id for migration in missing]


class _Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo is not annotated
    """yoyo on a connection of ours: one transaction for a migration and its mark, no password in a URL of yoyo's."""

    def __init__(self, connection: Connection) -> None:
        self._given = connection
        super().__init__(parse_uri("postgresql+psycopg:///"), "_yoyo_migration")

    def connect(self, dburi: object) -> Connection:  # noqa: ARG002  yoyo's signature
        return self._given

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401  a cursor, for yoyo
        """Execute one statement; without parameters a percent sign is only a percent sign."""
        if params:
            return super().execute(sql, params)
        return self._given.execute(sql.encode())


@contextmanager
def _superuser(url: str, password: str | None) -> Iterator[Connection]:
    try:
        connection = connect(url, password, name=SERVICE)
    except UnavailableError as error:
        if "does not exist" not in str(error):
            raise
        _make_database(url, password)
        connection = connect(url, password, name=SERVICE)
    with connection:
        yield connection


def _make_database(url: str, password: str | None) -> None:
    name = str(conninfo_to_dict(url)["dbname"])
    with connect(_as(url, None, database="postgres"), password, name=SERVICE) as connection, translated():
        try:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            log.info("database.exists", database=name)


@contextmanager
def _connected(url: str, password: str | None) -> Iterator[Connection]:
    with connect(url, password, name=SERVICE) as connection:
        yield connection


def _as(url: str, user: str | None, *, database: str | None = None) -> str:
    """The same server as another user or for another database."""
    chosen = {key: value for key, value in (("user", user), ("dbname", database)) if value}
    return psycopg.conninfo.make_conninfo(url, **chosen)


def _patiently(action: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    for delay_s in delays_s(base_s=0.2, cap_s=5.0, random=random.random):
        try:
            action()
        except UnavailableError as error:
            if time.monotonic() > deadline_s:
                raise
            log.warning("database.awaited", error=str(error))
            time.sleep(delay_s)
        else:
            return


if __name__ == "__main__":
    service.entry(SERVICE, run)
