"""Back the database up into one file, verified by restoring it.

The file holds everything that PostgreSQL holds; days that were archived and dropped have files of their own. It is
restored into a scratch database beside the real one and every table's rows are counted in both; only then does it get
its name, and only then are older backups deleted. Whatever kills this leaves files that end in ``.partial`` and a
scratch database, which the next run removes.
"""

import hashlib
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

import structlog
from pydantic import Field

from nightdesk.errors import UnavailableError
from nightdesk.runs import Json
from nightdesk.store import programs, shelf
from nightdesk.store.database import Connection
from nightdesk.store.shelf import Contents
from services.jobs.backups import database
from services.jobs.backups.database import Snapshot, Source
from services.jobs.runner import job
from services.jobs.runner.job import Desk, FindingError

log = structlog.get_logger()

DUMP_SHARE: Final = 0.5
"""Of the database's size: more than a dump ever takes, for want of an earlier one to go by."""

_DAY: Final = re.compile(r"_\d{8}$")


class Arguments(job.Arguments):
    """How many are kept, and whether each is proven."""

    keep: int = Field(7, ge=1, description="backups that are kept")
    verify: bool = Field(
        default=True, description="restore it into a scratch database, which takes as much room for a while"
    )


def run(desk: Desk, arguments: Arguments) -> Json:
    """Make a backup; raises FindingError when it cannot be restored, or has no room."""
    directory = desk.settings.backup_dir
    source = Source.of(desk.settings)
    began_s = desk.clock.monotonic_s()
    with _trouble_told(), database.alone(source) as connection:
        directory.mkdir(parents=True, exist_ok=True)
        removed = [*shelf.sweep(directory), *database.sweep(connection)]
        size = database.size_bytes(connection)
        _check_room(directory, size, verify=arguments.verify)
        final = directory / shelf.name_at(desk.scheduled_for)
        partial = final.with_name(f"{final.name}{shelf.PARTIAL}")
        contents = _dump(desk, source, partial, size)
        if arguments.verify:
            _verify(desk, source, connection, partial, contents)
        shelf.settle(partial, final, contents)
        old = shelf.surplus(shelf.backups(directory), arguments.keep)
        shelf.delete(old)
    return {
        "file": str(final),
        **asdict(contents),
        "rows": _by_parent(contents.rows),
        "database_bytes": size,
        "verified": arguments.verify,
        "seconds": round(desk.clock.monotonic_s() - began_s, 1),
        "removed": [*removed, *(path.name for path in old)],
    }


@contextmanager
def _trouble_told() -> Iterator[None]:
    """Say which trouble may pass: a disk's is for a person, a program's may be a server that went away."""
    try:
        yield
    except OSError as error:
        raise FindingError(f"the backup could not be written: {error}", {}) from error
    except programs.ProgramError as error:
        raise UnavailableError(str(error)) from error


def _dump(desk: Desk, source: Source, partial: Path, size: int) -> Contents:
    """Write the file as ``pg_dump`` sends it, all of it from one moment."""
    digest, written = hashlib.sha256(), 0
    partial.touch(mode=0o600)
    with database.snapshot(source) as seen, partial.open("wb") as file:
        for piece in programs.output(command(source, seen), source.password, piece_bytes=shelf.PIECE_BYTES):
            file.write(piece)
            digest.update(piece)
            written += len(piece)
            desk.progress(min(written, size), 2 * size, "bytes dumped")
    return Contents(bytes=written, sha256=digest.hexdigest(), rows=seen.rows)


def command(source: Source, seen: Snapshot) -> list[str | Path]:
    """Return what dumps the moment."""
    program = programs.find("pg_dump")
    compress = "zstd:3" if programs.major_version(program) >= programs.ZSTD_SINCE else "3"
    return [
        program, "--format=custom", f"--compress={compress}", "--no-password", f"--snapshot={seen.name}",
        "--lock-wait-timeout=30s", f"--dbname={source.url}",
    ]  # fmt: skip


def _verify(desk: Desk, source: Source, connection: Connection, partial: Path, contents: Contents) -> None:
    size = database.size_bytes(connection)
    with database.scratch(source, connection) as scratch:

        def tell() -> None:
            done = min(database.size_bytes(connection, scratch.database), size)
            desk.progress(size + done, 2 * size, "bytes restored to be verified")

        restore: list[str | Path] = [
            programs.find("pg_restore"), "--exit-on-error", "--no-owner", "--no-privileges", "--no-password",
            f"--dbname={scratch.url}", partial,
        ]  # fmt: skip
        programs.run(restore, source.password, meanwhile=tell)
        found = database.counts(scratch, list(contents.rows))
    differing = {name: (rows, found[name]) for name, rows in contents.rows.items() if found[name] != rows}
    if differing:
        name, (rows, others) = next(iter(differing.items()))
        raise FindingError(
            f"the backup does not hold what the database did: {name} has {others} of {rows} rows, and "
            f"{len(differing) - 1} more tables differ",
            {"differing": {name: list(pair) for name, pair in differing.items()}},
        )


def _check_room(directory: Path, size: int, *, verify: bool) -> None:
    """See to it that the disk does not fill up; the server's is taken to be the same one."""
    whole = shelf.backups(directory)
    expected = int(whole[-1].stat().st_size * 1.5) if whole else int(size * DUMP_SHARE)
    needed, free = expected + (size if verify else 0), shutil.disk_usage(directory).free
    if free < needed:
        raise FindingError(
            f"{directory} has {free / 1e9:.2f} GB free, and a backup needs {needed / 1e9:.2f} GB"
            + (" while it is verified" if verify else ""),
            {"free_bytes": free, "needed_bytes": needed},
        )


def _by_parent(rows: Mapping[str, int]) -> dict[str, int]:
    """Add up the days of a table."""
    total: dict[str, int] = {}
    for name, number in rows.items():
        parent = _DAY.sub("", name)
        total[parent] = total.get(parent, 0) + number
    return total
