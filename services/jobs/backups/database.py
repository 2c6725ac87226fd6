"""The database as the role for backups sees it: one snapshot of it, and the scratch databases of its own."""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from psycopg import conninfo, sql

from nightdesk.errors import ConfigurationError, UnavailableError
from nightdesk.store.database import Connection, connect, translated
from nightdesk.store.migrate import BACKUP
from services.jobs.archive.tables import statement
from services.jobs.settings import JobsSettings

SCRATCH: Final = "nightdesk_scratch_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the database is, for the role that backs it up."""

    url: str
    password: str | None

    @staticmethod
    def of(settings: JobsSettings) -> "Source":
        """Return the configured one; raises ConfigurationError when the role has no password."""
        if settings.backup_password is None:
            raise ConfigurationError("BACKUP_PASSWORD is not set: nobody can log in as nightdesk_backup")
        url = conninfo.make_conninfo(settings.database_url, user=BACKUP)
        return Source(url=url, password=settings.backup_password.get_secret_value())

    @property
    def database(self) -> str:
        """The database's name."""
        return str(conninfo.conninfo_to_dict(self.url)["dbname"])

    def named(self, database: str) -> "Source":
        """Return another database of the same server."""
        return Source(url=conninfo.make_conninfo(self.url, dbname=database), password=self.password)

    def connect(self) -> Connection:
        """Connect; raises UnavailableError."""
        return connect(self.url, self.password, name="jobs/backup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One moment of the database: its name for others, and the rows of each table then."""

    name: str
    rows: dict[str, int]


@contextmanager
def alone(source: Source) -> Iterator[Connection]:
    """Be the only backup; raises UnavailableError when there is another."""
    with source.connect() as connection, translated():
        row = connection.execute(statement("backup_lock")).fetchone()
        if row is None or not row[0]:
            raise UnavailableError("another backup is being made")
        yield connection


@contextmanager
def snapshot(source: Source) -> Iterator[Snapshot]:
    """Hold one moment of the database; while it lasts, no day is dropped."""
    with source.connect() as connection, translated(), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = connection.execute(statement("backup_snapshot")).fetchone()
        found = connection.execute(statement("backup_tables")).fetchall()
        rows = {name: count(connection, name) for (name,) in found}
        yield Snapshot(name=str(row[0] if row else ""), rows=rows)


def count(connection: Connection, table: str) -> int:
    """Return a table's rows."""
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    return int(row[0]) if row else 0


def counts(source: Source, tables: Iterable[str]) -> dict[str, int]:
    """Return the rows of tables."""
    with source.connect() as connection, translated():
        return {table: count(connection, table) for table in tables}


def size_bytes(connection: Connection, database: str | None = None) -> int:
    """Return a database's size on the server's disk, this one's unless named; 0 if there is none."""
    with translated():
        row = connection.execute(statement("backup_size"), {"database": database}).fetchone()
    return int(row[0] or 0) if row else 0


def sweep(connection: Connection) -> list[str]:
    """Drop the scratch databases that killed runs left; return their names."""
    with translated():
        left = [name for (name,) in connection.execute(statement("backup_scratch"), {"prefix": SCRATCH})]
    for name in left:
        _drop(connection, name)
    return left


@contextmanager
def scratch(source: Source, connection: Connection) -> Iterator[Source]:
    """Make an empty database, and drop it at the end."""
    name = f"{SCRATCH}{secrets.token_hex(4)}"
    with translated():
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    try:
        yield source.named(name)
    finally:
        _drop(connection, name)


def _drop(connection: Connection, name: str) -> None:
    with translated():
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
