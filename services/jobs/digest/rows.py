"""How far each file is loaded, and its lines, in PostgreSQL: both change together or not at all."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from nightdesk.errors import NightdeskError
from nightdesk.store.database import Connection, translated
from services.jobs.backfill.statements import statement
from services.jobs.digest.batch import SAMPLES, Batch, day_of, us_of
from services.jobs.digest.identity import Candidate, Known, digest
from services.jobs.digest.parsing import EPOCH

FILE_COLUMNS: Final = (
    "log_file_id",
    "path",
    "head_bytes",
    "head_sha256",
    "offset",
    "last_us",
    "stored_bytes",
    "modified_ns",
)


class OvertakenError(NightdeskError):
    """Somebody else has loaded the file on from where this reader began."""


class LogRows:
    """The tables of logs, over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one who says which file is which: two would take one file for two."""
        with translated(), self._connection.transaction():
            self._connection.execute(statement("log_lock"))
            yield

    def known(self) -> list[Known]:
        """Return every file that was ever read."""
        return [_known(row) for row in self._connection.execute(statement("log_files")).fetchall()]

    def add(self, candidate: Candidate, now: datetime) -> Known:
        """Write down a new file."""
        row = _head(candidate, now) | {"source": candidate.found.source}
        found = self._connection.execute(statement("log_new_file"), row).fetchone()
        assert found is not None  # noqa: S101  RETURNING
        return Known(
            log_file_id=found[0],
            path=row["path"],
            head_bytes=row["head_bytes"],
            head_sha256=row["head_sha256"],
            offset=0,
            last_us=None,
            stored_bytes=None,
            modified_ns=None,
        )

    def see(self, candidate: Candidate, known: Known, now: datetime) -> Known:
        """Write down where a known file is now, and how it begins if there is more of it."""
        row = _head(candidate, now)
        self._connection.execute(statement("log_seen_file"), row | {"log_file_id": known.log_file_id})
        return replace(known, path=row["path"], head_bytes=row["head_bytes"], head_sha256=row["head_sha256"])

    def commit(self, batch: Batch, *, source: str, log_file_id: int, previous: int, following: int) -> None:
        """Write a batch and advance its file, in one transaction; raises OvertakenError when the file is further on.

        What is added to the counts is sorted, so that two who add to the same rows wait for each other in one order.
        """
        step = {
            "log_file_id": log_file_id,
            "previous": previous,
            "following": following,
            "lines": batch.lines,
            "unparsed": batch.unparsed_lines,
            "last_at": _moment(batch.last_us),
        }
        with translated(), self._connection.transaction():
            if self._connection.execute(statement("log_advance"), step).rowcount == 0:
                raise OvertakenError(f"file {log_file_id} is not at {previous} any more")
            with self._connection.cursor() as cursor, cursor.copy(statement("log_copy")) as copy:
                copy.write(batch.rows())
            for name, values in _added(batch, source):
                self._connection.execute(statement(name), values)

    def read_up(self, log_file_id: int, *, offset: int, stored_bytes: int, modified_ns: int) -> None:
        """Write down that the file as it was then holds nothing more."""
        values = {
            "log_file_id": log_file_id,
            "offset": offset,
            "stored_bytes": stored_bytes,
            "modified_ns": modified_ns,
        }
        with translated():
            self._connection.execute(statement("log_read_up"), values)

    def mean(self, meanings: Sequence[tuple[str, str]]) -> None:
        """Write down what events stand for."""
        values = {"events": [event for event, _ in meanings], "meanings": [meaning for _, meaning in meanings]}
        with translated():
            self._connection.execute(statement("log_mean"), values)


def _known(row: Sequence[Any]) -> Known:
    found = dict(zip(FILE_COLUMNS, row, strict=True))
    return Known(**found | {"last_us": None if found["last_us"] is None else us_of(found["last_us"])})


def _head(candidate: Candidate, now: datetime) -> dict[str, Any]:
    return {
        "path": candidate.found.name,
        "head_bytes": len(candidate.head),
        "head_sha256": digest(candidate.head),
        "seen_at": now,
    }


def _added(batch: Batch, source: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the statements that have something to add, with their values."""
    if batch.counts:
        days, services, levels, events, lines = _columns([(*key, batch.counts[key]) for key in sorted(batch.counts)])
        yield (
            "log_add_counts",
            {"days": _days(days), "services": services, "levels": levels, "events": events, "lines": lines},
        )
    if batch.errors:
        yield "log_add_errors", _errors(batch)
    if batch.unparsed:
        yield "log_add_unparsed", _unparsed(batch, source)
    if batch.services:
        names, heard = _columns(sorted(batch.services.items()))
        yield (
            "log_hear_services",
            {
                "source": source,
                "services": names,
                "first_at": [_moment(one.first_us) for one in heard],
                "last_at": [_moment(one.last_us) for one in heard],
            },
        )


def _errors(batch: Batch) -> dict[str, Any]:
    keys = sorted(batch.errors)
    found = [asdict(batch.errors[key]) for key in keys]
    values: dict[str, Any] = {
        f"{name}s": [one[name] for one in found] for name in ("service", "level", "event", "template", "sample")
    }
    return values | {
        "days": _days([day for day, _ in keys]),
        "fingerprints": [name for _, name in keys],
        "lines": [one["lines"] for one in found],
        "first_at": [_moment(one["first_us"]) for one in found],
        "last_at": [_moment(one["last_us"]) for one in found],
    }


def _unparsed(batch: Batch, source: str) -> dict[str, Any]:
    keys = sorted(batch.unparsed)
    return {
        "source": source,
        "days": _days([day for day, _ in keys]),
        "reasons": [reason for _, reason in keys],
        "lines": [batch.unparsed[key].lines for key in keys],
        "samples": [json.dumps(batch.unparsed[key].samples) for key in keys],
        "most": SAMPLES,
    }


def _columns(rows: Sequence[Sequence[Any]]) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))


def _days(days: Sequence[int]) -> list[Any]:
    return [day_of(day) for day in days]


def _moment(us: int) -> datetime:
    return (EPOCH + timedelta(microseconds=us)).astimezone(UTC)
