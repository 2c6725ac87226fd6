"""In which form a report is asked for: by ``format``, else by what the client accepts."""

from enum import StrEnum

from fastapi import Request


class ReportFormat(StrEnum):
    """The forms of a report."""

    HTML = "html"
    JSON = "json"
    CSV = "csv"
    TEXT = "text"


_ACCEPTED = {"text/html": ReportFormat.HTML, "text/csv": ReportFormat.CSV, "text/plain": ReportFormat.TEXT}


def format_of(request: Request, asked: ReportFormat | None, offered: tuple[ReportFormat, ...]) -> ReportFormat:
    """Return the form that was asked for, else the first of ``Accept`` that is offered, else JSON."""
    if asked is not None:
        return asked
    for one in request.headers.get("accept", "").split(","):
        wanted = _ACCEPTED.get(one.partition(";")[0].strip().lower())
        if wanted in offered:
            return wanted
    return ReportFormat.JSON
