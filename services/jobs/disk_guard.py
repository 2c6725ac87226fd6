"""Look at every disk of the host, by what is used, by inodes, and by when it will be full.

The host's root is mounted read-only at HOST_ROOT, so that what is seen is the host's list of mounts and not the
container's. Critical is a finding; a warning is told to the person, once a day.
"""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeAlias

import redis
import structlog
from pydantic import Field, model_validator

from nightdesk import streams
from nightdesk.errors import NightdeskError
from nightdesk.runs import Json
from nightdesk.store.database import translated
from services.jobs.archive import tables
from services.jobs.disks.judging import (
    Level,
    Limits,
    Usage,
    days_until_full,
    growth_bytes_per_day,
    history,
    usage,
)
from services.jobs.disks.mounts import Mount, disks, parse
from services.jobs.runner import job
from services.jobs.runner.job import Desk, FindingError

log = structlog.get_logger()

StatVfs: TypeAlias = Callable[[str], os.statvfs_result]
Results: TypeAlias = Sequence[tuple[float, Mapping[str, object]]]

PATIENCE_S: Final = 5.0
"""For one file system to answer; one of a server that is away never does."""

HISTORY_DAYS: Final = 7

REDIS: Final = "redis"


class Thresholds(job.Arguments):
    """Percentages of one mount."""

    warning: float = Field(80, gt=0, le=100, description="percent used from which on the person is told")
    critical: float = Field(90, gt=0, le=100, description="percent used from which on the run fails")

    @model_validator(mode="after")
    def _ordered(self) -> "Thresholds":
        if self.warning > self.critical:
            raise ValueError("warning is above critical")
        return self


class Arguments(Thresholds):
    """When a disk is too full."""

    mounts: dict[str, Thresholds] = Field({}, description="thresholds of single mounts, by their path on the host")
    ignore: list[str] = Field([], description="paths on the host that are not looked at, with all below them")
    warning_days: float = Field(7, ge=0, description="days until full from which on the person is told; 0 for never")


def run(desk: Desk, arguments: Arguments) -> Json:
    """Look, and say what is wrong."""
    return guard(desk, arguments, os.statvfs)


def guard(desk: Desk, arguments: Arguments, statvfs: StatVfs) -> Json:
    """Do it; raises FindingError when a disk is critically full, has become read-only, or does not answer."""
    host = desk.settings.host_root
    view = _View(host=host, arguments=arguments, earlier=_earlier(desk), statvfs=statvfs, now=desk.scheduled_for)
    chosen = disks(parse(_mounts_text(host)), named=arguments.mounts, ignored=arguments.ignore)
    found = {one.point: facts for one in chosen if (facts := view.of(one)) is not None}
    judged = {**found, REDIS: _redis(desk, arguments)}
    result = {"mounts": found, "redis": judged[REDIS], **_sizes(desk)}
    critical = [name for name, facts in judged.items() if facts["level"] == Level.CRITICAL]
    for name, facts in judged.items():
        if facts["level"] == Level.WARNING:
            _warn(desk, name, facts)
    if not found:
        raise FindingError(f"no disk is to be seen at HOST_ROOT={host}", result)
    if critical:
        raise FindingError("; ".join(f"{name}: {', '.join(judged[name]['problems'])}" for name in critical), result)
    return result


def _mounts_text(host: Path) -> str:
    """The mounts that the host's first process sees, not the container's.

    https://man7.org/linux/man-pages/man5/proc_pid_mounts.5.html
    """
    for name in ("proc/1/mounts", "proc/self/mounts", "proc/mounts"):
        try:
            return (host / name).read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            continue
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What mounts are judged by."""

    host: Path
    arguments: Arguments
    earlier: Results
    statvfs: StatVfs
    now: datetime

    def of(self, one: Mount) -> dict[str, Any] | None:
        """What is to be said of a mount; nothing of one that never could be written to."""
        points = history(self.earlier, one.point)
        if not one.writable and not points:
            return None
        try:
            if self._hidden(one):
                return _unseen(one, Level.FINE, "was mounted after this container was made, which has to be made anew")
            seen = usage(self._statvfs(one.point))
        except TimeoutError:
            return _unseen(one, Level.CRITICAL, "does not answer")
        except OSError as error:
            # Where only root may go, nobody is to be woken for it.
            return _unseen(one, Level.FINE, f"cannot be looked at: {error.strerror}")
        facts = self._facts(one, seen, points)
        if not one.writable:
            facts["level"], facts["problems"] = Level.CRITICAL, [*facts["problems"], "has become read-only"]
        return facts

    def _hidden(self, one: Mount) -> bool:
        """Whether what is to be seen there is the disk below: the mount has not reached this container."""
        if one.point == "/" or one.point in self.arguments.mounts:
            return False
        here = self._statvfs(one.point).f_fsid
        return bool(here) and here == self._statvfs(str(PurePosixPath(one.point).parent)).f_fsid

    def _statvfs(self, point: str) -> os.statvfs_result:
        return bounded(self.statvfs, f"{self.host}{point}".replace("//", "/"))

    def _facts(self, one: Mount, seen: Usage, points: list[tuple[float, float]]) -> dict[str, Any]:
        chosen = self.arguments.mounts.get(one.point, self.arguments)
        limits = Limits(chosen.warning, chosen.critical)
        per_day = growth_bytes_per_day([*points, (self.now.timestamp(), float(seen.used_bytes))])
        days = days_until_full(seen.free_bytes, per_day)
        soon = days is not None and days < self.arguments.warning_days
        shares = ((seen.percent, "space"), (seen.inodes_percent, "inodes"))
        problems = [f"{percent:.1f} % of {what} used" for percent, what in shares if percent >= limits.warning]
        problems += [f"full in {days:g} days at the present growth"] if soon else []
        levels = [Level.WARNING if soon else Level.FINE, *(limits.level(percent) for percent, _ in shares)]
        return {
            "device": one.device,
            "type": one.type,
            **asdict(seen),
            "growth_bytes_per_day": None if per_day is None else round(per_day),
            "days_until_full": days,
            "level": max(levels, key=list(Level).index),
            "problems": problems,
        }


def _unseen(one: Mount, level: Level, text: str) -> dict[str, Any]:
    return {"device": one.device, "type": one.type, "level": level, "problems": [text], "unseen": True}


def bounded(statvfs: StatVfs, path: str) -> os.statvfs_result:
    """Ask in a thread, because the answer of a server's file system may never come; raises OSError."""
    answers: list[os.statvfs_result | OSError] = []

    def ask() -> None:
        try:
            answers.append(statvfs(path))
        except OSError as error:
            answers.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    if not answers:
        raise TimeoutError(path)
    if isinstance(answers[0], OSError):
        raise answers[0]
    return answers[0]


def _earlier(desk: Desk) -> Results:
    values = {
        "task": "disk_guard",
        "since": desk.scheduled_for - timedelta(days=HISTORY_DAYS),
        "before": desk.scheduled_for,
    }
    with desk.connect("disk_guard") as connection, translated():
        found = connection.execute(tables.statement("results_since"), values).fetchall()
    return [(moment.timestamp(), result) for moment, result in found if isinstance(result, dict)]


def _redis(desk: Desk, arguments: Arguments) -> dict[str, Any]:
    """Redis's memory against its limit; an outage is for others to tell."""
    password = desk.settings.redis_password
    client = streams.connect(desk.settings.redis_url, password.get_secret_value() if password else None)
    try:
        memory: dict[str, Any] = client.info("memory")
    except redis.RedisError as error:
        return {"level": Level.FINE, "problems": [], "unseen": f"{type(error).__name__}"}
    finally:
        client.close()
    used, limit = int(memory["used_memory"]), int(memory["maxmemory"])
    percent = round(100 * used / limit, 2) if limit else 0.0
    level = Limits(arguments.warning, arguments.critical).level(percent)
    problems = [f"{percent:.1f} % of memory used"] if level is not Level.FINE else []
    return {"used_bytes": used, "limit_bytes": limit, "percent": percent, "level": level, "problems": problems}


def _sizes(desk: Desk) -> dict[str, Any]:
    with desk.connect("disk_guard") as connection, translated():
        row = connection.execute(tables.statement("database_sizes")).fetchone()
    database, archive = row or (None, None)
    return {"database_bytes": database, "archive_bytes": archive}


def _warn(desk: Desk, name: str, facts: Mapping[str, Any]) -> None:
    what = "Redis" if name == REDIS else f"Disk {name}"
    text = f"{what}: {', '.join(facts['problems'])}."
    fields = {"mount": name, "free": f"{facts['free_bytes'] / 1e9:.1f} GB"} if "free_bytes" in facts else {"part": name}
    try:
        desk.notify("warning", f"{what} is filling up", text, fields, f"disk_guard {name}")
    except NightdeskError as error:
        log.warning("disk.not_told", mount=name, error=str(error))
