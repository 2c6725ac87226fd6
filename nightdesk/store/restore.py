"""Restore a backup of the database: ``python -m nightdesk.store.restore [FILE]``, the newest if none is named.

It is restored beside the configured database, counted, and then takes its name, so that whatever goes wrong leaves the
database as it was. One that holds anything is not replaced unless FORCE is set, and then it stays under another name.
Runs as superuser, with the settings of ``migrate``; afterwards roles, passwords and schema are as ``migrate`` leaves
them, so that a backup of an older version is brought up to date.
"""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
from psycopg import conninfo, sql
from pydantic import Field

from nightdesk import logs, service
from nightdesk.errors import ConfigurationError
from nightdesk.settings import load
from nightdesk.store import migrate, programs, shelf
from nightdesk.store.database import Connection, connect, statement, translated
from nightdesk.store.migrate import MigrateSettings
from nightdesk.store.shelf import Contents

log = structlog.get_logger()

SERVICE: Final = "restore"
MAINTENANCE: Final = "postgres"


class RestoreSettings(MigrateSettings):
    """What a restore needs to know."""

    backup_dir: Path = Field(Path("/var/lib/nightdesk/backups"), description="directory of the database's backups")
    backup_file: str = Field("", description="file to restore, in that directory or by its path; the newest if empty")
    force: bool = Field(default=False, description="whether a database that holds something is put aside")


def run(environ: Mapping[str, str]) -> None:
    """Restore; raises ConfigurationError with what to do instead when that is refused."""
    named = {"BACKUP_FILE": sys.argv[1]} if len(sys.argv) > 1 else {}
    settings = load(RestoreSettings, {**environ, **named})
    logs.configure(SERVICE, settings)
    restore(settings, now=datetime.now(UTC))


def restore(settings: RestoreSettings, *, now: datetime) -> Path:
    """Restore the chosen backup and bring it up to date; return its file."""
    backup = chosen(settings.backup_dir, settings.backup_file)
    said = shelf.check(backup)
    migrate.make_roles(settings.database_url, settings.password(), settings.passwords())
    target = _database(settings.database_url)
    held = holdings(settings)
    if held and not settings.force:
        raise ConfigurationError(
            f"the database {target} is not empty: {held}. Restore into an empty one, or put this one aside with FORCE=1"
        )
    log.info("restore.begun", file=str(backup), database=target)
    fresh = f"{target}_restoring"
    with _server(settings) as server:
        _execute(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", fresh)
        _execute(server, "CREATE DATABASE {} TEMPLATE template0", fresh)
        _fill(settings, fresh, backup, said)
        aside = f"{target}_before_{now:%Y%m%d_%H%M%S}" if held else None
        _swap(server, target, fresh, aside)
    migrate.migrate(settings.database_url, settings.password(), settings.passwords())
    log.info("restore.ended", file=str(backup), database=target, put_aside=aside)
    return backup


def chosen(directory: Path, name: str) -> Path:
    """Return the backup to restore; raises ConfigurationError when there is none."""
    if not name:
        whole = shelf.backups(directory)
        if not whole:
            raise ConfigurationError(f"{directory} holds no backup")
        return whole[-1]
    for path in (directory / name, Path(name)):
        if path.is_file():
            return path
    known = ", ".join(path.name for path in shelf.backups(directory)) or "none"
    raise ConfigurationError(f"there is no backup {name}; in {directory} there are {known}")


def holdings(settings: RestoreSettings) -> str:
    """Return what the database holds, for a person; empty when it has neither ticks, bars nor runs that ended."""
    with connect(settings.database_url, settings.password(), name=SERVICE) as connection, translated():
        if connection.execute("SELECT to_regclass('public.runs')").fetchone() == (None,):
            return ""
        row = connection.execute(statement("holdings")).fetchone()
    names = ("trades", "bars", "ended runs")
    return " and ".join(f"it has {name}" for name, there in zip(names, row or (), strict=False) if there)


def _fill(settings: RestoreSettings, fresh: str, backup: Path, said: Contents | None) -> None:
    url = conninfo.make_conninfo(settings.database_url, dbname=fresh)
    command: list[str | Path] = [
        programs.find("pg_restore"), "--exit-on-error", "--no-password", f"--dbname={url}", backup,
    ]  # fmt: skip
    programs.run(command, settings.password())
    with connect(url, settings.password(), name=SERVICE) as connection, translated():
        for table, rows in (said.rows if said else {}).items():
            row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
            if row != (rows,):
                raise ConfigurationError(f"{backup}: {table} has {row and row[0]} of {rows} rows after the restore")


def _swap(server: Connection, target: str, fresh: str, aside: str | None) -> None:
    """Give the restored database its name; who is connected to the other is cut off, and comes back to this one."""
    _execute(server, "ALTER DATABASE {} ALLOW_CONNECTIONS false", target)
    with translated():
        server.execute(statement("end_sessions"), {"databases": [target, fresh]})
    if aside is None:
        _execute(server, "DROP DATABASE {} WITH (FORCE)", target)
    else:
        _execute(server, "ALTER DATABASE {} RENAME TO {}", target, aside)
        _execute(server, "ALTER DATABASE {} ALLOW_CONNECTIONS true", aside)
    _execute(server, "ALTER DATABASE {} RENAME TO {}", fresh, target)


def _server(settings: RestoreSettings) -> Connection:
    url = conninfo.make_conninfo(settings.database_url, dbname=MAINTENANCE)
    return connect(url, settings.password(), name=SERVICE)


def _database(url: str) -> str:
    return str(conninfo.conninfo_to_dict(url)["dbname"])


def _execute(server: Connection, text: str, *names: str) -> None:
    with translated():
        server.execute(sql.SQL(text).format(*map(sql.Identifier, names)))


if __name__ == "__main__":
    service.entry(SERVICE, run)
