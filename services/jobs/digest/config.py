"""Which logs are read and what their events stand for: ``config/logs.yaml``."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from nightdesk.config_files import Location, read_config
from nightdesk.durations import Duration

NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
EVENT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,79}")
"""A constant name of what happened; anything else in its place is text."""

GROUPS: Final = ("time", "level", "service", "message")


def _pattern(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return re.compile(value)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}; see docs.python.org/3/library/re.html") from error


Pattern = Annotated[re.Pattern[str], BeforeValidator(_pattern)]
EventName = Annotated[str, Field(pattern=f"^{EVENT.pattern}$")]


class Source(BaseModel):
    """Files of one kind, and how to read their lines."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    paths: tuple[str, ...] = Field(min_length=1, description="globs, absolute or below LOG_DIR; ** is any directories")
    ignore: tuple[str, ...] = Field((), description="globs of file names that are left out")
    format: Literal["json"] | None = Field(
        None, description="json: an object a line with timestamp, level, event, service"
    )
    pattern: Pattern | None = Field(
        None, description="regular expression of a text line with the groups time and message, and level and service"
    )
    time_format: str | None = Field(None, min_length=1, description="as of strptime, %d/%b/%Y; empty for ISO 8601")
    timezone: str = Field("UTC", description="zone of times that have none, as Europe/Berlin")
    service: str | None = Field(None, min_length=1, max_length=80, description="service of lines that name none")
    events: dict[EventName, Pattern] = Field(
        {}, description="event by a regular expression that its message holds; the first that does"
    )
    silent_after: Duration | None = Field(
        None, description="a service that logs every day and logged nothing for so long is told; empty for never"
    )

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("is no time zone; write one such as Europe/Berlin or UTC") from error
        return name

    @field_validator("pattern")
    @classmethod
    def _groups(cls, pattern: re.Pattern[str] | None) -> re.Pattern[str] | None:
        missing = [name for name in ("time", "message") if pattern and name not in pattern.groupindex]
        if missing:
            raise ValueError(f"has no group {missing[0]}; write (?P<{missing[0]}>...) around it")
        return pattern

    @model_validator(mode="after")
    def _one_way(self) -> "Source":
        if (self.format is None) == (self.pattern is None):
            raise ValueError("needs format: json or a pattern, one of them")
        if self.pattern is None and (self.time_format or self.events):
            raise ValueError("has time_format or events, which belong to a pattern; remove them")
        return self


class Fetches(BaseModel):
    """Events that tell of something asked of another machine."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    succeeded: tuple[EventName, ...] = Field(default=(), description="events of a fetch that succeeded")
    failed: tuple[EventName, ...] = Field(default=(), description="events of a fetch that failed")


class LogsConfig(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    fetches: Fetches = Field(default_factory=Fetches, description="events that tell how fetches went")
    reconnects: tuple[EventName, ...] = Field((), description="events of a connection that has to be made anew")
    restarts: tuple[EventName, ...] = Field((), description="events of a service that started")
    sources: dict[str, Source] = Field(
        min_length=1, description="sources by name; a file belongs to the first that has it"
    )

    @field_validator("sources")
    @classmethod
    def _named(cls, sources: dict[str, Source]) -> dict[str, Source]:
        wrong = [name for name in sources if not NAME.fullmatch(name)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no name; small letters, digits, - and _, at most 32")
        return sources

    def meanings(self) -> list[tuple[str, str]]:
        """Return events and what they stand for, as ``log_meanings`` has them."""
        named = {
            "fetch_succeeded": self.fetches.succeeded,
            "fetch_failed": self.fetches.failed,
            "reconnect": self.reconnects,
            "restart": self.restarts,
        }
        return sorted({(event, meaning) for meaning, events in named.items() for event in events})


def read_logs(path: Path) -> LogsConfig:
    """Return the file; raises ConfigurationError naming every wrong line."""
    return read_config(path, LogsConfig, variable="LOGS_CONFIG", check=_contradictions)


def _contradictions(config: LogsConfig) -> Iterator[tuple[Location, str]]:
    for event in config.fetches.succeeded:
        if event in config.fetches.failed:
            yield ("fetches", "failed"), f"{event} is among those that succeeded as well; keep it in one list"
