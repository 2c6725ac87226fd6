"""One day of one table: to a file, and back.

``archives.dropped_at`` is set in the transaction that drops the partition and cleared in the one that puts its rows
back, so that at every moment PostgreSQL holds either all rows of a day's file, or only what arrived since. Whatever
kills a job, the next finds one of the two.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

import structlog

from nightdesk.store.database import Connection, HinderedError
from nightdesk.store.tables import TABLES
from nightdesk.ticks import Kind
from services.jobs.archive import parquet, tables
from services.jobs.archive.checksum import Checksum, checksum
from services.jobs.archive.columns import Rows
from services.jobs.archive.draft import Draft, renumbered
from services.jobs.archive.places import PARTIAL, DamagedError, Place
from services.jobs.archive.planning import TableDay
from services.jobs.archive.tables import Kept, Piece, Tell

log = structlog.get_logger()

TRIES: Final = 3
"""How often a day is written anew because rows arrived meanwhile, before it is left to the next run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """What became of a day.

    ``value_bytes`` are those of the values that were written, without any form; 0 where the file was there already.
    ``duplicates`` were in the earlier file as well as in PostgreSQL. An empty day is dropped and has no file.
    """

    rows: int
    file_bytes: int
    value_bytes: int
    duplicates: int
    dropped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """A file that holds all that PostgreSQL has of a day, which is ``stored_rows`` rows.

    ``replaces`` is the file that it was added to: until the day is dropped, that one is the day's, for one that holds
    rows which PostgreSQL still has would get them a second time.
    """

    file: Kept | None
    stored_rows: int
    replaces: Kept | None = None
    value_bytes: int = 0
    duplicates: int = 0


class Archive:
    """The files of days, and the tables they come from and go back to."""

    def __init__(self, connection: Connection, place: Place) -> None:
        self._connection = connection
        self._place = place

    def archive(self, one: TableDay, tell: Tell = lambda *_: None) -> Archived:
        """Bring a day's rows into its file, verify it by reading it back, and drop the partition.

        Rows of a day that has a file already are added to it. Raises DamagedError when what was read back is not what
        was written, or the file that was there is not the one written down; UnavailableError.
        """
        with tables.locked(self._connection, one):
            for _ in range(TRIES):
                before = self._known(one)
                written = self._reused(one, before) or self._written(one, before, tell)
                dropped = self._dropped(one, written)
                if dropped:
                    break
        return Archived(
            rows=written.file.checksum.rows if written.file else 0,
            file_bytes=written.file.bytes if written.file else 0,
            value_bytes=written.value_bytes,
            duplicates=written.duplicates,
            dropped=dropped,
        )

    def restore(self, one: TableDay, tell: Tell = lambda *_: None) -> int:
        """Put a day's rows back as they were; return how many, 0 when they are there already.

        Raises DamagedError, and then nothing has changed; UnavailableError.
        """
        with tables.locked(self._connection, one):
            file = tables.kept(self._connection, one)
            if file is None:
                raise DamagedError(f"{TABLES[one.kind]} of {one.day}: nothing is written down of such a file")
            if file.stored:
                return 0
            self._check(file)
            tables.ensure_day(self._connection, one)
            with tables.transaction(self._connection, snapshot=True):
                self._put_back(one, file, tell)
            return file.checksum.rows

    def _put_back(self, one: TableDay, file: Kept, tell: Tell) -> None:
        before, copied = self._stored(one), Checksum()
        for rows in self._rows_of(one, file):
            tables.copy_back(self._connection, one.kind, rows)
            copied += checksum(rows)
            tell(copied.rows, file.checksum.rows)
        if self._stored(one) != before + copied:
            raise DamagedError(f"{file.location}: PostgreSQL has other rows than were put back")
        tables.mark_restored(self._connection, one)

    def _known(self, one: TableDay) -> Kept | None:
        """What is written down of the day's file.

        Where PostgreSQL has fewer rows than the file, what is written down of PostgreSQL is not true, whoever deleted
        them or restored another database: then the file has what PostgreSQL has not, and is added to.
        """
        file = tables.kept(self._connection, one)
        if file is None or not file.stored:
            return file
        with tables.transaction(self._connection, snapshot=True):
            rows = self._stored(one).rows
        return file if rows >= file.checksum.rows else replace(file, stored=False)

    def _reused(self, one: TableDay, file: Kept | None) -> _Written | None:
        """The file that is there, when PostgreSQL has its rows and no others: a job was killed, or a day restored."""
        if file is None or not file.stored:
            return None
        with tables.transaction(self._connection, snapshot=True):
            if self._stored(one) != file.checksum:
                return None
        try:
            self._check(file)
        except DamagedError as error:
            log.warning("archive.rewritten", file=file.location, reason=str(error))
            return None
        self._forget_replaced(file)
        return _Written(file=file, stored_rows=file.checksum.rows)

    def _written(self, one: TableDay, before: Kept | None, tell: Tell) -> _Written:
        """Write the day's file, with the rows of the earlier one that PostgreSQL has no more."""
        earlier = before if before is not None and not before.stored else None
        with tables.transaction(self._connection, snapshot=True):
            names = tables.names(self._connection)
            pieces = tables.read(self._connection, one)
            first = next(pieces, None)
            if first is None:
                return _Written(file=earlier, stored_rows=0)
            if earlier is not None:
                self._check(earlier)
            draft = Draft(one.kind, names, before.location if before else "")
            partial = f"{TABLES[one.kind]}/{one.day}.parquet{PARTIAL}"
            with self._place.writing(partial) as sink:
                old = self._rows_of(one, earlier) if earlier is not None else None
                draft.write(sink, _told(chain([first], tables.ahead(pieces)), tell), old)
        file = self._settled(one, partial, draft.sum)
        if earlier is None:
            tables.write_down(self._connection, one, file)
            if before is not None and before.location != file.location:
                self._place.delete(before.location)
        return _Written(
            file=file, stored_rows=draft.stored_rows, replaces=earlier, value_bytes=draft.value_bytes,
            duplicates=draft.duplicates,
        )  # fmt: skip

    def _settled(self, one: TableDay, partial: str, expected: Checksum) -> Kept:
        """Read the file back and give it its name."""
        if self._sum_of(one.kind, partial) != expected:
            raise DamagedError(f"{partial}: what was read back is not what was written")
        sha256, size = self._place.sha256(partial)
        location = f"{TABLES[one.kind]}/{one.day}.{sha256[:12]}.parquet"
        self._place.settle(partial, location)
        return Kept(location=location, bytes=size, checksum=expected, sha256=sha256, stored=True)

    def _dropped(self, one: TableDay, written: _Written) -> bool:
        """Drop the day; a file that another one was added to becomes the day's with that, or goes."""
        added = written.file if written.replaces is not None else None
        try:
            dropped = tables.drop(self._connection, one, written.stored_rows, added)
        except HinderedError as error:
            log.warning("archive.not_dropped", table=TABLES[one.kind], day=f"{one.day}", reason=str(error))
            dropped = False
        if added is not None and written.replaces is not None and added.location != written.replaces.location:
            self._place.delete(written.replaces.location if dropped else added.location)
        return dropped

    def _stored(self, one: TableDay) -> Checksum:
        return sum((checksum(piece.rows) for piece in tables.read(self._connection, one)), Checksum())

    def _sum_of(self, kind: Kind, name: str) -> Checksum:
        with self._place.reading(name) as file:
            return sum((checksum(rows) for rows, _ in parquet.row_groups(kind, file)), Checksum())

    def _check(self, file: Kept) -> None:
        if self._place.sha256(file.location) != (file.sha256, file.bytes):
            raise DamagedError(f"{file.location}: it is not the file that was written: its digest differs")

    def _rows_of(self, one: TableDay, file: Kept) -> Iterator[Rows]:
        """The rows of a file under the numbers that their symbols have in this database; all of them, or an error."""
        known = {name: number for number, name in tables.names(self._connection).items()}
        original = Checksum()
        with self._place.reading(file.location) as source:
            for rows, named in parquet.row_groups(one.kind, source):
                original += checksum(rows)
                yield renumbered(rows, named, known)
        if original != file.checksum:
            raise DamagedError(f"{file.location}: its rows are not the ones that are written down")

    def _forget_replaced(self, file: Kept) -> None:
        """Delete what the file took the place of, which a killed job may have left."""
        with self._place.reading(file.location) as source:
            replaced = parquet.replaced_by(source)
        if replaced and replaced != file.location:
            self._place.delete(replaced)


def _told(pieces: Iterable[Piece], tell: Tell) -> Iterator[Rows]:
    """The rows, and how far they are once they are dealt with."""
    for piece in pieces:
        yield piece.rows
        tell(piece.read, piece.pages)
