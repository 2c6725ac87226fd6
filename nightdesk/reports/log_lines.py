"""The lines of one error on one day, and on how many days before it was there. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from nightdesk.reports.novelty import Rows

STATEMENTS: Final = ("logs_error_days", "logs_error_lines")
"""What ``build`` reads; they take ``parameters``."""

LINES: Final = 200
"""On a page."""

HISTORY_DAYS: Final = 30


class LogLine(BaseModel):
    """One line, as it was loaded."""

    model_config = ConfigDict(frozen=True)

    log_event_id: int = Field(description="number of the line")
    time: datetime = Field(description="its own time")
    level: str = Field(description="how grave it is")
    event: str = Field(description="its constant name; empty for a text log")
    message: str = Field(description="its text; empty where the name says it all")
    fields: dict[str, Any] = Field(description="its facts")


class ErrorDay(BaseModel):
    """How often an error was there on one day."""

    model_config = ConfigDict(frozen=True)

    day: date = Field(description="UTC day")
    lines: int = Field(ge=0, description="lines that day")


class LogLines(BaseModel):
    """The lines of one error on one UTC day, newest first."""

    model_config = ConfigDict(frozen=True)

    day: date = Field(description="UTC day")
    fingerprint: str = Field(description="what names this error on every day")
    service: str = Field(description="service that logged it")
    level: str = Field(description="error or critical")
    event: str = Field(description="its constant name; empty for a text log")
    template: str = Field(description="the text that its lines share, with what varies in angle brackets")
    sample: str = Field(description="one of its lines, without credentials")
    total: int = Field(ge=0, description="lines that day")
    first_at: datetime | None = Field(description="its first line that day")
    last_at: datetime | None = Field(description="its last line that day")
    days: list[ErrorDay] = Field(description="that day and the thirty before, as far as it was there, newest first")
    lines: list[LogLine] = Field(description="its lines, newest first; none where they are not kept any more")
    page: int = Field(ge=1, description="which page of them this is")
    next: int | None = Field(description="give this as `page` for older lines; null on the last one")

    @property
    def are_kept(self) -> bool:
        """Return whether the lines are still there: they are kept for some weeks, and their count for ever."""
        return bool(self.lines) or self.page > 1 or not self.total


def parameters(day: date, fingerprint: str, page: int) -> dict[str, object]:
    """Return what the statements take."""
    return {
        "day": day,
        "fingerprint": fingerprint,
        "since": day - timedelta(days=HISTORY_DAYS),
        "most": LINES + 1,
        "before": (page - 1) * LINES,
    }


def build(day: date, page: int, rows: Rows) -> LogLines | None:
    """Return the lines of what ``STATEMENTS`` found; nothing where the error was not seen in all those days."""
    days = rows["logs_error_days"]
    if not days:
        return None
    newest, lines = days[0], rows["logs_error_lines"]
    that_day: Mapping[str, Any] = newest if newest["day"] == day else {}
    return LogLines(
        **{name: newest[name] for name in ("fingerprint", "service", "level", "event", "template", "sample")},
        day=day,
        total=that_day.get("lines", 0),
        first_at=that_day.get("first_at"),
        last_at=that_day.get("last_at"),
        days=[ErrorDay(day=one["day"], lines=one["lines"]) for one in days],
        lines=[LogLine.model_validate(dict(one)) for one in lines[:LINES]],
        page=page,
        next=page + 1 if len(lines) > LINES else None,
    )


def shown(line: LogLine, most: int = 2000) -> str:
    """Return a line as a person reads it: what happened, then its facts; of an exception its type and text."""
    facts = [f"{name}={_said(value)}" for name, value in line.fields.items()]
    return " ".join(part for part in (line.event, line.message, *facts) if part)[:most]


def _said(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str) and value and isinstance(value[0], Mapping):
        first = value[0]
        if "exc_type" in first:
            return f"{first['exc_type']}: {first.get('exc_value', '')}"
    return str(value)
