"""What runs when: ``config/schedule.yaml``.

Everything wrong is named at once, with its file, line, field and mend.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from nightdesk.config_files import Location, read_config
from nightdesk.durations import Duration, seconds
from nightdesk.feeds_config import ALWAYS_OPEN
from nightdesk.runs import NAME

_SESSION: Final = re.compile(r"([A-Za-z0-9/_.-]+)\s+(open|close)(?:\s*([+-])\s*(\S+))?")


WITH_SECONDS: Final = 6
"""Fields of a line that other crons read with seconds; here a minute is the least."""

_SOME_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)


class CatchUp(StrEnum):
    """What becomes of runs that are later than their grace."""

    SKIP = "skip"
    LATEST = "latest"
    ALL = "all"


class Edge(StrEnum):
    """Which end of a session."""

    OPEN = "open"
    CLOSE = "close"


class SessionTime(BaseModel):
    """A time relative to an exchange's session: ``XNYS close + 30m``."""

    model_config = ConfigDict(frozen=True)

    calendar: str
    edge: Edge
    offset_s: float


def session_time(text: object) -> object:
    """Return what ``CALENDAR open|close [+|- DURATION]`` says; raises ValueError that says how to write it."""
    if isinstance(text, SessionTime):
        return text
    found = _SESSION.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError("is no time of a session; write XNYS close + 30m, or XLON open - 1h")
    calendar, edge, sign, length = found.groups()
    if calendar == ALWAYS_OPEN:
        raise ValueError("24/7 never opens or closes; use cron with timezone: UTC")
    offset_s = seconds(length) if length else 0.0
    return SessionTime(calendar=calendar, edge=Edge(edge), offset_s=-offset_s if sign == "-" else offset_s)


class Retry(BaseModel):
    """How often a run is tried, and how long it waits in between: doubled each time, with jitter, an hour at most."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    attempts: int = Field(3, ge=1, le=100, description="tries in all; 1 is no retry")
    backoff: Duration = Field(30.0, gt=0, description="wait after the first failure, as 30s")


class Entry(BaseModel):
    """One job of the schedule: when it runs, and what becomes of it when it does not."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    run: str = Field("", description="the job's file in services/jobs, without .py; by default the entry's own name")
    cron: str = Field("", description='minute hour day month weekday, as "0 7 * * mon-fri"')
    timezone: str = Field("", description="zone the cron line is meant in, as America/New_York")
    at: Annotated[SessionTime, BeforeValidator(session_time)] | None = Field(
        None, description="relative to a session, as XNYS close + 30m"
    )
    on: Literal["", "gap", "request"] = Field("", description="gap: after a gap was opened; request: only when asked")
    settle: Duration = Field(30.0, ge=1, le=3600, description="how long gaps are gathered before one run, as 30s")
    after: tuple[str, ...] = Field((), description="entries of the same period that must have succeeded before")
    first: bool = Field(default=False, description="true: also once when the schedule first has it")
    grace: Duration = Field(900.0, ge=1, description="how late a run may begin and still be on time, as 15m")
    catch_up: CatchUp = Field(CatchUp.LATEST, description="runs that are later: skip them, the latest only, or all")
    max_age: Duration = Field(86_400.0, ge=1, description="how old a run may be and still be caught up, as 1d")
    timeout: Duration = Field(
        600.0, ge=1, description="how long an attempt may take, as 10m; longer ones share workers"
    )
    retry: Retry = Field(default_factory=lambda: Retry.model_validate({}), description="attempts and backoff")
    args: dict[str, Any] = Field(default_factory=dict, description="what the job takes")
    severity: Literal["warning", "critical"] = Field(
        "warning", description="how bad it is when a run fails or is missed"
    )

    @field_validator("run")
    @classmethod
    def _file(cls, run: str) -> str:
        if run and not NAME.fullmatch(run):
            raise ValueError("is no job; small letters, digits and _, as in backfill_gaps")
        return run

    @field_validator("cron")
    @classmethod
    def _line(cls, line: str) -> str:
        if len(line.split()) == WITH_SECONDS:
            raise ValueError("has six fields, and the first would be seconds; write minute hour day month weekday")
        try:
            comes = next(CronSim(line, _SOME_TIME), None)
        except CronSimError as error:
            raise ValueError(f'is no cron line: {error}; write for example "0 7 * * mon-fri"') from error
        if comes is None:
            raise ValueError("never comes; look at its day and month")
        return line

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("is no time zone; write one such as America/New_York, Europe/London or UTC") from error
        return name

    @model_validator(mode="after")
    def _one_time(self) -> "Entry":
        given = [name for name in ("cron", "at", "on", "after") if getattr(self, name)]
        if not given:
            raise ValueError("says not when; give it cron and timezone, at, after, or on: request")
        if len(given) > 1:
            raise ValueError(f"has {' and '.join(given)}; keep one of them")
        if self.cron and not self.timezone:
            raise ValueError("has a cron line but no timezone; write for example timezone: America/New_York")
        if self.first and not (self.cron or self.at):
            raise ValueError("has first, which needs cron or at; remove it")
        if self.timezone and not self.cron:
            raise ValueError("has a timezone but no cron line; remove it")
        return self

    def task(self, name: str) -> str:
        """Return the job's file of the entry with this name."""
        return self.run or name


class Schedule(BaseModel):
    """Every job, by the name it has in the schedule."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    jobs: dict[str, Entry] = Field(min_length=1, description="entries by name")

    @field_validator("jobs")
    @classmethod
    def _named(cls, jobs: dict[str, Entry]) -> dict[str, Entry]:
        wrong = [name for name in jobs if not NAME.fullmatch(name)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no name; small letters, digits and _, at most 63")
        return jobs

    def root(self, name: str) -> str:
        """Return the entry that a chain begins with: the one itself where it comes after no other."""
        while self.jobs[name].after:
            name = self.jobs[name].after[0]
        return name

    def followers(self, root: str) -> list[str]:
        """Return the entries of a root's chain, without it, in the order in which they may run."""
        members = self._members.get(root, [])
        placed: list[str] = []
        while len(placed) < len(members):
            placed += [
                name
                for name in members
                if name not in placed and all(one == root or one in placed for one in self.jobs[name].after)
            ]
        return placed

    @cached_property
    def _members(self) -> dict[str, list[str]]:
        """The entries of every chain, without its root."""
        members: dict[str, list[str]] = {}
        for name, entry in self.jobs.items():
            if entry.after:
                members.setdefault(self.root(name), []).append(name)
        return members


Problems: TypeAlias = Callable[[Schedule], Iterator[tuple[Location, str]]]
"""What else is wrong with a schedule, each with its place."""


def read_schedule(path: Path, *, also: Problems | None = None) -> Schedule:
    """Return the schedule; raises ConfigurationError naming every wrong line.

    ``also`` looks at what this module cannot know: which jobs and calendars there are.
    """

    def check(schedule: Schedule) -> Iterator[tuple[Location, str]]:
        chains = list(_wrong_chains(schedule.jobs))
        yield from chains
        if also is not None and not chains:
            yield from also(schedule)

    return read_config(path, Schedule, variable="SCHEDULE_CONFIG", check=check)


def _wrong_chains(jobs: Mapping[str, Entry]) -> Iterator[tuple[Location, str]]:
    for name, entry in jobs.items():
        place: Location = ("jobs", name, "after")
        unknown = [one for one in entry.after if one not in jobs]
        if unknown:
            yield place, f"there is no entry {unknown[0]!r}; write the name of another entry"
        elif name in _before(jobs, name):
            yield place, "comes after itself in the end; break the circle"
        elif len({_root(jobs, one) for one in entry.after}) > 1:
            yield place, "names entries with times of their own; all of them must belong to one chain"
        elif entry.after and jobs[_root(jobs, name)].on == "request":
            yield place, f"follows {_root(jobs, name)!r}, which runs only when asked and has no period"


def _before(jobs: Mapping[str, Entry], name: str) -> set[str]:
    """Everything that an entry comes after, near and far."""
    found: set[str] = set()
    waiting = list(jobs[name].after)
    while waiting:
        one = waiting.pop()
        if one in jobs and one not in found:
            found.add(one)
            waiting += jobs[one].after
    return found


def _root(jobs: Mapping[str, Entry], name: str) -> str:
    for _ in jobs:
        if name not in jobs or not jobs[name].after:
            break
        name = jobs[name].after[0]
    return name
