"""Load the logs, and say what was different in those of the UTC day that ended: new errors, failed fetches, silence.

Every line is counted once, however often this is ended and begun again: a file's place and its lines change together.
`docs/log-digest.md` says how errors are told apart and ranked.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import structlog
from psycopg.rows import dict_row
from pydantic import Field

from nightdesk.durations import written
from nightdesk.errors import ConfigurationError
from nightdesk.reports import novelty, statements
from nightdesk.reports.novelty import LogDay, LogError, Novelty
from nightdesk.runs import Json
from nightdesk.store.database import Connection, translated
from services.jobs.backfill.statements import statement
from services.jobs.digest.config import LogsConfig, read_logs
from services.jobs.digest.loading import Loaded, Loader
from services.jobs.digest.rows import LogRows
from services.jobs.runner import job
from services.jobs.runner.job import Desk

log = structlog.get_logger()

PRUNED_AT_ONCE: Final = 50_000
"""Lines deleted in one statement: nobody waits long for it, and a run that is ended loses little."""

FILES_KEPT: Final = timedelta(days=400)
"""A file that nobody has seen for so long is forgotten; no log is kept for nearly as long."""

SHOWN: Final = 5
"""New errors in a message; the page has all."""


class Arguments(job.Arguments):
    """What is loaded, kept and told."""

    only_load: bool = Field(default=False, description="whether loading is all that is done")
    keep_days: int = Field(35, ge=1, le=3660, description="days for which lines are kept; counts are kept for ever")
    max_failed_percent: float = Field(
        5.0, ge=0, le=100, description="percent of failed fetches from which on it is told"
    )
    min_fetches: int = Field(20, ge=1, description="fetches of a service below which no share is told")
    usual_days: int = Field(3, ge=1, le=7, description="days in a row with logs that make a service's silence unusual")
    notify: bool = Field(default=True, description="whether the person is told of failed fetches and of silence")
    tell_new: bool = Field(
        default=True, description="whether the person is told of errors that were never there before"
    )


def run(desk: Desk, arguments: Arguments) -> Json:
    """Do it; raises UnavailableError when the database or the alerter does not answer."""
    config = read_logs(desk.settings.logs_config)
    with closing(desk.connect("log_digest")) as connection:
        loaded = _load(desk, config, connection)
        result: dict[str, Any] = {"loaded": asdict(loaded)}
        log.info("logs.loaded", **{name: value for name, value in asdict(loaded).items() if value})
        if arguments.only_load:
            return result
        result["pruned"] = _prune(connection, desk.scheduled_for, arguments.keep_days)
        day = desk.scheduled_for.astimezone(UTC).date() - timedelta(days=1)
        found = _day(connection, day)
        silent = _silent(connection, config, desk.scheduled_for, arguments.usual_days)
    failing = _failing(found, arguments)
    if arguments.notify:
        _tell_failing(desk, found, failing)
        _tell_silent(desk, silent)
    if arguments.tell_new:
        _tell_new(desk, found)
    return result | _digest(found) | {"failing": failing, "silent": silent}


def _load(desk: Desk, config: LogsConfig, connection: Connection) -> Loaded:
    log_dir = desk.settings.log_dir
    if log_dir is None:
        raise ConfigurationError("LOG_DIR is not set: there are no logs to load; set it to the directory of log files")
    now = datetime.fromtimestamp(desk.clock.wall_ns() / 1e9, UTC)
    return Loader(LogRows(connection), config, log_dir=log_dir, now=now, progress=desk.progress).load()


def _prune(connection: Connection, now: datetime, keep_days: int) -> int:
    """Delete what is older than that, some at a time; return how many lines."""
    values = {"before": now - timedelta(days=keep_days), "most": PRUNED_AT_ONCE}
    pruned = 0
    with translated():
        while deleted := connection.execute(statement("log_prune_events"), values).rowcount:
            pruned += deleted
        connection.execute(statement("log_prune_files"), {"before": now - FILES_KEPT})
    return pruned


def _day(connection: Connection, day: date) -> LogDay:
    with translated(), connection.cursor(row_factory=dict_row) as cursor:
        rows = {
            name: cursor.execute(statements.statement(name).encode(), {"day": day}).fetchall()
            for name in novelty.STATEMENTS
        }
    return novelty.build(day, rows)


def _silent(connection: Connection, config: LogsConfig, at: datetime, usual_days: int) -> list[dict[str, Any]]:
    """Return the services that logged every day and have not for longer than their source allows."""
    with translated():
        rows = connection.execute(statement("log_silent"), {"at": at, "days": usual_days}).fetchall()
    limits = {name: source.silent_after for name, source in config.sources.items()}
    return [
        {
            "source": source,
            "service": service,
            "last_at": last_at.isoformat(),
            "silent_s": (at - last_at).total_seconds(),
        }
        for source, service, last_at in rows
        if (limit_s := limits.get(source)) is not None and (at - last_at).total_seconds() > limit_s
    ]


def _failing(found: LogDay, arguments: Arguments) -> list[dict[str, Any]]:
    """Return the services of whose fetches too many failed."""
    return [
        {"service": one.service, "failed": one.fetches_failed, "fetches": one.fetches, "percent": round(100 * share, 2)}
        for one in found.services
        if (share := one.failed_share) is not None
        and one.fetches >= arguments.min_fetches
        and 100 * share > arguments.max_failed_percent
    ]


def _digest(found: LogDay) -> dict[str, Any]:
    kinds = {kind.value: len(found.of(kind)) for kind in Novelty}
    return {
        "day": found.day.isoformat(),
        "lines": found.lines,
        "unparsed": found.unparsed_lines,
        "error_lines": found.error_lines,
        "errors": kinds,
        "compared_days": found.compared_days,
        "new": [_named(one) for one in found.of(Novelty.NEW)[:SHOWN]],
        "fetches_succeeded": found.fetches_succeeded,
        "fetches_failed": found.fetches_failed,
        "services": {one.service: one.levels for one in found.services},
    }


def _named(one: LogError) -> dict[str, Any]:
    return {"fingerprint": one.fingerprint, "service": one.service, "lines": one.lines, "sample": one.sample}


def _tell_failing(desk: Desk, found: LogDay, failing: Sequence[Mapping[str, Any]]) -> None:
    for one in failing:
        service, day = str(one["service"]), found.day
        text = f"{one['failed']} of {one['fetches']} fetches failed on {day}: {one['percent']:g} %."
        fields = {"service": service, "page": _page(day)}
        desk.notify("warning", f"Fetches of {service} fail", text, fields, f"{desk.job} fetches {service} {day}")


def _tell_silent(desk: Desk, silent: Sequence[Mapping[str, Any]]) -> None:
    for one in silent:
        service = str(one["service"])
        text = f"It logged every day, and nothing for {written(one['silent_s'])}: its last line is of {one['last_at']}."
        fields = {"service": service, "source": str(one["source"])}
        key = f"{desk.job} silent {service} {desk.scheduled_for.date()}"
        desk.notify("warning", f"The log of {service} has stopped", text, fields, key)


def _tell_new(desk: Desk, found: LogDay) -> None:
    """Tell of errors that were never there before; on the first days everything would be."""
    new = found.of(Novelty.NEW)
    if not new or not found.compared_days:
        return
    title = f"{len(new)} new {'error' if len(new) == 1 else 'errors'} on {found.day}"
    lines = [f"{one.lines} x {one.service}: {one.sample}" for one in new[:SHOWN]]
    lines += [f"and {len(new) - SHOWN} more"] if len(new) > SHOWN else []
    desk.notify("info", title, "\n".join(lines), {"page": _page(found.day)}, f"{desk.job} new {found.day}")


def _page(day: date) -> str:
    return f"/reports/logs/{day}"
