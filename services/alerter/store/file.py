"""The alerter's own SQLite file: opened, brought to this version, and never a reason to fall silent.

A file that is damaged is put aside and a new one begun. While the disk takes nothing, the alerter goes on with a copy
in memory and writes it back once it can; what a restart would then forget is told again.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import quote

import structlog

from nightdesk.errors import ConfigurationError

log = structlog.get_logger()

VERSION: Final = 1
BUSY_MS: Final = 5000
READ_ONLY: Final = ("mode=ro", "immutable=1")
"""With what its write-ahead log holds, which needs a file beside it; else without (https://sqlite.org/wal.html#readonly)."""

MEMORY: Final = ":memory:"

Row: TypeAlias = dict[str, Any]
Values: TypeAlias = Mapping[str, object]

T = TypeVar("T")


@cache
def statement(name: str) -> str:
    """Return the text of ``sql/<name>.sql``."""
    return resources.files("services.alerter.store").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


class StateFile:
    """One SQLite database, used by one thread."""

    def __init__(self, path: Path, *, wall_s: Callable[[], float] = time.time) -> None:
        """Open the file; raises ConfigurationError where it cannot be one, or belongs to a newer version."""
        self._path = path
        self._wall_s = wall_s
        self.damage = ""
        """What was wrong with the file that was put aside at the start, if one was."""

        self.adrift_s: float | None = None
        """Since when the disk has taken nothing."""

        try:
            self._connection = self._open()
        except sqlite3.OperationalError as error:
            self._connection = self._begin_adrift(error)
        except sqlite3.DatabaseError as error:
            self.damage = f"{path} is damaged ({error}); it was put aside as {self._put_aside().name}"
            log.critical("state.damaged", file=str(path), error=str(error))
            self._connection = self._open()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def rows(self, name: str, **values: object) -> list[Row]:
        """Return the rows of one statement."""
        return [dict(row) for row in self._connection.execute(statement(name), values)]

    def write(self, steps: Iterable[tuple[str, Values]]) -> None:
        """Do all of these statements, or none; where the disk takes nothing, in memory."""
        planned = list(steps)
        self._surely(lambda: self._all_of(planned))

    def change(self, name: str, **values: object) -> list[Row]:
        """Do one statement, as ``write`` does, and return what it returns."""
        return self._surely(lambda: self.rows(name, **values))

    def come_back(self) -> bool:
        """Write what is in memory to the disk again; return whether that is where it is now."""
        if self.adrift_s is None:
            return True
        try:
            fresh = self._open()
            with fresh:
                self._connection.backup(fresh)
        except (sqlite3.Error, OSError, ConfigurationError):
            return False
        self._connection.close()
        self._connection, self.adrift_s = fresh, None
        log.info("state.back_on_disk", file=str(self._path))
        return True

    def _surely(self, do: Callable[[], T]) -> T:
        try:
            with self._transaction():
                return do()
        except sqlite3.OperationalError as error:
            if self.adrift_s is not None:
                raise
            self._drift(error)
        with self._transaction():
            return do()

    def _all_of(self, planned: Iterable[tuple[str, Values]]) -> None:
        for name, values in planned:
            self._connection.execute(statement(name), values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _begin_adrift(self, error: sqlite3.OperationalError) -> sqlite3.Connection:
        """Begin in memory, with what the file holds where it can be read."""
        self.adrift_s = self._wall_s()
        log.critical("state.adrift", file=str(self._path), error=str(error))
        memory = _configured(_connect(MEMORY))
        if not any(self._read_into(memory, how) for how in READ_ONLY):
            log.critical("state.unreadable", file=str(self._path))
        self._migrate(memory)
        return memory

    def _read_into(self, memory: sqlite3.Connection, how: str) -> bool:
        try:
            with closing(sqlite3.connect(f"file:{quote(str(self._path))}?{how}", uri=True)) as old:
                old.backup(memory)
        except sqlite3.Error:
            return False
        return True

    def _drift(self, error: sqlite3.OperationalError) -> None:
        """Go on in memory with what was committed last."""
        self.adrift_s = self._wall_s()
        log.critical("state.adrift", file=str(self._path), error=str(error))
        memory = _configured(_connect(MEMORY))
        self._connection.backup(memory)
        self._connection.close()
        self._connection = memory

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"cannot make {self._path.parent}: {error.strerror}; set STATE_DIR") from error
        connection = _connect(str(self._path))
        try:
            _configured(connection)
            self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise ConfigurationError(
                f"{self._path} was written by a newer Nightdesk (version {version}, this one knows {VERSION}): "
                "run that one, or move the file away to begin anew"
            )
        if version == 0:
            schema = resources.files("services.alerter.store").joinpath("schema.sql").read_text(encoding="utf-8")
            connection.executescript(f"BEGIN IMMEDIATE; {schema} PRAGMA user_version = {VERSION}; COMMIT;")

    def _put_aside(self) -> Path:
        aside = self._path.with_name(f"{self._path.name}.damaged-{int(self._wall_s())}")
        self._path.rename(aside)
        for suffix in ("-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        return aside


def _connect(path: str) -> sqlite3.Connection:
    # Transactions are begun by hand; the health server's thread may look while the event loop's writes nothing.
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def _configured(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    # What was committed survives a power cut: a delivery that was made is not made again.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection
